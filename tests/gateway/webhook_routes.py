"""The gateway's HTTP routes, with a journal that only keeps what it accepted."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from connectors import Connector
from gateway.http.routes import application
from gateway.http.tokens import ApiTokens
from gateway.inbound.capacity import CapacityGate
from gateway.inbound.webhooks import Webhooks
from gateway.intake_priority import IntakePriority

PUBLIC = "https://chat.example.com"


@asynccontextmanager
async def webhook_routes(
    folder: Path, connectors: Mapping[str, Connector[Any]]
) -> AsyncIterator[tuple[TestClient[Any, Any], list[Any]]]:
    """Yield a client of the routes, and the list of what was accepted."""
    accepted: list[Any] = []

    async def append(delivery: Any) -> None:
        accepted.append(delivery)

    journal: Any = SimpleNamespace(append=append)
    capacity = CapacityGate(folder, backlog=int, unread=int, to_come=int)
    webhooks = Webhooks(journal, connectors, PUBLIC, capacity, IntakePriority())
    nothing: Any = SimpleNamespace(routes=list, get=list, make=list)
    pages = web.Application()
    app = application(
        webhooks,
        nothing,
        nothing,
        nothing,
        nothing,
        tokens=ApiTokens(),
        probes={},
        refresh_gauges=nothing,
        public_url=PUBLIC,
        trusted_proxies=0,
        workspace=pages,
    )
    async with TestClient(TestServer(app)) as client:
        yield client, accepted
