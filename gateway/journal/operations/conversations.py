"""Conversations in the journal: their messages, assigned agents, and views."""

from typing import Any

import orjson

from gateway.events.types import ConversationSummary
from gateway.identifiers import Identifiers
from gateway.journal.records import Informed, Recorded, Unnamed
from gateway.timestamps import now_ms, rfc3339

from .announcer import Announcer
from .consumer_ids import of_consumer
from .message_keys import messages_of
from .outbox import Outbox
from .reports import add, withdraw_closing
from .transaction import Transaction
from .views import (
    CONVERSATION,
    CONVERSATION_COLUMNS,
    EFFECTIVE,
    IN_CONVERSATION,
    MESSAGE,
    OWN_CONVERSATION,
    conversation_of,
    message_view,
)

#: `closed` of a conversation that the core closed. 1 means that the consumer did, or the core of an earlier version.
CLOSED_BY_THE_CORE = 2


def assign(connection: Transaction, id: str, agents: tuple[str, ...]) -> bool:
    """Set the assigned agents; False if the conversation is unknown."""
    cursor = connection.execute(
        "UPDATE conversation SET agents = ? "
        f"WHERE key = (SELECT c.key FROM conversation s {EFFECTIVE} WHERE s.id = ?)",
        (orjson.dumps(agents).decode(), id),
    )
    return cursor.rowcount == 1


def close(
    connection: Transaction, id: str, informed: Informed, request_id: str = ""
) -> Recorded | None:
    """Close a conversation until the consumer writes again, or `reopen`; None if it is unknown."""
    row = connection.execute(
        f"SELECT c.key, c.connector, c.account, c.consumer, c.closed FROM conversation s {EFFECTIVE} "
        "WHERE s.id = ? AND c.consumer != ''",
        (id,),
    ).fetchone()
    if row is None:
        return None
    key, connector, account, consumer, is_closed = row
    if is_closed:
        return Recorded()
    connection.execute(
        "UPDATE conversation SET closed = ? WHERE key = ?", (CLOSED_BY_THE_CORE, key)
    )
    if connector not in informed.closed:
        return Recorded()
    where = {"account": account, "to": consumer}
    add(connection, "closed", str(key), key, connector, where, request_id)
    return Recorded(new_reports=True)


def reopen(connection: Transaction, id: str) -> bool | None:
    """Take back that the core closed a conversation; return whether it is open, None if it is unknown.

    What the consumer closed stays closed: the platform would refuse texts.
    """
    row = connection.execute(
        f"SELECT c.key, c.closed FROM conversation s {EFFECTIVE} WHERE s.id = ? AND c.consumer != ''",
        (id,),
    ).fetchone()
    if row is None:
        return None
    key, closed = row
    if closed == CLOSED_BY_THE_CORE:
        connection.execute("UPDATE conversation SET closed = 0 WHERE key = ?", (key,))
        withdraw_closing(connection, key)
    return closed in {0, CLOSED_BY_THE_CORE}


def agents_of(connection: Transaction, id: str) -> tuple[str, ...] | None:
    """Return the assigned agents; None if the conversation is unknown."""
    row = connection.execute(
        f"SELECT c.agents FROM conversation s {EFFECTIVE} WHERE s.id = ?", (id,)
    ).fetchone()
    return tuple(orjson.loads(row[0])) if row else None


_SUMMARY = f"{OWN_CONVERSATION}, c.closed, c.opted_out, c.agents, c.heard_at, s.merged_into, c.id"


def find(connection: Transaction, id: str) -> ConversationSummary | None:
    """Return a conversation as the API shows it."""
    row = connection.execute(
        f"SELECT {_SUMMARY} FROM conversation s {EFFECTIVE} WHERE s.id = ?", (id,)
    ).fetchone()
    return _summary(row) if row else None


def listed(
    connection: Transaction,
    *,
    connector: str | None,
    consumer: str | None,
    before: str | None,
    limit: int,
) -> list[ConversationSummary]:
    """Return conversations, the newest first: those with `connector` and with any form of the address `consumer`.

    Conversations that were merged into another are left out. `before` is the id of the last one of the page before.
    """
    wanted = ["s.merged_into IS NULL", "s.consumer != ''"]
    values: list[Any] = []
    if before is not None:
        wanted.append("s.key < (SELECT key FROM conversation WHERE id = ?)")
        values.append(before)
    if connector is not None:
        wanted.append("s.connector = ?")
        values.append(connector)
    if consumer is not None:
        condition, forms = of_consumer(consumer)
        wanted.append(f"s.key IN (SELECT key FROM conversation WHERE {condition})")
        values += forms
    rows = connection.execute(
        f"SELECT {_SUMMARY} FROM conversation s {EFFECTIVE} WHERE {' AND '.join(wanted)} "
        "ORDER BY s.key DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [_summary(row) for row in rows]


def _summary(row: tuple[Any, ...]) -> ConversationSummary:
    closed, opted_out, agents, heard_at, merged_into, stays = row[CONVERSATION_COLUMNS:]
    view = conversation_of(row[:CONVERSATION_COLUMNS])
    found: ConversationSummary = {
        "id": view["id"],
        "connector": view["connector"],
        "platform": view["platform"],
        "account": view["account"],
        "consumer": view["consumer"],
        "reply_until": view["reply_until"],
        "state": "closed" if closed else "open",
        "opted_out": bool(opted_out),
        "agents": orjson.loads(agents),
        "last_message_at": rfc3339(heard_at) if heard_at is not None else None,
    }
    if merged_into is not None:
        found["merged_into"] = stays
    return found


def unnamed(connection: Transaction, connector: str, limit: int) -> list[Unnamed]:
    """Return conversations whose consumer has no name and was not asked for, the newest first."""
    rows = connection.execute(
        "SELECT id, account, consumer FROM conversation WHERE connector = ? AND name IS NULL AND name_asked = 0 "
        "AND merged_into IS NULL AND consumer != '' ORDER BY key DESC LIMIT ?",
        (connector, limit),
    )
    return [Unnamed(*row) for row in rows]


def name_consumer(
    connection: Transaction, ids: Identifiers, outbox: Outbox, id: str, name: str | None
) -> Recorded:
    """Give the consumer of a conversation a name if they have none, or record that there is none to be had."""
    row = connection.execute(
        "UPDATE conversation SET name = ?, name_asked = 1 WHERE name IS NULL AND consumer != '' "
        f"AND key = (SELECT c.key FROM conversation s {EFFECTIVE} WHERE s.id = ?) RETURNING key",
        (name, id),
    ).fetchone()
    if row is None or name is None:
        return Recorded()
    announcer = Announcer(connection, outbox)
    view = connection.execute(
        f"SELECT {CONVERSATION} FROM conversation c WHERE c.key = ?", row
    ).fetchone()
    conversation = conversation_of(view)
    event_id = ids.event("conversation.updated", conversation["id"], "profile")
    announcer.announce(
        row[0], event_id, "conversation.updated", now_ms(), {"conversation": conversation}
    )
    return Recorded(entries=tuple(announcer.entries))


def message(connection: Transaction, id: str) -> dict[str, Any] | None:
    """Return a message as events show it, with its conversation."""
    row = connection.execute(
        f"SELECT {MESSAGE}, c.id FROM message m {IN_CONVERSATION} WHERE m.id = ?",
        (id,),
    ).fetchone()
    return {"conversation": {"id": row[7]}, **message_view(connection, row[:7])} if row else None


def quotable(connection: Transaction, conversation: str, id: str) -> str | None:
    """Return the platform's id of a message or an agent's text in this conversation; None if unknown."""
    stays = f"(SELECT c.key FROM conversation s {EFFECTIVE} WHERE s.id = ?)"
    row = connection.execute(
        f"SELECT m.platform_id FROM message m {IN_CONVERSATION} WHERE m.id = ? AND c.key = {stays} "
        "UNION ALL SELECT p.platform_id FROM part p JOIN outgoing o ON o.key = p.outgoing "
        f"WHERE o.id = ? AND o.conversation = {stays} AND p.position = 0",
        (id, conversation, id, conversation),
    ).fetchone()
    return row[0] or None if row else None


def latest(connection: Transaction, id: str) -> tuple[str, str, str] | None:
    """Return account, consumer and platform id of the consumer's latest message; None if there is none."""
    row: tuple[str, str, str] | None = connection.execute(
        f"SELECT c.account, c.consumer, m.platform_id FROM conversation s {EFFECTIVE} "
        "JOIN message m ON m.key = (c.key << 32 | c.sequence) WHERE s.id = ? AND m.platform_id != ''",
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


def messages(connection: Transaction, id: str, after: int, limit: int) -> list[Any] | None:
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
    """Record that an agent read a rendition; `part` is the range of bytes that was sent, None for all."""
    connection.execute(
        "INSERT INTO viewed (at, agent, attachment, rendition, conversation, bytes) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (at, agent, attachment, rendition, conversation, part),
    )
