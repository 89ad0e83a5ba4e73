"""Live updates: Server-Sent Events with the conversations that changed."""

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from workspace.http.access import still_allowed
from workspace.http.context import scope_of, workspace_of
from workspace.http.responses import parse_number
from workspace.store import failures
from workspace.store.conversations import changed, counts
from workspace.store.reading import Scope, departed

#: Shorter than the usual idle timeout of proxies (60 s), so that a quiet stream stays open.
_KEEP_ALIVE_SECONDS = 20.0

#: The session has ended. Without this event, the page would notice only when it connects again.
_ENDED = b"event: ended\ndata: {}\n\n"


async def stream(request: web.Request) -> web.StreamResponse:
    """Stream changes after `since`, the revision that the page shows. On reconnect browsers send `Last-Event-ID`."""
    since = parse_number(request.headers.get("Last-Event-ID") or request.query.get("since", "0"))
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    await response.write(b"retry: 2000\n\n")
    try:
        await _send_changes(request, response, since)
    except ConnectionResetError:
        return response  # the page was closed
    return response


async def _send_changes(request: web.Request, response: web.StreamResponse, since: int) -> None:
    workspace, scope = workspace_of(request), scope_of(request)
    while True:
        # Read the count before the query, so that the wait below does not miss a change made during the query.
        seen = workspace.updates.count
        if workspace.updates.closed:
            return
        if not await still_allowed(request, "talk"):
            await response.write(_ENDED)
            return
        page = await workspace.database.read(partial(_changes, scope=scope, since=since))
        since = page["revision"]
        if page["conversations"] or page["gone"]:
            await response.write(_format_event(page))
        elif not await workspace.updates.wait(seen, _KEEP_ALIVE_SECONDS):
            await response.write(b": still here\n\n")


def _changes(db: sqlite3.Connection, scope: Scope, since: int) -> dict[str, Any]:
    """Return the next changes, up to `revision`: conversations, and those that the agent may no longer read."""
    found, up_to = changed(db, scope, since)
    return {
        "revision": up_to,
        "conversations": found,
        "gone": departed(db, scope, since, up_to),
        "counts": counts(db, scope),
        "undelivered": failures.unseen(db, scope.agent),
    }


def _format_event(page: Mapping[str, Any]) -> bytes:
    data = orjson.dumps(page)
    return b"event: conversations\nid: %d\ndata: %b\n\n" % (page["revision"], data)
