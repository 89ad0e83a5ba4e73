"""What stands before the nodes: a balancer that asks another node when one does not answer or refuses."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp
from aiohttp import web

from tests.system.running import TOKEN

#: Seconds that one node may take, as `proxy_read_timeout` of nginx.
_PATIENCE = 5.0


class Front:
    """Passes each request to a random node, and to the next one if that fails (`proxy_next_upstream`)."""

    def __init__(self, urls: Callable[[], Sequence[str]], dice: random.Random) -> None:
        self._urls = urls
        self._dice = dice
        self._http: aiohttp.ClientSession
        self._runner: web.AppRunner
        self.url = ""

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_PATIENCE), auto_decompress=False
        )
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._http.close()

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Make a call of the API."""
        headers = {"authorization": f"Bearer {TOKEN}", **(headers or {})}
        async with self._http.request(
            method, self.url + path, json=body, headers=headers
        ) as response:
            return response.status, await response.json(content_type=None)

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        urls = list(self._urls())
        self._dice.shuffle(urls)
        answer = web.Response(status=502)
        for url in urls:
            try:
                answer = await self._ask(url, request, body)
            except (TimeoutError, aiohttp.ClientError):
                continue
            if answer.status < 500:
                break
        return answer

    async def _ask(self, url: str, request: web.Request, body: bytes) -> web.Response:
        kept = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"host", "content-length", "transfer-encoding"}
        }
        async with self._http.request(
            request.method, url + request.path_qs, data=body, headers=kept, allow_redirects=False
        ) as response:
            content = response.headers.get("content-type", "")
            return web.Response(
                status=response.status,
                body=await response.read(),
                headers={"content-type": content} if content else {},
            )
