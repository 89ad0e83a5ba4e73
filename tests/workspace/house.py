"""A workspace on a real port, with a fake gateway that delivers to it."""

import base64
import hashlib
import hmac
import io
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.workspace.fake_gateway import TOKEN, FakeGateway
from workspace import WorkspaceSettings, create_app

KEY = b"0123456789abcdef01234567"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class House:
    gateway: FakeGateway
    server: TestServer
    session: aiohttp.ClientSession
    mount: str
    database: Path

    def url(self, path: str) -> str:
        return str(self.server.make_url(self.mount + path))

    async def deliver(self, *events: dict[str, Any]) -> None:
        for event in events:
            body = orjson.dumps(event)
            async with self.post_event(body, signed(event["id"], body)) as response:
                assert response.status == 204, await response.text()

    def post_event(self, body: bytes | io.BytesIO, headers: dict[str, str]) -> Any:
        return self.session.post(self.url("events"), data=body, headers=headers)

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url(path)) as response:
            assert response.status == 200, f"{path}: {response.status}"
            return await response.json()

    async def post(self, path: str, content: Any = None) -> Any:
        async with self.session.post(self.url(path), json=content or {}) as response:
            assert response.status < 300, f"{path}: {response.status} {await response.text()}"
            return await response.json() if response.status != 204 else None

    async def opened(self, conversation: str = "conv_mia") -> Any:
        return await self.post(f"api/conversations/{conversation}/opened")


def signed(
    id: str, body: bytes, *, key: bytes = KEY, at: float | None = None, id_signed: str | None = None
) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    proof = hmac.digest(key, f"{id_signed or id}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(proof).decode(),
        "Content-Type": "application/cloudevents+json",
    }


@asynccontextmanager
async def house(folder: Path, *, mount: str = "/workspace/", **settings: Any) -> AsyncIterator[House]:
    """`mount` "/" runs the workspace alone, anything else below a main application."""
    gateway = FakeGateway()
    async with AsyncExitStack() as stack:
        await gateway.server.start_server()
        stack.push_async_callback(gateway.server.close)
        database = folder / "workspace.sqlite3"
        chosen = {
            "database": database,
            "gateway_url": gateway.url,
            "api_token": TOKEN,
            "secrets": (SECRET,),
            "media_origin": gateway.url,
            "demo": True,
            **settings,
        }
        app = create_app(WorkspaceSettings(**chosen))
        if mount != "/":
            main = web.Application()
            main.add_subapp(mount, app)
            app = main
        server = TestServer(app)
        await server.start_server()
        stack.push_async_callback(server.close)
        jar = aiohttp.CookieJar(unsafe=True)
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        yield House(gateway, server, session, mount, database)
