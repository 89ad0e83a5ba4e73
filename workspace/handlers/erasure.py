"""Erasure of a conversation: first at the gateway, then here. Only the audit log entry remains."""

import sqlite3
from functools import partial

from aiohttp import web

from workspace.gateway.client import GatewayError
from workspace.http.context import agent_of, workspace_of
from workspace.http.responses import error_response
from workspace.store import audit_log
from workspace.store.assignment import find_assignment
from workspace.store.erase import erase
from workspace.store.merge import effective_id
from workspace.timestamps import now


async def erase_conversation(request: web.Request) -> web.Response:
    """Erase a conversation, for example because the customer asked for it. Only supervisors may."""
    workspace, agent = workspace_of(request), agent_of(request)
    requested = request.match_info["conversation"]
    id = await workspace.database.read(partial(effective_id, id=requested))
    if await workspace.database.read(partial(find_assignment, conversation=id)) is None:
        raise web.HTTPNotFound
    try:
        await workspace.gateway.erase(id)
    except GatewayError as exc:
        return error_response(502, exc.detail)

    def change(db: sqlite3.Connection) -> None:
        erase(db, id)
        audit_log.record(db, now(), agent, "erased", conversation=id)

    await workspace.database.write(change)
    await workspace.database.scrub()
    workspace.links.invalidate()
    return web.Response(status=204)
