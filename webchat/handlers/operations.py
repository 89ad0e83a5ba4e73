"""For operators: health and metrics."""

from functools import partial

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from webchat.http.bodies import json_response
from webchat.http.context import Chat, chat_of
from webchat.http.openapi import document
from webchat.store import outbox, uploads
from webchat.store.database import Connection


async def healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def openapi(request: web.Request) -> web.Response:
    return json_response(document(chat_of(request).settings.public_url))


async def metrics(request: web.Request) -> web.Response:
    """Return the metrics. They name no consumer."""
    chat = chat_of(request)
    await chat.database.read(partial(_refresh, chat=chat))
    return web.Response(body=chat.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _refresh(db: Connection, chat: Chat) -> None:
    number, since = outbox.waiting(db)
    chat.metrics.waiting.set(number)
    chat.metrics.waiting_seconds.set(0 if since is None else (chat.clock() - since) / 1000)
    chat.metrics.upload_bytes.set(uploads.reserved_bytes(db))
    chat.metrics.streams.set(chat.signals.listeners)
