"""The audit log, for supervisors."""

from functools import partial

from aiohttp import web

from workspace.http.context import workspace_of
from workspace.http.responses import json_response, parse_number
from workspace.store.audit_log import list_entries


async def list_audit(request: web.Request) -> web.Response:
    """Return a page of entries, latest first.

    `before` is an entry number, `agent` limits the entries to one agent, `views=only` leaves out everything but views
    of media, `glimpses=too` includes thumbnails and posters.
    """
    query = partial(
        list_entries,
        before=parse_number(request.query.get("before", str(1 << 50))),
        agent=request.query.get("agent", ""),
        views=request.query.get("views") == "only",
        glimpses=request.query.get("glimpses") == "too",
    )
    found, agents = await workspace_of(request).database.read(query)
    return json_response({"entries": found, "agents": agents})
