"""Tokens are obtained once for all calls, renewed before they expire and after a 401; a failure is shared."""

import asyncio
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import HttpUrl

from connectors import Call, ConnectorConfig, Download, Flow, Rejected, Reply, Secret, Token
from connectors import retry_after as pause_of
from gateway.fetching import Fetcher
from gateway.upkeep.connector_health import ConnectorHealth, ask

from .fetching_fakes import (
    NOW,
    FakePlatform,
    ReceivedRequest,
    fetching,
    http_response,
    scratch_descriptor,
    serving,
)


class Settings(ConnectorConfig):
    api_url: HttpUrl = HttpUrl("https://api.post.example")
    client_secret: Secret


class Clientele(FakePlatform):
    """A platform whose tokens are fetched with client credentials."""

    name = "clientele"
    Config = Settings
    config: Settings

    def token(self, now: datetime) -> Generator[Call, Reply, Token]:
        form = {"client_secret": self.config.client_secret.get_secret_value()}
        reply = yield Call("POST", f"{self.config.api}/token", form=form)
        match reply.content:
            case {"access_token": str(value), "expires_in": int(seconds)}:
                return Token(value, now + timedelta(seconds=seconds))
        raise self.refusal(reply)

    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:  # type: ignore[override]  # FakePlatform has only `now`
        del now
        return {"authorization": f"Bearer {token.value}", "x-for": call.url.partition("//")[2]}

    def check(self) -> str:
        return "Clientele"


class Issuer:
    """The platform's server: issues t1, t2, … and refuses those in `revoked`."""

    def __init__(self) -> None:
        self.issued = 0
        self.lasts = 3600
        self.revoked: set[str] = set()
        self.refusal: bytes | None = None
        self.asked: list[ReceivedRequest] = []
        self.answered = asyncio.Event()
        self.answered.set()

    async def __call__(self, received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(await self._answer(received))

    async def _answer(self, received: ReceivedRequest) -> bytes:
        if received.target == "/token":
            self.asked.append(received)
            await self.answered.wait()
            if self.refusal is not None:
                return self.refusal
            self.issued += 1
            content = {"access_token": f"t{self.issued}-of-tests", "expires_in": self.lasts}
            return http_response(body=orjson.dumps(content))
        bearer = received.headers.get("authorization", "")
        if not bearer or bearer.removeprefix("Bearer ") in self.revoked:
            return http_response(401, b'{"error": "expired"}')
        return http_response(body=orjson.dumps({"with": bearer}))


def one(call: Call) -> Flow[Any]:
    reply = yield call
    return reply.content["with"]


def clientele(url: str) -> Clientele:
    return Clientele(Settings.model_validate({"api_url": url, "client_secret": "hush-hush"}))


class Clock:
    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def steady(self) -> float:
        return self.passed


def get(connector: Clientele, fetcher: Fetcher) -> Any:
    return fetcher.run(connector, one(Call("GET", f"{connector.config.api}/me")), "lookup")


def send(connector: Clientele, fetcher: Fetcher) -> Any:
    return fetcher.run(
        connector, one(Call("POST", f"{connector.config.api}/send", json={})), "send"
    )


async def test_many_calls_share_one_fetch_of_the_token() -> None:
    issuer = Issuer()
    issuer.answered.clear()
    async with serving(issuer) as server, fetching() as fetcher:
        connector = clientele(server.url)
        calls = [asyncio.create_task(get(connector, fetcher)) for _ in range(20)]
        while not issuer.asked:
            await asyncio.sleep(0)
        calls[0].cancel()  # the others still wait for it
        issuer.answered.set()
        assert await asyncio.gather(*calls[1:]) == ["Bearer t1-of-tests"] * 19
    assert len(issuer.asked) == 1
    assert issuer.asked[0].body == b"client_secret=hush-hush"
    assert "authorization" not in issuer.asked[0].headers


async def test_authorize_gets_the_call_of_the_hop() -> None:
    issuer = Issuer()
    async with serving(issuer) as server, fetching() as fetcher:
        await get(clientele(server.url), fetcher)
    assert server.requests[-1].headers["x-for"].endswith("/me")


async def test_a_token_is_renewed_before_it_expires() -> None:
    issuer, clock = Issuer(), Clock()
    async with serving(issuer) as server, fetching(clock=clock.now, steady=clock.steady) as fetcher:
        connector = clientele(server.url)
        for passed, token in ((0, "t1"), (3530, "t1"), (3545, "t2"), (3546, "t2")):
            clock.passed = passed
            assert await get(connector, fetcher) == f"Bearer {token}-of-tests"


async def test_a_valid_token_is_used_while_renewal_fails() -> None:
    issuer, clock = Issuer(), Clock()
    async with serving(issuer) as server, fetching(clock=clock.now, steady=clock.steady) as fetcher:
        connector = clientele(server.url)
        await get(connector, fetcher)
        issuer.refusal = http_response(503)
        clock.passed = 3550
        assert await get(connector, fetcher) == "Bearer t1-of-tests"
        clock.passed = 3601
        with pytest.raises(Rejected, match="no token"):
            await get(connector, fetcher)


@pytest.mark.parametrize("call", [get, send])
async def test_a_call_is_repeated_once_after_a_401(call: Any) -> None:
    issuer = Issuer()
    async with serving(issuer) as server, fetching() as fetcher:
        connector = clientele(server.url)
        await get(connector, fetcher)
        issuer.revoked.add("t1-of-tests")
        assert await call(connector, fetcher) == "Bearer t2-of-tests"
        issuer.revoked.add("t2-of-tests")
        with pytest.raises(Rejected) as refused:
            await call(connector, fetcher)
        assert refused.value.reason == "unauthorized"
    assert len(issuer.asked) == 2  # not again for each 401


async def test_a_download_is_repeated_with_a_new_token() -> None:
    issuer = Issuer()
    issuer.revoked.add("t1-of-tests")
    async with serving(issuer) as server, fetching() as fetcher:
        connector = clientele(server.url)
        with scratch_descriptor() as into:
            download = Download(Call("GET", f"{server.url}/file"))
            fetched = await fetcher.download(connector, download, into, 1000)
    assert fetched.size > 0
    assert len(issuer.asked) == 2


async def test_refused_credentials_are_shared_and_masked() -> None:
    issuer, clock = Issuer(), Clock()
    words = b'{"error": "invalid_client", "error_description": "no client with hush-hush"}'
    issuer.refusal = http_response(401, words)
    async with serving(issuer) as server, fetching(clock=clock.now, steady=clock.steady) as fetcher:
        connector = clientele(server.url)
        for purpose in ("send", "lookup"):
            with pytest.raises(Rejected) as refused:
                flow = one(Call("POST", f"{server.url}/x", json={}))
                await fetcher.run(connector, flow, purpose)
            refusal = refused.value
            assert (refusal.reason, refusal.retry, refusal.operator) == ("unauthorized", True, True)
            assert refusal.after is not None
            assert refusal.after > 0
            assert "hush-hush" not in str(refusal)
        assert len(issuer.asked) == 1
        assert [one.target for one in server.requests] == ["/token"]
        health = await ask(fetcher, connector)
        assert health.state == "needs action"
        assert "no token" in str(health.detail)
        issuer.refusal = None
        clock.passed = 120
        assert (await ask(fetcher, connector)).state == "ok"


async def test_health_shows_a_refused_token_at_once() -> None:
    issuer = Issuer()
    async with serving(issuer) as server, fetching() as fetcher:
        connector = clientele(server.url)
        health = ConnectorHealth({"desk": connector}, fetcher)
        task = asyncio.create_task(health.run())
        try:
            await until(lambda: health.of("desk").state == "ok")
            issuer.refusal = http_response(401, b'{"error": "invalid_client"}')
            issuer.revoked.add("t1-of-tests")
            with pytest.raises(Rejected):
                await get(connector, fetcher)
            # Its next check is due in five minutes.
            await until(lambda: health.of("desk").state == "needs action")
        finally:
            task.cancel()
            await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_platform_that_is_down_leaves_texts_to_be_retried() -> None:
    issuer = Issuer()
    issuer.refusal = http_response(503, retry_after="40")
    async with serving(issuer) as server, fetching(steady=Clock().steady) as fetcher:
        with pytest.raises(Rejected) as refused:
            await send(clientele(server.url), fetcher)
    refusal = refused.value
    assert (refusal.reason, refusal.retry, refusal.operator) == ("unreachable", True, False)
    assert refusal.after == 40
    assert pause_of(Reply(503, {"retry-after": "40"}, None)) == 40


@pytest.mark.parametrize(
    "url", ["https://cdn.post.example/token", "https://elsewhere.example/", "ftp://x", "no url"]
)
async def test_a_token_is_never_requested_from_an_undeclared_host(url: str) -> None:
    class Elsewhere(Clientele):
        def token(self, now: datetime) -> Generator[Call, Reply, Token]:
            del now
            yield Call("POST", url, form={"client_secret": "hush-hush"})
            raise AssertionError("the call was made")

    connector = Elsewhere(Settings.model_validate({"client_secret": "hush-hush"}))
    async with fetching() as fetcher:
        health = await ask(fetcher, connector)
    assert health.state == "needs action"
    assert "no token" in str(health.detail)


@pytest.mark.parametrize(
    "token",
    [
        Token("", NOW + timedelta(hours=1)),
        Token("stale", NOW - timedelta(seconds=1)),
        Token("naive", datetime(2030, 1, 1)),  # noqa: DTZ001 - the mistake
        5,
    ],
)
async def test_a_useless_token_needs_an_operator(token: Any) -> None:
    class Mistaken(Clientele):
        def token(self, now: datetime) -> Any:
            del now
            return token

    connector = Mistaken(Settings.model_validate({"client_secret": "hush-hush"}))
    async with fetching() as fetcher:
        health = await ask(fetcher, connector)
    assert health.state == "needs action"


async def test_a_connector_whose_settings_are_enough_gets_no_token() -> None:
    class Optional(Clientele):
        asked = 0

        def token(self, now: datetime) -> None:  # type: ignore[override]  # no calls
            del now
            type(self).asked += 1

        def authorize(self, now: datetime, token: Token | None, call: Call) -> Mapping[str, str]:  # type: ignore[override]
            del now, call
            return {"authorization": f"Bearer static, {token}"}

    async with serving(Issuer()) as server, fetching() as fetcher:
        connector = Optional(
            Settings.model_validate({"api_url": server.url, "client_secret": "hush-hush"})
        )
        for _ in range(2):
            assert await get(connector, fetcher) == "Bearer static, None"
    assert Optional.asked == 1


async def test_a_token_without_an_expiry_lasts_until_refused() -> None:
    class Minting(Clientele):
        made = 0

        def token(self, now: datetime) -> Token:  # type: ignore[override]  # no calls
            del now
            type(self).made += 1
            return Token(f"t{self.made}-of-tests")

    issuer, clock = Issuer(), Clock()
    async with serving(issuer) as server, fetching(clock=clock.now, steady=clock.steady) as fetcher:
        connector = Minting(
            Settings.model_validate({"api_url": server.url, "client_secret": "hush-hush"})
        )
        await get(connector, fetcher)
        clock.passed = 1e6
        assert await get(connector, fetcher) == "Bearer t1-of-tests"
        issuer.revoked.add("t1-of-tests")
        assert await get(connector, fetcher) == "Bearer t2-of-tests"
