"""The web channel as an aiohttp application, on an origin of its own."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from webchat.delivery.gateway import GatewayClient
from webchat.delivery.lanes import Lanes
from webchat.delivery.signing import decode_secret
from webchat.files import Files
from webchat.handlers import (
    attachments,
    changes,
    me,
    messages,
    operations,
    originals,
    pages,
    platform,
    sessions,
    uploads,
)
from webchat.housekeeping import Housekeeping
from webchat.http import security_headers, static_files
from webchat.http.access import for_consumers, for_gateway
from webchat.http.context import CHAT, Chat
from webchat.metrics import Metrics
from webchat.settings import WebchatSettings
from webchat.signals import Signals
from webchat.store.database import Database
from webchat.timestamps import now_ms

_KEY_BYTES = 32


def create_app(settings: WebchatSettings, clock: Callable[[], int] = now_ms) -> web.Application:
    """Return the application. Raises ValueError if a setting cannot work."""
    app = web.Application(middlewares=[security_headers.errors_as_problems])
    app[CHAT] = _chat(settings, clock)
    app.on_response_prepare.append(security_headers.add_headers)
    app.cleanup_ctx.append(_start_and_stop)
    app.on_shutdown.append(_close_streams)
    app.add_routes(ROUTES)
    return app


def _chat(settings: WebchatSettings, clock: Callable[[], int]) -> Chat:
    if not settings.secrets or not settings.access_tokens or not settings.sites:
        raise ValueError("webchat needs at least one secret, one access token and one site")
    keys = [decode_secret(secret) for secret in settings.secrets]
    signals, metrics = Signals(clock), Metrics()

    def committed(changed: Collection[str], queued: Collection[str]) -> None:
        signals.announce(changed)
        lanes.wake(queued)

    database = Database(settings.data / "webchat.db", committed)
    gateway = GatewayClient(settings.deliver_to, keys, clock)
    lanes = Lanes(database, gateway, clock, metrics)
    return Chat(
        settings=settings,
        clock=clock,
        key=_key(settings.data),
        database=database,
        signals=signals,
        files=Files(settings.data / "uploads"),
        lanes=lanes,
        gateway=gateway,
        metrics=metrics,
    )


def _key(data: Path) -> bytes:
    """Return the installation's key for short-lived addresses and puzzles; make it at the first start."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data / "key"
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{path} is damaged; delete it, and a new one is made")
    return key


async def _start_and_stop(app: web.Application) -> AsyncIterator[None]:
    chat = app[CHAT]
    chat.files.open()
    chat.database.open()
    await chat.gateway.open()
    retention = round(chat.settings.retention * 1000)
    housekeeping = Housekeeping(chat.database, chat.files, retention, chat.clock)
    for work in (chat.lanes.run(), housekeeping.run()):
        chat.background_tasks.add(asyncio.create_task(work))
    yield
    for task in chat.background_tasks:
        task.cancel()
    await asyncio.gather(*chat.background_tasks, return_exceptions=True)
    await chat.gateway.close()
    await chat.database.close()


async def _close_streams(app: web.Application) -> None:
    app[CHAT].signals.close()


_UPLOAD = "/v1/uploads/{id:[0-9a-f]{32}}"

ROUTES = (
    web.get("/chat", pages.chat),
    web.get("/loader.js", pages.loader),
    web.get("/theme.css", pages.theme),
    web.get("/static/{name:.+}", static_files.serve),
    web.get("/healthz", operations.healthz),
    web.get("/metrics", operations.metrics),
    web.get("/openapi.json", operations.openapi),
    web.post("/v1/sessions", sessions.begin),
    web.delete("/v1/sessions", for_consumers(sessions.end)),
    web.post("/v1/codes", for_consumers(sessions.make_code)),
    web.post("/v1/uploads", for_consumers(uploads.create)),
    web.head(_UPLOAD, for_consumers(uploads.ask)),
    web.patch(_UPLOAD, for_consumers(uploads.append)),
    web.delete(_UPLOAD, for_consumers(uploads.cancel)),
    web.put("/v1/messages/{id:[0-9a-f]{32}}", for_consumers(messages.put)),
    web.get("/v1/history", for_consumers(messages.history)),
    web.get("/v1/changes", for_consumers(changes.changes), allow_head=False),
    web.post("/v1/receipts", for_consumers(messages.receipts)),
    web.post("/v1/typing", for_consumers(messages.typing)),
    web.get("/v1/attachments/{id}/{rendition}", for_consumers(attachments.show)),
    web.get("/v1/media/{id}/{rendition}", attachments.show_by_address),
    web.delete("/v1/me", for_consumers(me.erase)),
    web.get("/platform/v1/uploads/{file}", for_gateway(originals.look_up)),
    web.get("/platform/v1/files/{file}", originals.download),
    web.post("/platform/v1/messages", for_gateway(platform.send)),
    web.post("/platform/v1/read", for_gateway(platform.read)),
    web.post("/platform/v1/typing", for_gateway(platform.typing)),
    web.post("/platform/v1/outcomes", for_gateway(platform.outcome)),
    web.post("/platform/v1/closed", for_gateway(platform.closed)),
    web.delete("/platform/v1/consumers/{id}", for_gateway(platform.forget)),
    web.get("/platform/v1/account", for_gateway(platform.account)),
)
