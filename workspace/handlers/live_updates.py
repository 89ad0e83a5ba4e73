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
from workspace.store.database import revision
from workspace.store.presence import Seen
from workspace.store.reading import Scope, departed, is_readable
from workspace.timestamps import now

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
    shown: Seen = {}
    while True:
        # Read the count before the query, so that the wait below does not miss a change made during the query.
        seen = workspace.updates.count
        if workspace.updates.closed:
            return
        seen_agents = workspace.presence.of_others(scope.agent, now())
        query = partial(_changes, scope=scope, since=since, presence=seen_agents)
        page, presence, complete = await workspace.database.read(query)
        # After the query: what was written since the permission ended is not sent.
        if not await still_allowed(request, "talk"):
            await response.write(_ENDED)
            return
        since = page["revision"]
        if presence != shown:
            shown = presence
            await response.write(b"event: presence\ndata: %b\n\n" % orjson.dumps(presence))
        if page["conversations"] or page["gone"]:
            await response.write(_format_event(page))
        elif complete and not await workspace.updates.wait(seen, _KEEP_ALIVE_SECONDS):
            await response.write(b": still here\n\n")


def _changes(
    db: sqlite3.Connection, scope: Scope, since: int, presence: Seen
) -> tuple[dict[str, Any], Seen, bool]:
    """Return the next changes, up to `revision`: conversations, and those that the agent may no longer read.

    Beside it are the presence of other agents in conversations that the agent may read, and whether these are all.
    """
    found, up_to = changed(db, scope, since)
    changes = {
        "revision": up_to,
        "conversations": found,
        "gone": departed(db, scope, since, up_to),
        "counts": counts(db, scope),
        "undelivered": failures.unseen(db, scope.agent),
    }
    readable = {id: some for id, some in presence.items() if is_readable(db, scope, id)}
    return changes, readable, up_to == revision(db)


def _format_event(page: Mapping[str, Any]) -> bytes:
    data = orjson.dumps(page)
    return b"event: conversations\nid: %d\ndata: %b\n\n" % (page["revision"], data)
