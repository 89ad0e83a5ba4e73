"""Live updates: Server-Sent Events with the conversations that changed."""

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from workspace.http.access import still_allowed
from workspace.http.context import agent_of, workspace_of
from workspace.http.responses import parse_number
from workspace.store import failures
from workspace.store.conversations import changed

#: Shorter than the usual idle timeout of proxies (60 s), so that a quiet stream stays open.
_KEEP_ALIVE_SECONDS = 20.0


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
    workspace, agent = workspace_of(request), agent_of(request)
    while True:
        # Read the count before the query, so that the wait below does not miss a change made during the query.
        seen = workspace.updates.count
        if workspace.updates.closed or not await still_allowed(request, "talk"):
            return
        page = await workspace.database.read(partial(_changes, agent=agent, since=since))
        if page is not None:
            since = page["revision"]
            await response.write(_format_event(page))
        elif not await workspace.updates.wait(seen, _KEEP_ALIVE_SECONDS):
            await response.write(b": still here\n\n")


def _changes(db: sqlite3.Connection, agent: str, since: int) -> dict[str, Any] | None:
    found = changed(db, agent, since)
    if not found:
        return None
    undelivered = failures.unseen(db, agent)
    return {
        "revision": found[-1]["revision"],
        "conversations": found,
        "undelivered": undelivered,
    }


def _format_event(page: Mapping[str, Any]) -> bytes:
    data = orjson.dumps(page)
    return b"event: conversations\nid: %d\ndata: %b\n\n" % (page["revision"], data)
