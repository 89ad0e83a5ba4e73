"""Conversations in the journal: their messages, assigned agents, and views."""

from typing import Any

import orjson

from gateway.events.messages import ReceivedMessage

from .message_keys import messages_of
from .transaction import Transaction
from .views import IN_CONVERSATION, MESSAGE, message_view


def assign(connection: Transaction, id: str, agents: tuple[str, ...]) -> bool:
    """Set the assigned agents; False if the conversation is unknown."""
    cursor = connection.execute(
        "UPDATE conversation SET agents = ? WHERE id = ?", (orjson.dumps(agents).decode(), id)
    )
    return cursor.rowcount == 1


def agents_of(connection: Transaction, id: str) -> tuple[str, ...] | None:
    """Return the assigned agents; None if the conversation is unknown."""
    row = connection.execute("SELECT agents FROM conversation WHERE id = ?", (id,)).fetchone()
    return tuple(orjson.loads(row[0])) if row else None


def message(connection: Transaction, id: str) -> dict[str, Any] | None:
    """Return a message as events show it, with its conversation."""
    row = connection.execute(
        f"SELECT {MESSAGE}, c.id FROM message m {IN_CONVERSATION} WHERE m.id = ?",
        (id,),
    ).fetchone()
    return {"conversation": {"id": row[7]}, **message_view(connection, row[:7])} if row else None


def quotable(connection: Transaction, conversation: str, id: str) -> str | None:
    """Return the platform's id of a consumer's message or an agent's text in this conversation; None if unknown."""
    row = connection.execute(
        f"SELECT m.platform_id FROM message m {IN_CONVERSATION} WHERE m.id = ? AND c.id = ? "
        "UNION ALL SELECT p.platform_id FROM part p JOIN outgoing o ON o.key = p.outgoing "
        "JOIN conversation c ON c.key = o.conversation "
        "WHERE o.id = ? AND c.id = ? AND p.position = 0",
        (id, conversation, id, conversation),
    ).fetchone()
    return row[0] or None if row else None


def latest(connection: Transaction, id: str) -> tuple[str, str, str] | None:
    """Return account, consumer and platform id of the consumer's latest message; None if there is none."""
    row: tuple[str, str, str] | None = connection.execute(
        "SELECT c.account, c.consumer, m.platform_id FROM conversation c "
        "JOIN message m ON m.key = (c.key << 32 | c.sequence) WHERE c.id = ? AND m.platform_id != ''",
        (id,),
    ).fetchone()
    return row


def origin(connection: Transaction, id: str) -> tuple[str, str, str, str] | None:
    """Return connector, account, consumer and platform id of a message."""
    row = connection.execute(
        f"SELECT c.connector, c.account, c.consumer, m.platform_id FROM message m {IN_CONVERSATION} "
        "WHERE m.id = ?",
        (id,),
    ).fetchone()
    return row if row is None else (row[0], row[1], row[2], row[3])


def messages(
    connection: Transaction, id: str, after: int, limit: int
) -> list[ReceivedMessage] | None:
    """Return a conversation's messages with a sequence above `after`; None if the conversation is unknown."""
    row = connection.execute("SELECT key FROM conversation WHERE id = ?", (id,)).fetchone()
    if row is None:
        return None
    rows = connection.execute(
        f"SELECT {MESSAGE} FROM message m WHERE m.key BETWEEN ? AND ? ORDER BY m.key LIMIT ?",
        (*messages_of(row[0], after), limit),
    ).fetchall()
    return [message_view(connection, found) for found in rows]


def record_view(
    connection: Transaction,
    at: int,
    agent: str,
    attachment: str,
    rendition: str,
    conversation: str,
    part: str | None,
) -> None:
    """Record that an agent read a rendition; `part` is the requested byte range."""
    connection.execute(
        "INSERT INTO viewed (at, agent, attachment, rendition, conversation, bytes) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (at, agent, attachment, rendition, conversation, part),
    )
