"""Files on hosts that no connector declares: refused with the name of the setting, fetched once it lists them."""

from pathlib import Path
from typing import Any

import pytest

from connectors import Connector, Download, MediaRef, Reply
from gateway.fetching import Fetcher
from normalizer.media import MediaFailed
from tests.connectors.accounts import ACCOUNT_SID, apple, instagram, messenger, twilio, whatsapp

from .fetching_fakes import (
    PUBLIC,
    Certificates,
    FakeNetwork,
    FakeResolver,
    answers_with,
    certificates,
    content_of,
    fetching,
    http_response,
    scratch_descriptor,
    serving,
)

PHOTO = b"a photo"
ELSEWHERE = "mcs.us1.twilio.com"
FILE = f"https://{ELSEWHERE}/v1/Services/IS1/Media/ME0123456789abcdef"
CONNECTORS: dict[str, Connector[Any]] = {
    "apple": apple(),
    "instagram": instagram(),
    "messenger": messenger(),
    "twilio": twilio(),
    "whatsapp": whatsapp(),
}


def found(connector: Connector[Any], url: str) -> Download:
    """What the connector's flow returns once it knows that the file is at `url`."""
    locator = {"url": url, "id": "1", "account": "1", "business": "b", "owner": "o"}
    locator |= {"signature": "c2ln", "key": "00" * 32}
    flow = connector.media(MediaRef(locator))
    if isinstance(flow, Download):
        return flow
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(200, {}, {"url": url, "download-url": url}))
    download = end.value.value
    assert isinstance(download, Download)
    return download


async def fetch(fetcher: Fetcher, connector: Connector[Any], url: str) -> bytes:
    download = found(connector, url)
    with scratch_descriptor() as into:
        await fetcher.download(connector, Download(download.call), into, 1_000_000)
        return content_of(into)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    directory: Path = tmp_path_factory.mktemp("tls")
    return certificates(directory, ELSEWHERE, "store.example", "api.twilio.com")


@pytest.mark.parametrize("name", CONNECTORS)
async def test_a_file_elsewhere_is_blocked_and_the_setting_named(name: str) -> None:
    async with fetching() as fetcher:
        with pytest.raises(MediaFailed) as blocked:
            await fetch(fetcher, CONNECTORS[name], FILE)
    assert (blocked.value.state, blocked.value.reason) == ("failed", "blocked_host")
    assert ELSEWHERE in blocked.value.detail
    assert "fetch.extra_hosts" in blocked.value.detail


@pytest.mark.parametrize("name", CONNECTORS)
@pytest.mark.parametrize("pattern", [ELSEWHERE, ".us1.twilio.com"])
async def test_an_extra_host_serves_files_without_our_credentials(
    name: str, pattern: str, tls: Certificates
) -> None:
    async with serving(answers_with(http_response(body=PHOTO)), tls.server) as server:
        names = FakeResolver(mcs_us1_twilio_com=(PUBLIC,))
        dial = FakeNetwork(server.port)
        options = {"resolve": names, "dial": dial, "tls": tls.client, "extra_hosts": (pattern,)}
        async with fetching(**options) as fetcher:
            assert await fetch(fetcher, CONNECTORS[name], FILE) == PHOTO
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("extra", [(), ("store.example",)])
async def test_a_redirect_to_another_host_needs_the_setting_too(
    extra: tuple[str, ...], tls: Certificates
) -> None:
    own = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT_SID}/Messages/MM1/Media/ME1"
    moved = http_response(307, location="https://store.example/f1")
    answers = answers_with(moved, http_response(body=PHOTO))
    async with serving(answers, tls.server) as server:
        names = FakeResolver(api_twilio_com=(PUBLIC,), store_example=(PUBLIC,))
        dial = FakeNetwork(server.port)
        options = {"resolve": names, "dial": dial, "tls": tls.client, "extra_hosts": extra}
        async with fetching(**options) as fetcher:
            if extra:
                assert await fetch(fetcher, twilio(), own) == PHOTO
            else:
                with pytest.raises(MediaFailed, match=r"store\.example.*fetch\.extra_hosts"):
                    await fetch(fetcher, twilio(), own)
    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent[0]
    assert not any(sent[1:])
