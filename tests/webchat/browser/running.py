"""A web channel on a real port, with a gateway that takes everything, as a browser meets them."""

import asyncio
import base64
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer

from webchat import WebchatSettings, create_app
from webchat.http.context import CHAT
from webchat.settings import Limits, Site

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
TOKEN = "gateway-token"
IDENTITY_KEY = "an-identity-key-of-at-least-32-bytes"


@dataclass
class FakeGateway:
    """Keeps the events of all deliveries. `status` is answered to the next ones; `files` are served by grant."""

    events: list[dict[str, Any]] = field(default_factory=list)
    files: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    status: int = 200
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_post("/webhooks/web", self._take)
        app.router.add_post("/v1/consumer-links", self._link)
        app.router.add_get("/media/{grant}/{rendition}", self._serve)
        self.server = TestServer(app, host="localhost")

    def of(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.status == 200:
            self.events += body["events"]
        return web.Response(status=self.status)

    async def _link(self, request: web.Request) -> web.Response:
        asked = await request.json()
        path = f"/media/{asked['grant']}/{asked['rendition']}"
        return web.json_response(
            {"url": str(self.server.make_url(path)), "expires_at": "2030-01-01T00:00:00Z"}
        )

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        match = request.match_info
        media_type, content = self.files[match["grant"], match["rendition"]]
        return web.Response(body=content, content_type=media_type)


@dataclass
class RunningChat:
    """The web channel. `url` is its page for a site; hosts decide which site a browser thinks it is on."""

    gateway: FakeGateway
    server: TestServer
    port: int
    session: aiohttp.ClientSession

    def url(self, site: str = "shop", host: str = "localhost", **query: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"http://{host}:{self.port}/chat?site={site}{more}"

    def identity(self, subject: str, **claims: Any) -> str:
        """Return the JWT that the brand's back-end would make."""
        content = {"sub": subject, "aud": "shop", "exp": int(time.time()) + 600, **claims}
        return jwt.encode(content, IDENTITY_KEY, algorithm="HS256")

    async def event(self, type: str, count: int = 1) -> dict[str, Any]:
        """Wait until the gateway has received so many events of a type; return the last."""
        await until(lambda: len(self.gateway.of(type)) >= count)
        return self.gateway.of(type)[count - 1]

    async def drained(self) -> None:
        """Wait until pages that were closed have left and everything they sent has been delivered."""
        runner = self.server.runner
        assert runner is not None
        assert runner.server is not None
        # A request that is still being answered would write after the look at the outbox.
        server = runner.server
        await until(lambda: not server.connections)
        database = self.server.app[CHAT].database
        await until(lambda: database.read(_is_drained))

    async def platform(self, path: str, **content: Any) -> None:
        """Call as the gateway does."""
        url = f"http://localhost:{self.port}/platform/v1/{path}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.session.post(url, json=content, headers=headers) as response:
            assert response.status < 300, await response.text()

    async def outcome(self, event: dict[str, Any], state: str = "ready", **more: Any) -> None:
        """Report what became of the first file of a message."""
        content = {"to": event["consumer"]["id"], "message_id": event["id"]}
        await self.platform("outcomes", **content, position=0, state=state, **more)

    async def answer(
        self, event: dict[str, Any], text: str, key: str, site: str = "shop", **more: Any
    ) -> None:
        to = event["consumer"]["id"]
        await self.platform("messages", site=site, to=to, key=key, text=text, **more)


def _is_drained(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM outbox").fetchone() is None


async def until(true: Callable[[], Any] | Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(30):
        while True:
            found = true()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def run_chat(
    folder: Path, *origins: str, port: int | None = None, limits: Limits | None = None
) -> AsyncIterator[RunningChat]:
    gateway = FakeGateway()
    await gateway.server.start_server()
    port = port or free_port()
    site = Site(origins=origins, identity_keys=(IDENTITY_KEY,), limits=limits or Limits())
    settings = WebchatSettings(
        data=folder,
        public_url=f"http://localhost:{port}",
        deliver_to=str(gateway.server.make_url("/webhooks/web")),
        secrets=(SECRET,),
        access_tokens=(TOKEN,),
        sites={
            "shop": site,
            "kept": replace(site, remember="page"),
            "member": replace(site, anonymous=False),
            "asked": replace(site, uploads="after_reply", accept=("photo",)),
        },
    )
    server = TestServer(create_app(settings), host="localhost", port=port)
    await server.start_server()
    # Kept connections would look like pages that are still open.
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        try:
            yield RunningChat(gateway, server, port, session)
        finally:
            await server.close()
            await gateway.server.close()


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as taken:
        return int(taken.getsockname()[1])
