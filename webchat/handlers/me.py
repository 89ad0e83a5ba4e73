"""`DELETE /v1/me`: a consumer erases what we hold; the gateway's core decides about its copy."""

from functools import partial

from aiohttp import web

from webchat.http.access import clear_cookie
from webchat.http.context import caller_of, chat_of
from webchat.store import consumers, outbox
from webchat.store.database import Connection
from webchat.store.erase import erase as erase_rows


async def erase(request: web.Request) -> web.Response:
    """Delete rows, files and sessions at once, and report the wish to the gateway."""
    chat = chat_of(request)
    change = partial(_erase, id=caller_of(request).consumer, now=chat.clock())
    await chat.files.delete(await chat.database.write(change))
    response = web.Response(status=202)
    clear_cookie(response)
    return response


def _erase(db: Connection, id: str, now: int) -> list[str]:
    consumer = consumers.get(db, id)
    files = erase_rows(db, consumer)
    outbox.add(db, consumer, "erasure", now, {})
    return files
