"""Agents' texts in the journal: accepted, and sent part by part. What becomes of each: `receipts.py`.

waiting  not tried yet, or refused for now
trying   given to the platform, no answer yet: after a crash nobody knows whether it arrived
sent, delivered, read, failed    told by the platform; unknown: nobody can tell
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from gateway.timestamps import now_ms, rfc3339


@dataclass(frozen=True, slots=True)
class NewText:
    """An agent's text as it was accepted. `id` is derived from the conversation and the idempotency key."""

    id: str
    conversation: str
    agent: str
    text: str
    parts: tuple[str, ...]
    reply_to: str | None


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether a text may go out now."""

    key: int
    connector: str
    heard_at: int | None
    closed: bool
    opted_out: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One part to send, with whom and where."""

    outgoing: int
    position: int
    id: str
    text: str
    state: str
    attempts: int
    due: int
    connector: str
    account: str
    consumer: str
    reply_to: str | None
    heard_at: int | None


def situation(connection: sqlite3.Connection, conversation: str) -> Situation | None:
    row = connection.execute(
        "SELECT key, connector, heard_at, closed, opted_out FROM conversation WHERE id = ?",
        (conversation,),
    ).fetchone()
    if row is None:
        return None
    key, connector, heard_at, closed, opted_out = row
    return Situation(key, connector, heard_at, bool(closed), bool(opted_out))


def find(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """An agent's text as the API shows it."""
    row = connection.execute(
        "SELECT o.key, o.id, c.id, o.agent, o.text, o.reply_to, o.accepted_at, o.status, o.reason "
        "FROM outgoing o JOIN conversation c ON c.key = o.conversation WHERE o.id = ?",
        (id,),
    ).fetchone()
    if row is None:
        return None
    key, id, conversation, agent, text, reply_to, accepted_at, status, reason = row
    ids = connection.execute(
        "SELECT platform_id FROM part WHERE outgoing = ? ORDER BY position", (key,)
    )
    return {
        "id": id,
        "conversation": {"id": conversation},
        "agent": agent,
        "text": text,
        "reply_to": reply_to,
        "accepted_at": rfc3339(accepted_at),
        "status": status,
        "reason": reason,
        "platform_ids": [platform_id for (platform_id,) in ids if platform_id],
    }


def accept(connection: sqlite3.Connection, new: NewText) -> bool:
    """Keep a text; False if it was accepted before (the same idempotency key)."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO outgoing (id, conversation, agent, text, reply_to, accepted_at, status) "
        "SELECT ?, key, ?, ?, ?, ?, 'accepted' FROM conversation WHERE id = ?",
        (new.id, new.agent, new.text, new.reply_to, now_ms(), new.conversation),
    )
    if cursor.rowcount == 0:
        return False
    connection.executemany(
        "INSERT INTO part (outgoing, position, text, state, due) VALUES (?, ?, ?, 'waiting', ?)",
        [(cursor.lastrowid, position, text, now_ms()) for position, text in enumerate(new.parts)],
    )
    return True


def open_parts(connection: sqlite3.Connection) -> list[Part]:
    """Parts that are not sent yet, in the order in which they must go out."""
    rows = connection.execute(
        "SELECT p.outgoing, p.position, o.id, p.text, p.state, p.attempts, p.due, c.connector, c.account, "
        "c.consumer, o.reply_to, c.heard_at FROM part p JOIN outgoing o ON o.key = p.outgoing "
        "JOIN conversation c ON c.key = o.conversation "
        "WHERE p.state IN ('waiting', 'trying') ORDER BY p.outgoing, p.position"
    )
    return [Part(*row) for row in rows]


def trying(connection: sqlite3.Connection, outgoing: int, position: int) -> bool:
    """A part is about to be given to the platform; False if it is not waiting any more."""
    cursor = connection.execute(
        "UPDATE part SET state = 'trying', attempts = attempts + 1 "
        "WHERE outgoing = ? AND position = ? AND state IN ('waiting', 'trying')",
        (outgoing, position),
    )
    return cursor.rowcount == 1


def is_open(connection: sqlite3.Connection, outgoing: int, position: int) -> bool:
    """Whether nobody knows yet what became of a part."""
    row = connection.execute(
        "SELECT 1 FROM part WHERE outgoing = ? AND position = ? AND state IN ('waiting', 'trying')",
        (outgoing, position),
    )
    return row.fetchone() is not None


def postpone(connection: sqlite3.Connection, outgoing: int, position: int, due: int) -> None:
    """The platform refused for now, and has not taken it."""
    connection.execute(
        "UPDATE part SET state = 'waiting', due = ? WHERE outgoing = ? AND position = ? AND state = 'trying'",
        (due, outgoing, position),
    )


def opt_out(connection: sqlite3.Connection, outgoing: int) -> None:
    """The consumer wants no more texts; a message of theirs ends that."""
    connection.execute(
        "UPDATE conversation SET opted_out = 1 WHERE key = (SELECT conversation FROM outgoing WHERE key = ?)",
        (outgoing,),
    )
