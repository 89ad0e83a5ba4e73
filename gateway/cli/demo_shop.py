"""The brand's page of `airlock demo`, with the web channel's chat in it."""

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from aiohttp import web

#: The name of the connector, which is the end of its webhook.
CONNECTOR = "shop-chat"
#: Visitors of a demo are all on one network.
_LIMITS = {
    "sessions_per_hour": 10_000,
    "network_bytes_per_day": "10GB",
    "anonymous": {"at_once": 3, "per_hour": 1000, "bytes_per_day": "10GB"},
}


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True)
class Shop:
    """A brand's page and its chat, each on a port of this machine; the gateway listens on the port `gateway`."""

    page_port: int
    chat_port: int
    gateway: int
    secret: str = field(default_factory=_secret, repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.page_port}"

    @property
    def chat(self) -> str:
        return f"http://127.0.0.1:{self.chat_port}"

    def webchat(self) -> dict[str, Any]:
        """Return the section `webchat` of the demo's settings."""
        return {
            "listen": f"127.0.0.1:{self.chat_port}",
            "public_url": self.chat,
            "deliver_to": f"http://127.0.0.1:{self.gateway}/webhooks/{CONNECTOR}",
            "secrets": [self.secret],
            "access_tokens": [self.token],
            "sites": {
                "shop": {
                    "origins": [self.page, f"http://localhost:{self.page_port}"],
                    "limits": _LIMITS,
                }
            },
        }

    def connector(self) -> dict[str, Any]:
        """Return the section of the connector."""
        return {
            "type": "web",
            "api_url": self.chat,
            "secrets": [self.secret],
            "access_token": self.token,
        }

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        """Serve the brand's page."""
        text = files("gateway.cli").joinpath("demo_shop.html").read_text("utf-8")
        page = text.replace("{chat}", self.chat)

        async def show(_request: web.Request) -> web.Response:
            return web.Response(text=page, content_type="text/html")

        app = web.Application()
        app.router.add_get("/", show)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.page_port).start()
            yield
        finally:
            await runner.cleanup()
