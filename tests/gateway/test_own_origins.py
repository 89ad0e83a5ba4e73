"""`fetch.own_origins` opens one exact origin, for the connector whose API it is, and nothing else."""

import pytest

from connectors import Call, Download
from gateway.fetching import Fetcher
from normalizer.media import MediaFailed

from .fetching_fakes import (
    FakeNetwork,
    FakePlatform,
    FakeResolver,
    answers_with,
    content_of,
    fake_platform,
    fetching,
    http_response,
    scratch_descriptor,
    serving,
)

PHOTO = b"a photo"


async def fetch(fetcher: Fetcher, connector: FakePlatform, url: str) -> bytes:
    with scratch_descriptor() as into:
        await fetcher.download(connector, Download(Call("GET", url)), into, 1_000_000)
        return content_of(into)


async def test_our_own_platform_is_reached_over_loopback_with_credentials() -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server:
        own = f"http://127.0.0.1:{server.port}"
        async with fetching(allow_private_hosts=False, own_origins=[own]) as fetcher:
            assert await fetch(fetcher, fake_platform(own), f"{own}/file") == PHOTO
        assert "authorization" in server.requests[0].headers


async def test_without_the_setting_our_own_platform_is_refused() -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server:
        own = f"http://127.0.0.1:{server.port}"
        async with fetching(allow_private_hosts=False) as fetcher:
            with pytest.raises(MediaFailed, match="blocked_host") as refused:
                await fetch(fetcher, fake_platform(own), f"{own}/file")
        assert "fetch.own_origins" in str(refused.value.detail)
        assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{other}/file",
        "http://127.0.0.2:{port}/file",
        "http://localhost:{port}/file",
        "https://127.0.0.1:{port}/file",
        "http://[::1]:{port}/file",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/file",
        "http://169.254.169.254/file",
    ],
)
async def test_everything_beside_the_exact_origin_stays_closed(url: str) -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server:
        own = f"http://127.0.0.1:{server.port}"
        address = url.format(port=server.port, other=server.port + 1)
        async with fetching(allow_private_hosts=False, own_origins=[own]) as fetcher:
            with pytest.raises(MediaFailed, match="blocked_host"):
                await fetch(fetcher, fake_platform(own), address)
        assert server.requests == []


async def test_another_connectors_files_cannot_lead_to_our_origin() -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server:
        own = f"http://127.0.0.1:{server.port}"
        async with fetching(allow_private_hosts=False, own_origins=[own]) as fetcher:
            with pytest.raises(MediaFailed, match="blocked_host"):
                await fetch(fetcher, fake_platform(), f"{own}/file")
        assert server.requests == []


async def test_a_redirect_from_our_origin_opens_nothing_more() -> None:
    elsewhere = http_response(302, location="http://169.254.169.254/latest/meta-data")
    async with serving(answers_with(elsewhere)) as server:
        own = f"http://127.0.0.1:{server.port}"
        async with fetching(allow_private_hosts=False, own_origins=[own]) as fetcher:
            with pytest.raises(MediaFailed, match="blocked_host"):
                await fetch(fetcher, fake_platform(own), f"{own}/file")


async def test_a_name_of_ours_may_have_a_private_address() -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server:
        own = f"http://chat.internal:{server.port}"
        names = FakeResolver(**{"chat.internal": ("10.0.0.7",)})
        options = {"resolve": names, "dial": FakeNetwork(server.port)}
        async with fetching(allow_private_hosts=False, own_origins=[own], **options) as fetcher:
            assert await fetch(fetcher, fake_platform(own), f"{own}/file") == PHOTO
