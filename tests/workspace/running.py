"""A workspace on a real port, with a fake gateway that delivers events to it."""

import base64
import hashlib
import hmac
import io
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
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
class RunningWorkspace:
    """A workspace as one browser sees it. `csrf` is the token of the browser's session after sign-in."""

    gateway: FakeGateway
    server: TestServer
    session: aiohttp.ClientSession
    mount: str
    database: Path
    csrf: str = ""

    def url(self, path: str) -> str:
        return str(self.server.make_url(self.mount + path))

    async def deliver(self, *events: dict[str, Any]) -> None:
        for event in events:
            body = orjson.dumps(event)
            async with self.post_event(body, sign(event["id"], body)) as response:
                assert response.status == 204, await response.text()

    def post_event(self, body: bytes | io.BytesIO, headers: dict[str, str]) -> Any:
        return self.session.post(self.url("events"), data=body, headers=headers)

    async def open_page(self) -> None:
        """Open the page. In the demo this signs in."""
        async with self.session.get(self.url("")) as response:
            assert response.status == 200
        self.csrf = (await self.get("api/me"))["csrf"]

    def new_browser(self) -> "RunningWorkspace":
        """Return the same workspace as another browser sees it. The caller closes its session."""
        other = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        return replace(self, session=other, csrf="")

    async def sign_in(self, name: str, password: str = "", **fields: str) -> aiohttp.ClientResponse:
        async with self.session.get(self.url("sign-in")) as response:
            form = await response.text()
        token = form.partition('name="csrf" value="')[2].partition('"')[0]
        content = {"name": name, "password": password, "csrf": token, **fields}
        address = self.url("sign-in")
        async with self.session.post(address, data=content, allow_redirects=False) as response:
            await response.read()
        if response.status == 303:
            self.csrf = (await self.get("api/me"))["csrf"]
        return response

    async def get(self, path: str) -> Any:
        async with self.session.get(self.url(path)) as response:
            assert response.status == 200, f"{path}: {response.status}"
            return await response.json()

    async def post(self, path: str, content: Any = None) -> Any:
        status, answer = await self.try_post(path, content)
        assert status < 300, f"{path}: {status} {answer}"
        return answer

    async def try_post(self, path: str, content: Any = None) -> tuple[int, Any]:
        headers = {"X-CSRF-Token": self.csrf}
        url = self.url(path)
        async with self.session.post(url, json=content or {}, headers=headers) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def status(self, path: str) -> int:
        async with self.session.get(self.url(path), allow_redirects=False) as response:
            return response.status

    async def open_conversation(self, conversation: str = "conv_mia") -> Any:
        return await self.post(f"api/conversations/{conversation}/opened")


def sign(
    id: str, body: bytes, *, key: bytes = KEY, at: float | None = None, id_signed: str | None = None
) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    signature = hmac.digest(key, f"{id_signed or id}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
        "Content-Type": "application/cloudevents+json",
    }


@asynccontextmanager
async def run_workspace(
    folder: Path, *, mount: str = "/workspace/", **settings: Any
) -> AsyncIterator[RunningWorkspace]:
    """Run a workspace. With `mount` "/" it runs alone, otherwise mounted in a main application."""
    gateway = FakeGateway()
    async with AsyncExitStack() as stack:
        await gateway.server.start_server()
        stack.push_async_callback(gateway.server.close)
        database = folder / "workspace.sqlite3"
        options = {
            "database": database,
            "gateway_url": gateway.url,
            "api_token": TOKEN,
            "secrets": (SECRET,),
            "media_origin": gateway.url,
            "demo": True,
            **settings,
        }
        app = create_app(WorkspaceSettings(**options))
        if mount != "/":
            main = web.Application()
            main.add_subapp(mount, app)
            app = main
        server = TestServer(app)
        await server.start_server()
        stack.push_async_callback(server.close)
        jar = aiohttp.CookieJar(unsafe=True)
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        running = RunningWorkspace(gateway, server, session, mount, database)
        if options["demo"]:
            await running.open_page()
        yield running
