"""A platform that issues tokens and is informed of everything, through a whole gateway."""

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import orjson

from connectors import (
    Call,
    Capabilities,
    Outcome,
    Reply,
    Request,
    Response,
    Token,
    matches_any,
    oauth_token,
    offers,
)
from tests.gateway.fetching_fakes import ReceivedRequest, Server, http_response, serving
from tests.gateway.notes import Notes, NotesConfig
from tests.gateway.test_gateway import House, house, photo, with_photo

Calls = Generator[Call, Reply, None]


class Informed(Notes):
    capabilities = Capabilities(
        offers(yes=("text", "photo", "outcome", "forget", "send_close", "send_text")), max_text=100
    )

    def handshake(self, request: Request) -> Response | None:
        try:
            content = orjson.loads(request.body or b"null")
        except ValueError:
            return None
        if not (
            isinstance(content, dict)
            and matches_any([self.config.password], str(content.get("word")))
        ):
            return None
        return Response(body=str(content.get("challenge")).encode())

    def token(self, now: datetime) -> Generator[Call, Reply, Token]:
        reply = yield Call("POST", f"{self.config.api}/token", form={"secret": "s"})
        token = oauth_token(reply, now)
        if token is None:
            raise self.refusal(reply)
        return token

    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:
        return {"authorization": f"Bearer {token.value}"}

    def tell_outcome(self, out: Outcome) -> Calls:
        content = {"message": out.message_id, "state": out.state, "shown": out.renditions}
        yield Call("POST", f"{self.config.api}/outcomes", json=content)

    def forget(self, account: str, to: str) -> Calls:
        yield Call("DELETE", f"{self.config.api}/people/{to}")

    def tell_closed(self, account: str, to: str) -> Calls:
        yield Call("POST", f"{self.config.api}/closed/{to}")


async def answers(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
    """Issue a token, and refuse every call without it."""
    if received.target == "/token":
        writer.write(http_response(body=b'{"access_token": "issued", "expires_in": 900}'))
        return
    is_known = received.headers.get("authorization") == "Bearer issued"
    writer.write(http_response(200 if is_known else 401, b"{}"))


@asynccontextmanager
async def informed(folder: Path) -> AsyncIterator[tuple[House, Server]]:
    async with serving(answers) as server:
        connector = Informed(NotesConfig.model_validate({"type": "notes", "api_url": server.url}))
        async with house(folder, connector=connector) as home:
            yield home, server


async def until_called(server: Server, method: str, target: str) -> ReceivedRequest:
    async with asyncio.timeout(20):
        while True:
            for one in server.requests:
                if (one.method, one.target) == (method, target):
                    return one
            await asyncio.sleep(0.02)


async def test_a_platform_is_informed_with_one_token(tmp_path: Path) -> None:
    async with informed(tmp_path) as (home, server):
        home.files["1"] = photo()
        assert (await home.send(with_photo(home))).status == 200
        outcome = orjson.loads((await until_called(server, "POST", "/outcomes")).body)
        assert outcome["message"] == "1"
        assert outcome["state"] == "ready"
        assert set(outcome["shown"]) >= {"preview", "thumbnail"}
        _, listed = await home.call("GET", "/v1/conversations")
        (conversation,) = listed["conversations"]
        path = f"/v1/conversations/{conversation['id']}"
        status, closed = await home.call("POST", f"{path}/close")
        assert status == 200
        informs = closed.pop("told")  # allow-word
        assert informs is True
        assert closed == {"conversation": conversation["id"], "state": "closed"}
        await until_called(server, "POST", "/closed/ann")
        assert (await home.call("GET", path))[1]["state"] == "closed"
        assert (await home.call("DELETE", path))[0] == 204
        await until_called(server, "DELETE", "/people/ann")
        assert (await home.call("POST", f"{path}/close"))[0] == 404
        assert sum(one.target == "/token" for one in server.requests) == 1


async def test_a_handshake_by_post_leaves_no_event(tmp_path: Path) -> None:
    async with informed(tmp_path) as (home, _):
        url = f"{home.gateway.url}/webhooks/desk"
        asked = orjson.dumps({"word": "open sesame", "challenge": "echo-me"})
        async with home.http.post(url, data=asked) as answer:
            assert (answer.status, await answer.read()) == (200, b"echo-me")
        async with home.http.post(url, data=asked.replace(b"sesame", b"pepper!")) as answer:
            assert answer.status == 401
        assert await home.gateway.backlog() == 0
        assert (await home.call("GET", "/v1/conversations"))[1]["conversations"] == []
