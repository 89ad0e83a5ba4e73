"""A gateway that records what the web channel delivers, and answers as a test says."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_c2VjcmV0LW9mLXRoZS13ZWItY2hhbm5lbA=="


def is_signed(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the secret signed a request, at whatever time: tests set clocks forward."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    proof = Webhook(SECRET).sign(headers["webhook-id"], at, body.decode())
    return proof in headers["webhook-signature"].split()


class FakeGateway:
    """Takes deliveries whose signature is right. `answers` are the next statuses, instead of 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        #: Every request with a genuine signature, also those that were not taken.
        self.tried: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.links: list[dict[str, Any]] = []
        self.link_answer: tuple[int, dict[str, Any]] = (200, {"url": "https://gw.example/media/a"})
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/prefix/webhooks/support-web", self._take)
        app.router.add_post("/prefix/v1/consumer-links", self._link)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.port}/prefix/webhooks/support-web"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that were taken, in order, repeats included."""
        return [event for _, body in self.requests for event in json.loads(body)["events"]]

    async def event(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first event that matches, waiting for it."""
        async with asyncio.timeout(10):
            while True:
                for event in self.events:
                    if matches(event):
                        return event
                self._news.clear()
                await self._news.wait()

    async def of_type(self, type: str) -> dict[str, Any]:
        return await self.event(lambda event: event["type"] == type)

    async def attempts(self, number: int) -> None:
        """Wait for so many requests, taken or not."""
        async with asyncio.timeout(10):
            while len(self.tried) < number:
                self._news.clear()
                await self._news.wait()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert is_signed(headers, body)
        self.tried.append((headers, body))
        self._news.set()
        status = self.answers.pop(0) if self.answers else 200
        if status < 300:
            self.requests.append((headers, body))
        return web.Response(status=status, headers={"X-Request-Id": "req-of-the-gateway"})

    async def _link(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert is_signed({n.lower(): v for n, v in request.headers.items()}, body)
        self.links.append(json.loads(body))
        status, content = self.link_answer
        return web.json_response(content, status=status)
