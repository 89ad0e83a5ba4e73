"""The allowlist decides for each hop which host and which address may be contacted."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors import Call, Download, Flow, Reply
from gateway.fetching import Fetcher, Unreachable
from gateway.fetching.pinned_network import SystemResolver
from normalizer.media import MediaFailed

from .fetching_fakes import (
    PUBLIC,
    QUICK,
    Certificates,
    FakeNetwork,
    FakePlatform,
    FakeResolver,
    ReceivedRequest,
    answers_with,
    certificates,
    content_of,
    fake_platform,
    fetching,
    hangs,
    http_response,
    scratch_descriptor,
    serving,
)

PHOTO = b"a photo"


def get(url: str, **options: Any) -> Flow[Reply]:
    return (yield Call("GET", url, **options))


async def fetch(fetcher: Fetcher, url: str, connector: FakePlatform | None = None) -> bytes:
    with scratch_descriptor() as into:
        await fetcher.download(
            connector or fake_platform(), Download(Call("GET", url)), into, 1_000_000
        )
        return content_of(into)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    directory: Path = tmp_path_factory.mktemp("tls")
    return certificates(
        directory, "cdn.post.example", "a.media.example", "api.post.example", "extra.example"
    )


# names and addresses ------------------------------------------------------------------------------


async def test_a_media_host_is_contacted_at_the_checked_address(tls: Certificates) -> None:
    async with serving(answers_with(http_response(body=PHOTO)), tls.server) as server:
        dial, names = FakeNetwork(server.port), FakeResolver(cdn_post_example=(PUBLIC,))
        async with fetching(resolve=names, dial=dial, tls=tls.client) as fetcher:
            assert await fetch(fetcher, "https://cdn.post.example/a?b=c") == PHOTO
    assert dial.dialled == [(PUBLIC, 443)]
    assert names.asked == ["cdn.post.example"]
    assert server.requests[0].headers["host"] == "cdn.post.example"
    assert server.requests[0].target == "/a?b=c"


async def test_the_certificate_must_match_the_name(tls: Certificates) -> None:
    async with serving(answers_with(http_response(body=PHOTO)), tls.server) as server:
        names = FakeResolver(other_media_example=(PUBLIC,))
        async with fetching(
            resolve=names, dial=FakeNetwork(server.port), tls=tls.client
        ) as fetcher:
            with pytest.raises(
                Unreachable, match="the certificate is not valid: Hostname mismatch"
            ):
                await fetch(fetcher, "https://other.media.example/a")
    assert server.requests == []


async def test_a_certificate_of_an_unknown_authority_is_refused(tls: Certificates) -> None:
    async with serving(answers_with(http_response(body=PHOTO)), tls.server) as server:
        names = FakeResolver(cdn_post_example=(PUBLIC,))
        async with fetching(resolve=names, dial=FakeNetwork(server.port), tls=None) as fetcher:
            with pytest.raises(Unreachable, match="the certificate is not valid: self"):
                await fetch(fetcher, "https://cdn.post.example/a")
    assert server.requests == []


@pytest.mark.parametrize(
    "found",
    [
        ("10.0.0.1",),
        ("127.0.0.1",),
        ("169.254.169.254",),
        ("::1",),
        ("::ffff:10.0.0.1",),
        ("fe80::1%2",),
        (PUBLIC, "192.168.0.1"),
    ],
)
@pytest.mark.parametrize("allow", [False, True])
async def test_a_name_with_a_private_address_is_always_blocked(
    found: tuple[str, ...], allow: bool
) -> None:
    dial = FakeNetwork(1)
    names = FakeResolver(cdn_post_example=found)
    async with fetching(resolve=names, dial=dial, allow_private_hosts=allow) as fetcher:
        with pytest.raises(MediaFailed, match=r"cdn\.post\.example") as blocked:
            await fetch(fetcher, "https://cdn.post.example/a")
    assert blocked.value.reason == "blocked_host"
    assert dial.dialled == []


async def test_dns_rebinding_is_blocked(tls: Certificates) -> None:
    """The first look-up returns a public address, the second a private one. Each connection makes one look-up."""
    closing = http_response(body=PHOTO, connection="close")
    async with serving(answers_with(closing), tls.server) as server:
        dial = FakeNetwork(server.port)
        names = FakeResolver(cdn_post_example=[(PUBLIC,), ("127.0.0.1",)])
        async with fetching(resolve=names, dial=dial, tls=tls.client) as fetcher:
            assert await fetch(fetcher, "https://cdn.post.example/1") == PHOTO
            with pytest.raises(MediaFailed, match="not public"):
                await fetch(fetcher, "https://cdn.post.example/2")
    assert dial.dialled == [(PUBLIC, 443)]
    assert len(server.requests) == 1


async def test_each_redirect_is_resolved_and_checked(tls: Certificates) -> None:
    moved = http_response(302, location="https://a.media.example/there?sig=1")
    async with serving(answers_with(moved, http_response(body=PHOTO)), tls.server) as server:
        dial = FakeNetwork(server.port)
        names = FakeResolver(cdn_post_example=(PUBLIC,), a_media_example=("93.184.216.35",))
        async with fetching(resolve=names, dial=dial, tls=tls.client) as fetcher:
            assert await fetch(fetcher, "https://cdn.post.example/here") == PHOTO
    assert dial.dialled == [(PUBLIC, 443), ("93.184.216.35", 443)]
    assert [received.target for received in server.requests] == ["/here", "/there?sig=1"]


async def test_a_redirect_to_a_private_address_is_blocked(tls: Certificates) -> None:
    moved = http_response(302, location="https://a.media.example/there")
    async with serving(answers_with(moved, http_response(body=PHOTO)), tls.server) as server:
        dial = FakeNetwork(server.port)
        names = FakeResolver(cdn_post_example=(PUBLIC,), a_media_example=("169.254.169.254",))
        async with fetching(resolve=names, dial=dial, tls=tls.client) as fetcher:
            with pytest.raises(MediaFailed, match=r"a\.media\.example resolves to"):
                await fetch(fetcher, "https://cdn.post.example/here")
    assert dial.dialled == [(PUBLIC, 443)]


async def test_the_next_address_is_tried_if_the_first_fails(tls: Certificates) -> None:
    async with serving(answers_with(http_response(body=PHOTO)), tls.server) as server:
        dial = FakeNetwork(server.port, dead=("2606:2800:21f::1",))
        names = FakeResolver(cdn_post_example=("2606:2800:21f::1", PUBLIC))
        async with fetching(resolve=names, dial=dial, tls=tls.client) as fetcher:
            assert await fetch(fetcher, "https://cdn.post.example/a") == PHOTO
    assert [address for address, _ in dial.dialled] == ["2606:2800:21f::1", PUBLIC]


async def test_the_system_resolver_resolves_localhost() -> None:
    resolver = SystemResolver(threads=1)
    try:
        assert set(await resolver("localhost", 80)) & {"127.0.0.1", "::1"}
        with pytest.raises(OSError):
            await resolver("no-such-name.invalid", 80)
    finally:
        resolver.close()


async def test_a_resolver_that_hangs_times_out() -> None:
    async def never(host: str, port: int) -> tuple[str, ...]:
        await asyncio.sleep(3600)
        return ()

    async with fetching(resolve=never, deadlines=replace(QUICK, connect=0.2)) as fetcher:
        with pytest.raises(Unreachable, match="no connection in time"):
            await fetch(fetcher, "https://cdn.post.example/a")


async def test_a_handshake_that_hangs_times_out_and_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65536):
                pass
            closed.set()
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(deaf, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    names, deadlines = FakeResolver(cdn_post_example=(PUBLIC,)), replace(QUICK, connect=0.2)
    async with (
        listener,
        fetching(resolve=names, dial=FakeNetwork(port), deadlines=deadlines) as fetcher,
    ):
        with pytest.raises(Unreachable, match="no connection in time"):
            await fetch(fetcher, "https://cdn.post.example/a")
        async with asyncio.timeout(10):
            await closed.wait()


# which hosts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/a",
        "https://media.example/a",  # a suffix covers only the names below it
        "https://evilmedia.example/a",
        "https://a.media.example.evil.example/a",
        "https://sub.cdn.post.example/a",  # an exact name covers only itself
        "https://post.example/a",
        "https://cdn.post.example:8443/a",
        "https://cdn.post.example:80/a",
        "https://api.post.example:8443/a",
        "http://cdn.post.example/a",
        "http://cdn.post.example:443/a",
        "http://api.post.example/a",
        "http://10.0.0.1/a",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/a",
        "https://127.0.0.1/a",
        "https://localhost/a",
        "http://0.0.0.0/a",
        "http://[::]/a",
        "http://[::ffff:127.0.0.1]/a",
        "http://localhost.example/a",
        "http://127.0.0.1.example/a",
        "https://cdn.post.example@127.0.0.1/a",
        "https://cdn.post.example./a",
        "http://2130706433/a",
        "http://0177.0.0.1/a",
        "ftp://cdn.post.example/a",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("way", ["directly", "by redirect"])
async def test_other_hosts_are_blocked_even_if_simulators_are_allowed(url: str, way: str) -> None:
    dial = FakeNetwork(1)
    async with serving(answers_with(http_response(302, location=url))) as server:
        start = url if way == "directly" else f"{server.url}/start"
        if way == "by redirect":
            dial = FakeNetwork(server.port)
        async with fetching(resolve=FakeResolver(), dial=dial) as fetcher:
            with pytest.raises(MediaFailed) as blocked:
                await fetch(fetcher, start)
    assert blocked.value.reason == "blocked_host"
    assert dial.dialled == ([] if way == "directly" else [("127.0.0.1", server.port)])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/a", "http://localhost:{}/a", "http://127.9.9.9:{}/a"]
)
async def test_localhost_is_allowed_for_simulators_only(url: str) -> None:
    async with serving(answers_with(http_response(body=PHOTO))) as server:
        async with fetching(dial=FakeNetwork(server.port)) as fetcher:
            assert await fetch(fetcher, url.format(server.port)) == PHOTO
        async with fetching(dial=FakeNetwork(server.port), allow_private_hosts=False) as fetcher:
            with pytest.raises(MediaFailed, match="plain http"):
                await fetch(fetcher, url.format(server.port))


async def test_a_localhost_that_resolves_elsewhere_is_blocked() -> None:
    dial = FakeNetwork(1)
    async with fetching(resolve=FakeResolver(localhost=("10.0.0.1",)), dial=dial) as fetcher:
        with pytest.raises(MediaFailed, match="localhost resolves to"):
            await fetch(fetcher, "http://localhost:1/a")
    assert dial.dialled == []


async def test_private_addresses_are_blocked_even_as_api_or_extra_host() -> None:
    dial = FakeNetwork(1)
    options: dict[str, Any] = {
        "allow_private_hosts": False,
        "extra_hosts": ("127.0.0.1", "10.0.0.1"),
        "dial": dial,
    }
    async with fetching(**options) as fetcher:
        for url in ("https://127.0.0.1/a", "https://10.0.0.1/a"):
            with pytest.raises(MediaFailed, match="not public"):
                await fetch(fetcher, url, fake_platform(url))
    assert dial.dialled == []


async def test_only_the_api_port_of_the_api_host_is_allowed(tls: Certificates) -> None:
    async with serving(answers_with(http_response(body=b"[]")), tls.server) as server:
        dial, names = FakeNetwork(server.port), FakeResolver(api_post_example=(PUBLIC,))
        async with fetching(resolve=names, dial=dial, tls=tls.client) as fetcher:
            connector = fake_platform("https://api.post.example:8443/v1")
            reply = await fetcher.run(connector, get("https://api.post.example:8443/x"), "lookup")
            assert reply.content == []
            for other in ("https://api.post.example/x", "https://api.post.example:8444/x"):
                with pytest.raises(MediaFailed):
                    await fetcher.run(connector, get(other), "lookup")
    assert dial.dialled == [(PUBLIC, 8443)]


@pytest.mark.parametrize("pattern", ["extra.example", "EXTRA.example"])
async def test_an_extra_host_is_allowed(tls: Certificates, pattern: str) -> None:
    async with serving(answers_with(http_response(body=PHOTO)), tls.server) as server:
        names = FakeResolver(extra_example=(PUBLIC,))
        options: dict[str, Any] = {
            "resolve": names,
            "dial": FakeNetwork(server.port),
            "tls": tls.client,
        }
        async with fetching(extra_hosts=(pattern,), **options) as fetcher:
            assert await fetch(fetcher, "https://extra.example/a") == PHOTO


async def test_an_extra_suffix_allows_the_hosts_below_it() -> None:
    dial = FakeNetwork(1)
    async with fetching(
        extra_hosts=(".extra.example",), resolve=FakeResolver(), dial=dial
    ) as fetcher:
        with pytest.raises(Unreachable, match="has no address"):
            await fetch(fetcher, "https://deep.down.extra.example/a")
        with pytest.raises(MediaFailed, match=r"add it to fetch\.extra_hosts"):
            await fetch(fetcher, "https://extra.example/a")


# redirects --------------------------------------------------------------------------------------


async def test_at_most_three_redirects_are_followed() -> None:
    def chain(length: int) -> Any:
        moves = [http_response(302, location=f"/{hop + 1}") for hop in range(length)]
        return answers_with(*moves, http_response(body=PHOTO))

    async with serving(chain(3)) as server, fetching() as fetcher:
        assert await fetch(fetcher, f"{server.url}/0") == PHOTO
        assert [received.target for received in server.requests] == ["/0", "/1", "/2", "/3"]
    async with serving(chain(4)) as server, fetching() as fetcher:
        with pytest.raises(Unreachable, match="more than 3 redirects"):
            await fetch(fetcher, f"{server.url}/0")
        assert len(server.requests) == 4


async def test_a_redirect_loop_ends() -> None:
    async with (
        serving(answers_with(http_response(301, location="/same"))) as server,
        fetching() as fetcher,
    ):
        with pytest.raises(Unreachable, match="more than 3 redirects"):
            await fetch(fetcher, f"{server.url}/same")
        assert len(server.requests) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_kind_of_redirect_is_followed(status: int) -> None:
    answers = answers_with(http_response(status, location="/b"), http_response(body=PHOTO))
    async with serving(answers) as server, fetching() as fetcher:
        assert await fetch(fetcher, f"{server.url}/a") == PHOTO


async def test_the_body_of_a_redirect_is_not_read() -> None:
    async def moves(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        if received.target == "/a":
            writer.write(http_response(302, location="/b", content_length="1000000"))
            await hangs(received, writer)
        writer.write(http_response(body=PHOTO))

    async with serving(moves) as server, fetching() as fetcher:
        assert await fetch(fetcher, f"{server.url}/a") == PHOTO
