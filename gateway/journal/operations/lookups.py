"""Look-ups for operators: what became of a message, who looked at what, and everything about a person."""

from typing import Any

from gateway.identifiers import parse_attachment_id
from gateway.journal.frames import unpack
from gateway.timestamps import rfc3339

from .agent_texts import find as find_text
from .message_keys import all_messages_of
from .taken import events_of_message
from .transaction import Transaction
from .views import IN_CONVERSATION, MESSAGE, message_view


def message_state(connection: Transaction, id: str) -> dict[str, Any] | None:
    """Return a message by our id with its conversation and events; None if it is unknown."""
    row = connection.execute(
        f"SELECT {MESSAGE}, c.id, c.connector, s.consumer FROM message m {IN_CONVERSATION} WHERE m.id = ?",
        (id,),
    ).fetchone()
    if row is None:
        return None
    conversation, connector, consumer = row[7:]
    if not consumer:
        return {"connector": connector, "message": None, "events": [], "erased": True}
    view = {"conversation": {"id": conversation}, **message_view(connection, row[:7])}
    events = events_of_message(connection, row[0])
    return {"connector": connector, "message": view, "events": events, "erased": False}


def text_by_platform_id(connection: Transaction, platform_id: str) -> dict[str, Any] | None:
    """Return the agent's text of which the platform made this message; None if there is none."""
    row = connection.execute(
        "SELECT o.id, c.connector FROM part p JOIN outgoing o ON o.key = p.outgoing "
        "JOIN conversation c ON c.key = o.conversation WHERE p.platform_id = ?",
        (platform_id,),
    ).fetchone()
    if row is None:
        return None
    return {"connector": row[1], "message": find_text(connection, row[0])}


def unreadable_with(connection: Transaction, text: str) -> list[dict[str, Any]]:
    """Return the deliveries that could not be parsed and hold a text."""
    rows = connection.execute("SELECT id, connector, received_at, delivery FROM unreadable")
    return [
        {
            "id": f"delivery_{id}",
            "connector": connector,
            "at": rfc3339(received_at),
            "request_id": one.request_id or None,
        }
        for id, connector, received_at, delivery in rows
        for one in unpack(delivery)
        if text.encode() in one.body
    ]


def views(
    connection: Transaction,
    *,
    conversation: str | None,
    agent: str | None,
    since: int,
    before: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return who looked at what since `since` (ms), the latest first, before the view with the number `before`."""
    wanted, values = ["at >= ?"], [since]
    more: list[Any] = []
    for column, value in (("conversation", conversation), ("agent", agent)):
        if value is not None:
            wanted.append(f"{column} = ?")
            more.append(value)
    if before is not None:
        wanted.append("key < ?")
        more.append(before)
    rows = connection.execute(
        "SELECT key, at, agent, attachment, rendition, conversation, bytes FROM viewed "
        f"WHERE {' AND '.join(wanted)} ORDER BY key DESC LIMIT ?",
        (*values, *more, limit),
    )
    return [_view(connection, *row) for row in rows.fetchall()]


def _view(
    connection: Transaction,
    key: int,
    at: int,
    agent: str,
    attachment: str,
    rendition: str,
    conversation: str,
    part: str | None,
) -> dict[str, Any]:
    return {
        "number": key,
        "at": rfc3339(at),
        "agent": agent,
        "attachment": attachment,
        "kind": _kind(connection, attachment),
        "rendition": rendition,
        "conversation": conversation,
        "part": part,
    }


def _kind(connection: Transaction, attachment: str) -> str | None:
    """Return the kind of an attachment; None if it was erased."""
    parsed = parse_attachment_id(attachment)
    row = connection.execute(
        "SELECT a.kind FROM attachment a JOIN message m ON m.key = a.message WHERE m.id = ? AND a.position = ?",
        parsed or ("", 0),
    ).fetchone()
    return str(row[0]) if row else None


def texts_of(connection: Transaction, conversation: str) -> list[dict[str, Any]]:
    """Return the agents' texts of a conversation, in order."""
    rows = connection.execute(
        "SELECT o.id FROM outgoing o JOIN conversation c ON c.key = o.conversation "
        "WHERE c.id = ? ORDER BY o.key",
        (conversation,),
    ).fetchall()
    found = [find_text(connection, id) for (id,) in rows]
    return [text for text in found if text is not None]


def facts_of(connection: Transaction, conversation: str) -> list[bytes]:
    """Return the events of a conversation that are not about messages and are still kept, in order."""
    rows = connection.execute(
        "SELECT t.key, t.body FROM taken t JOIN conversation c ON c.key = t.conversation "
        "WHERE c.id = ? AND t.body IS NOT NULL ORDER BY t.key",
        (conversation,),
    ).fetchall()
    return [bytes(body) for _, body in rows]


def messages_of(
    connection: Transaction, conversation: str, after: int, limit: int
) -> list[tuple[int, dict[str, Any]]]:
    """Return the messages of a conversation with a key above `after`, echoes too, each with its key."""
    row = connection.execute(
        "SELECT key FROM conversation WHERE id = ?", (conversation,)
    ).fetchone()
    if row is None:
        return []
    rows = connection.execute(
        f"SELECT {MESSAGE} FROM message m WHERE m.key BETWEEN ? AND ? AND m.key > ? ORDER BY m.key LIMIT ?",
        (*all_messages_of(row[0]), after, limit),
    ).fetchall()
    return [(found[0], message_view(connection, found)) for found in rows]
