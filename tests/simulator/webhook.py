"""A webhook that records deliveries, and a set-up of an emulated platform with such a webhook."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
from aiohttp import web
from multidict import CIMultiDictProxy

from simulator import Consumer, Platform

MIA = Consumer("15550001111", "Mia")
BEN = Consumer("15550003333", "Ben")

P = TypeVar("P", bound=Platform)


@dataclass
class Arrived:
    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def content(self) -> Any:
        inflated = gzip.decompress(self.body) if self.body[:2] == b"\x1f\x8b" else self.body
        return json.loads(inflated)


@dataclass
class Webhook:
    """A webhook that gives each of `answers` (status, body, content type) once, then empty answers with 200."""

    url: str = ""
    arrived: list[Arrived] = field(default_factory=list)
    answers: list[tuple[int, bytes, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        # Keep the raw bytes: aiohttp would decompress a body with a content encoding.
        body = await request.read()
        self.arrived.append(Arrived(request.method, request.raw_path, request.headers, body))
        if not self.answers:
            return web.Response()
        status, answer, type = self.answers.pop(0)
        return web.Response(status=status, body=answer, content_type=type)


@dataclass
class Stage(Generic[P]):
    platform: P
    webhook: Webhook
    http: httpx.AsyncClient


@asynccontextmanager
async def staged(kind: type[P]) -> AsyncIterator[Stage[P]]:
    webhook = Webhook()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", webhook.take)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    webhook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/one"
    platform = kind(webhook.url)
    await platform.start()
    try:
        async with httpx.AsyncClient(verify=False) as http:
            yield Stage(platform, webhook, http)
    finally:
        await platform.close()
        await runner.cleanup()
