"""Pages of a brand that include the chat: on the chat's own site, or on another one, with their own policies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.test_utils import TestServer

_PAGE = """<!doctype html><html lang="en"><head><title>Shop</title></head>
<body><h1>Shop</h1><script src="http://localhost:{chat}/loader.js" data-site="{site}"></script></body></html>"""


@dataclass(frozen=True)
class HostPage:
    server: TestServer

    def origin(self, host: str) -> str:
        return f"http://{host}:{self.server.port}"

    def url(self, chat: int, *, host: str = "localhost", site: str = "shop", **headers: str) -> str:
        """The brand's page. Each further argument becomes a header of it: Permissions_Policy="camera=()"."""
        url = self.server.make_url("/").with_host(host)
        query = {"chat": str(chat), "site": site, **headers}
        return str(url.with_query(query))


@asynccontextmanager
async def run_host() -> AsyncIterator[HostPage]:
    app = web.Application()
    app.router.add_get("/", _serve)
    server = TestServer(app, host="0.0.0.0")
    await server.start_server()
    yield HostPage(server)
    await server.close()


async def _serve(request: web.Request) -> web.Response:
    query = dict(request.query)
    text = _PAGE.format(chat=query.pop("chat"), site=query.pop("site"))
    headers = {name.replace("_", "-"): value for name, value in query.items()}
    return web.Response(text=text, content_type="text/html", headers=headers)
