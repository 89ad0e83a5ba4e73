"""What the gateway asks the built-in workspace about persons: to erase conversations, and what it holds about them."""

import sqlite3
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from aiohttp import web

from workspace.http.context import WORKSPACE
from workspace.store.erase import erase
from workspace.timestamps import rfc3339

_AUDIT = """SELECT at, agent, did, conversation, attachment, detail FROM audit
    WHERE conversation = ? ORDER BY number"""


_FORGET = """UPDATE events SET body = NULL WHERE body IS NOT NULL
    AND json_extract(CAST(body AS TEXT), '$.subject') IS NULL AND instr(CAST(body AS BLOB), ?) > 0"""


async def erase_conversations(
    app: web.Application, conversations: Sequence[str], texts: Collection[bytes] = ()
) -> None:
    """Erase conversations that the gateway has erased, and events without a conversation that hold one of `texts`.

    Returns once nothing of them is readable on the disk.
    """
    workspace = app[WORKSPACE]

    def change(db: sqlite3.Connection) -> None:
        for conversation in conversations:
            erase(db, conversation)
        for text in texts:
            db.execute(_FORGET, (text,))

    await workspace.database.write(change)
    await workspace.database.scrub()
    workspace.links.invalidate()


async def describe_conversations(
    app: web.Application, conversations: Sequence[str]
) -> list[dict[str, Any]]:
    """Return what agents did in these conversations, as the audit log has it."""
    query = partial(_audit_of, conversations=conversations)
    return await app[WORKSPACE].database.read(query)


def _audit_of(db: sqlite3.Connection, conversations: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {**dict(row), "at": rfc3339(row["at"])}
        for conversation in conversations
        for row in db.execute(_AUDIT, (conversation,))
    ]
