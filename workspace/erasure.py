"""Erasing a conversation: at the gateway first, then every word of it here. What remains is that it was done."""

import sqlite3
from functools import partial

from aiohttp import web

from workspace import audit
from workspace.answers import refusal
from workspace.assignment import standing_of
from workspace.keys import agent_of, workspace_of
from workspace.moments import now
from workspace.upstream import UpstreamTrouble

#: In an order that leaves no row pointing to one that is gone.
_STEPS = (
    "DELETE FROM words WHERE rowid IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM replies WHERE position IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM attachments WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM reactions WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM statuses WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM messages WHERE conversation = ?",
    "DELETE FROM assignments WHERE conversation = ?",
    "DELETE FROM marks WHERE conversation = ?",
    "UPDATE events SET body = NULL WHERE json_extract(CAST(body AS TEXT), '$.subject') = ?",
    "DELETE FROM conversations WHERE id = ?",
)


async def erase_conversation(request: web.Request) -> web.Response:
    """For supervisors, at a customer's wish."""
    workspace, agent = workspace_of(request), agent_of(request)
    id = request.match_info["conversation"]
    if await workspace.database.read(partial(standing_of, conversation=id)) is None:
        raise web.HTTPNotFound
    try:
        await workspace.upstream.erase(id)
    except UpstreamTrouble as trouble:
        return refusal(502, trouble.sentence)

    def change(db: sqlite3.Connection) -> None:
        erase(db, id)
        audit.note(db, now(), agent, "erased", conversation=id)

    await workspace.database.write(change)
    workspace.links.forget()
    return web.Response(status=204)


def erase(db: sqlite3.Connection, conversation: str) -> None:
    """Remove every word and name. Ids of events stay, so that a late repeat brings nothing back."""
    for step in _STEPS:
        db.execute(step, (conversation,))
    # The index keeps the letters of deleted rows until its parts are merged.
    db.execute("INSERT INTO words (words) VALUES ('optimize')")
