"""A conversation core for tests: proves what it gets, keeps it in order, and fails when it is told to."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

#: How far a timestamp may be from our clock (seconds), as the Standard Webhooks specification suggests.
_TOLERANCE = 300


class BadSignature(Exception):
    """A delivery that does not prove where it comes from."""


def verify(secret: str, headers: Any, body: bytes, now: float) -> None:
    """Check a delivery by the Standard Webhooks specification; raises BadSignature."""
    id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(now - int(stamp)) > _TOLERANCE:
        raise BadSignature("webhook-timestamp is missing or too far from now")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    for candidate in headers.get("webhook-signature", "").split():
        version, _, encoded = candidate.partition(",")
        if version == "v1" and hmac.compare_digest(base64.b64encode(wanted).decode(), encoded):
            return
    raise BadSignature("no webhook-signature fits")


@dataclass(frozen=True, slots=True)
class Received:
    """One event as it came; `at` is when, by a steady clock."""

    at: float
    event: dict[str, Any]


#: Decides about each event before it is kept: a status other than 2xx refuses it, 0 cuts the connection.
Judge = Callable[[dict[str, Any]], int]


def _accept(event: dict[str, Any]) -> int:
    del event
    return 204


class Core:
    """Takes events over HTTP. `taken` holds what it answered 2xx to, `refused` counts the rest."""

    def __init__(self, secret: str, judge: Judge | None = None) -> None:
        self.taken: list[Received] = []
        self.refused = 0
        self.bad_signatures = 0
        self.headers_of_refusal: dict[str, str] = {}
        self.delay = 0.0
        self.judge: Judge = judge or _accept
        self._arrived = asyncio.Event()
        self._secret = secret
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/events", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}/events"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [received.event for received in self.taken]

    async def until(
        self, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 30.0
    ) -> list[dict[str, Any]]:
        """Wait for a condition on the events; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not enough(self.events):
                self._arrived.clear()
                await self._arrived.wait()
        return self.events

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            verify(self._secret, request.headers, body, time.time())
        except BadSignature:
            self.bad_signatures += 1
            return web.Response(status=401)
        event = json.loads(body)
        if event["id"] != request.headers["webhook-id"]:
            self.bad_signatures += 1
            return web.Response(status=400)
        if self.delay:
            await asyncio.sleep(self.delay)
        return self._judged(request, event)

    def _judged(self, request: web.Request, event: dict[str, Any]) -> web.Response:
        status = self.judge(event)
        if 200 <= status < 300:
            self.taken.append(Received(time.monotonic(), event))
            self._arrived.set()
            return web.Response(status=status)
        self.refused += 1
        if status == 0:
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=500)
        return web.Response(status=status, headers=self.headers_of_refusal)
