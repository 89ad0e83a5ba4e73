"""A running web channel, and clients of it: a consumer's app, and the gateway."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from webchat import Limits, Site, WebchatSettings, create_app
from webchat.http.context import CHAT, Chat
from webchat.store import outbox

from .gateway import SECRET, FakeGateway

ACCESS_TOKEN = "a-token-of-the-gateway"
ORIGIN = "http://chat.test"
#: Enough for a test that makes more sessions than one network usually does.
GENEROUS = Limits(sessions_an_hour_for_address=1000)
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40


def new_id() -> str:
    return secrets.token_hex(16)


class Clock:
    """A clock in milliseconds that runs, and that tests can set forward or stop."""

    def __init__(self) -> None:
        self._begin = 1_800_000_000_000 - round(time.monotonic() * 1000)
        self._stopped_at: int | None = None

    def __call__(self) -> int:
        if self._stopped_at is not None:
            return self._stopped_at
        return self._begin + round(time.monotonic() * 1000)

    def forward(self, seconds: float) -> None:
        self._begin += round(seconds * 1000)

    def stop(self) -> None:
        self._stopped_at = self()


class Server:
    """A web channel in this process."""

    def __init__(
        self, url: str, chat: Chat, gateway: FakeGateway, http: aiohttp.ClientSession
    ) -> None:
        self.url, self.chat, self.gateway, self.http = url, chat, gateway, http

    @classmethod
    def remote(cls, url: str, http: aiohttp.ClientSession) -> "Server":
        """Return a web channel in another process, whose parts cannot be reached."""
        nothing: Any = None
        return cls(url, nothing, nothing, http)

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Any = None,
    ) -> "Answer":
        named = dict(headers or {})
        if token is not None:
            named["Authorization"] = f"Bearer {token}"
        async with self.http.request(
            method, self.url + path, headers=named, json=json, data=data, allow_redirects=False
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def platform(self, method: str, path: str, content: Any = None) -> "Answer":
        """Call as the gateway does."""
        return await self.call(method, f"/platform/v1{path}", token=ACCESS_TOKEN, json=content)

    async def consumer(self, site: str = "shop", **more: Any) -> "Consumer":
        """Begin a session as an app does."""
        answer = await self.call(
            "POST", "/v1/sessions", json={"site": site, "kind": "app", "carry": "header", **more}
        )
        assert answer.status == 201, answer.body
        return Consumer(self, answer.json)

    async def settled(self) -> None:
        """Wait until the gateway has everything."""
        async with asyncio.timeout(10):
            while (await self.chat.database.read(outbox.waiting))[0]:
                await asyncio.sleep(0.005)

    async def agent_writes(self, to: "Consumer", text: str = "Good morning") -> str:
        key = f"msg_{secrets.token_hex(8)}"
        content = {"site": to.site, "to": to.id, "key": key, "text": text}
        assert (await self.platform("POST", "/messages", content)).status == 200
        return key


class Answer:
    """A response."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a refusal."""
        assert self.headers["Content-Type"].startswith("application/problem+json")
        return str(self.json["code"])


class Consumer:
    """A consumer with a session."""

    def __init__(self, server: Server, session: dict[str, Any], site: str = "shop") -> None:
        self.server, self.session, self.site = server, session, site
        self.id: str = session["consumer"]["id"]
        self.token: str = session["token"]

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        return await self.server.call(method, f"/v1{path}", token=self.token, **more)

    async def write(self, text: str | None = "Hello", id: str | None = None, **more: Any) -> Answer:
        return await self.call("PUT", f"/messages/{id or new_id()}", json={"text": text, **more})

    async def create(self, length: int, id: str | None = None, **headers: str) -> Answer:
        named = {
            "Upload-Length": str(length),
            "Upload-Complete": "?0",
            "Idempotency-Key": id or new_id(),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await self.call("POST", "/uploads", headers=named)

    async def append(self, id: str, offset: int, data: Any, *, last: bool) -> Answer:
        headers = {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": str(offset),
            "Upload-Complete": "?1" if last else "?0",
        }
        return await self.call("PATCH", f"/uploads/{id}", headers=headers, data=data)

    async def offset(self, id: str) -> int:
        """Return how many bytes of an upload the server has."""
        asked = await self.call("HEAD", f"/uploads/{id}")
        assert (asked.status, asked.headers["Upload-Complete"]) == (204, "?0")
        return int(asked.headers["Upload-Offset"])

    async def upload(self, content: bytes = JPEG, part: int = 1_000_000, **headers: str) -> str:
        """Upload a file in parts and return the client's id."""
        id = new_id()
        created = await self.create(len(content), id, **headers)
        assert created.status == 201, created.body
        for at in range(0, len(content), part):
            last = at + part >= len(content)
            answer = await self.append(id, at, content[at : at + part], last=last)
            assert answer.status == 204, answer.body
        return id

    async def history(self) -> Any:
        return (await self.call("GET", "/history")).json

    async def messages(self) -> list[dict[str, Any]]:
        """Return all messages, the oldest first."""
        return list(reversed((await self.history())["messages"]))

    async def changes(self, since: int = 0, wait: int = 0) -> Any:
        return (await self.call("GET", f"/changes?since={since}&wait={wait}")).json


def settings(data: Path, gateway: FakeGateway, **more: Any) -> WebchatSettings:
    fields: dict[str, Any] = {
        "public_url": ORIGIN,
        "secrets": (SECRET,),
        "access_tokens": ("an-older-token", ACCESS_TOKEN),
        "sites": {"shop": Site(origins=("https://shop.example",), limits=GENEROUS)},
        **more,
    }
    return WebchatSettings(data=data, deliver_to=gateway.webhook, **fields)


@asynccontextmanager
async def running(
    data: Path, gateway: FakeGateway, clock: Clock | None = None, **more: Any
) -> AsyncIterator[Server]:
    """Run a web channel; `more` are settings."""
    app = create_app(settings(data, gateway, **more), clock or Clock())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar) as http:
            yield Server(url, app[CHAT], gateway, http)
    finally:
        await runner.cleanup()
