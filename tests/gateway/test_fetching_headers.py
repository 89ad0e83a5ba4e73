"""Credentials and headers are decided for each hop, by origin."""

from pathlib import Path

import pytest

from connectors import Call, Download
from gateway.fetching import Fetcher

from .fetching_fakes import (
    PUBLIC,
    TOKEN,
    Certificates,
    FakeNetwork,
    FakePlatform,
    FakeResolver,
    ReceivedRequest,
    answers_with,
    certificates,
    fake_platform,
    fetching,
    http_response,
    scratch_descriptor,
    serving,
)

OWN = {
    "x-object": "o-1",
    "Authorization": "Basic of-the-flow",
    "Cookie": "a=b",
    "Proxy-Authorization": "p",
}


async def fetch(fetcher: Fetcher, connector: FakePlatform, call: Call) -> None:
    with scratch_descriptor() as into:
        await fetcher.download(connector, Download(call), into, 1_000_000)


def secrets(received: ReceivedRequest) -> dict[str, str]:
    names = ("authorization", "x-now", "cookie", "proxy-authorization")
    return {name: received.headers[name] for name in names if name in received.headers}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    directory: Path = tmp_path_factory.mktemp("tls")
    return certificates(directory, "files.post.example", "cdn.post.example", "api.post.example")


async def test_the_api_receives_credentials_and_another_port_does_not() -> None:
    async with (
        serving(answers_with(http_response(body=b"x"))) as api,
        serving(answers_with(http_response(body=b"x"))) as other,
        fetching() as fetcher,
    ):
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"{api.url}/a"))
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"{other.url}/a"))
    assert secrets(api.requests[0])["authorization"] == TOKEN["authorization"]
    assert secrets(other.requests[0]) == {}


async def test_another_name_of_the_same_machine_is_another_origin() -> None:
    async with (
        serving(answers_with(http_response(body=b"x"))) as api,
        fetching(dial=FakeNetwork(api.port)) as fetcher,
    ):
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"http://localhost:{api.port}/a"))
    assert secrets(api.requests[0]) == {}


async def test_a_call_without_auth_has_no_credentials() -> None:
    async with serving(answers_with(http_response(body=b"x"))) as api, fetching() as fetcher:
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"{api.url}/a", auth=False))
    assert secrets(api.requests[0]) == {}


async def test_a_redirect_to_another_port_loses_credentials_and_headers() -> None:
    async with (
        serving(answers_with(http_response(body=b"x"))) as other,
        serving(answers_with(http_response(302, location=f"{other.url}/b"))) as api,
        fetching() as fetcher,
    ):
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"{api.url}/a", headers=OWN))
    assert secrets(api.requests[0])["authorization"] == TOKEN["authorization"]
    assert api.requests[0].headers["x-object"] == "o-1"
    assert set(other.requests[0].headers) == {"host", "user-agent", "accept", "accept-encoding"}


async def test_a_redirect_within_the_origin_keeps_credentials_and_headers() -> None:
    async with (
        serving(answers_with(http_response(302, location="/b"), http_response(body=b"x"))) as api,
        fetching() as fetcher,
    ):
        await fetch(
            fetcher,
            fake_platform(api.url),
            Call("GET", f"{api.url}/a", headers={"x-object": "o-1"}),
        )
    for received in api.requests:
        assert secrets(received)["authorization"] == TOKEN["authorization"]
        assert received.headers["x-object"] == "o-1"


async def test_a_redirect_to_the_api_adds_credentials_there_only() -> None:
    async with (
        serving(answers_with(http_response(body=b"x"))) as api,
        serving(answers_with(http_response(302, location=f"{api.url}/b"))) as other,
        fetching() as fetcher,
    ):
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"{other.url}/a"))
    assert secrets(other.requests[0]) == {}
    assert secrets(api.requests[0])["authorization"] == TOKEN["authorization"]


async def test_credentials_set_by_a_flow_go_only_to_trusted_hosts() -> None:
    async with (
        serving(answers_with(http_response(body=b"x"))) as api,
        serving(answers_with(http_response(body=b"x"))) as other,
        fetching() as fetcher,
    ):
        for server in (api, other):
            call = Call("GET", f"{server.url}/a", headers=OWN, auth=False)
            await fetch(fetcher, fake_platform(api.url), call)
    assert secrets(api.requests[0])["authorization"] == "Basic of-the-flow"
    assert secrets(other.requests[0]) == {}
    assert other.requests[0].headers["x-object"] == "o-1"


async def test_authorize_overrides_the_headers_of_the_flow() -> None:
    async with serving(answers_with(http_response(body=b"x"))) as api, fetching() as fetcher:
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"{api.url}/a", headers=OWN))
    assert api.requests[0].headers["authorization"] == TOKEN["authorization"]


@pytest.mark.parametrize(
    ("host", "port", "trusted"),
    [
        ("api.post.example", 443, True),
        ("files.post.example", 443, True),
        ("cdn.post.example", 443, False),  # serves media, but may not receive credentials
    ],
)
async def test_only_declared_hosts_are_trusted_over_https(
    tls: Certificates, host: str, port: int, trusted: bool
) -> None:
    async with serving(answers_with(http_response(body=b"x")), tls.server) as server:
        names = FakeResolver(**{host.replace(".", "_"): (PUBLIC,)})
        dial = FakeNetwork(server.port)
        async with fetching(resolve=names, dial=dial, tls=tls.client) as fetcher:
            await fetch(fetcher, fake_platform(), Call("GET", f"https://{host}/a"))
    assert bool(secrets(server.requests[0])) is trusted
    assert dial.dialled == [(PUBLIC, port)]


async def test_declared_hosts_are_trusted_on_443_and_the_api_port(
    tls: Certificates,
) -> None:
    """Declared hosts are trusted on port 443, and the API on the port in `api_url`."""
    async with serving(answers_with(http_response(body=b"x")), tls.server) as server:
        names = FakeResolver(files_post_example=(PUBLIC,), api_post_example=(PUBLIC,))
        async with fetching(
            resolve=names, dial=FakeNetwork(server.port), tls=tls.client
        ) as fetcher:
            await fetch(
                fetcher,
                fake_platform("https://files.post.example:8443"),
                Call("GET", "https://files.post.example/a"),
            )
            await fetch(
                fetcher,
                fake_platform("https://files.post.example:8443"),
                Call("GET", "https://files.post.example:8443/a"),
            )
    assert [bool(secrets(received)) for received in server.requests] == [True, True]


async def test_cookies_are_never_stored() -> None:
    baked = http_response(body=b"x", set_cookie="session=1; Path=/")
    async with serving(answers_with(baked)) as api, fetching() as fetcher:
        for _ in range(2):
            await fetch(fetcher, fake_platform(api.url), Call("GET", f"{api.url}/a"))
    assert "cookie" not in api.requests[1].headers


async def test_every_request_has_a_user_agent_and_refuses_compression() -> None:
    headers = {
        "Accept-Encoding": "gzip",
        "Host": "evil.example",
        "Transfer-Encoding": "chunked",
        "Connection": "x",
    }
    async with serving(answers_with(http_response(body=b"x"))) as api, fetching() as fetcher:
        await fetch(fetcher, fake_platform(api.url), Call("GET", f"{api.url}/a", headers=headers))
    sent = api.requests[0].headers
    assert sent["user-agent"].startswith("airlock-messaging/")
    assert sent["accept-encoding"] == "identity"
    assert sent["host"] == f"127.0.0.1:{api.port}"
    assert not {"transfer-encoding", "connection"} & set(sent)


async def test_a_flow_can_set_its_user_agent() -> None:
    async with serving(answers_with(http_response(body=b"x"))) as api, fetching() as fetcher:
        await fetch(
            fetcher,
            fake_platform(api.url),
            Call("GET", f"{api.url}/a", headers={"User-Agent": "mine/1"}),
        )
    assert api.requests[0].headers["user-agent"] == "mine/1"


async def test_proxies_and_passwords_from_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(answers_with(http_response(body=b"x"))) as other, fetching() as fetcher:
        await fetch(fetcher, fake_platform(), Call("GET", f"{other.url}/a"))
    assert secrets(other.requests[0]) == {}
