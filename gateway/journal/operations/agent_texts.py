"""Agents' texts in the journal: accepted, and sent part by part. `receipts.py` keeps their status.

waiting    not tried yet, or refused temporarily
trying     sent to the platform, no response yet: after a crash the outcome is unknown
sent, delivered, read, failed    reported by the platform
unknown    the outcome cannot be determined
"""

from typing import Any

from gateway.journal.records import AgentText, Part, Recipient, Recorded, Situation
from gateway.timestamps import now_ms, rfc3339

from .shards import Shards, within
from .transaction import Transaction
from .views import EFFECTIVE


def situation(connection: Transaction, conversation: str) -> Situation | None:
    row = connection.execute(
        f"SELECT c.key, c.connector, c.account, c.heard_at, c.closed, c.opted_out FROM conversation s {EFFECTIVE} "
        "WHERE s.id = ?",
        (conversation,),
    ).fetchone()
    if row is None:
        return None
    key, connector, account, opened_at, closed, opted_out = row
    return Situation(key, connector, account, opened_at, bool(closed), bool(opted_out))


def find(connection: Transaction, id: str) -> dict[str, Any] | None:
    """Return an agent's text as the API shows it."""
    row = connection.execute(
        "SELECT o.key, o.id, c.id, o.agent, o.text, o.reply_to, o.accepted_at, o.status, o.reason, "
        "o.code, o.detail, o.request_id "
        "FROM outgoing o JOIN conversation c ON c.key = o.conversation WHERE o.id = ?",
        (id,),
    ).fetchone()
    if row is None:
        return None
    key, id, conversation, agent, text, reply_to, accepted_at, status, *cause, request_id = row
    reason, code, detail = cause
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
        "code": code,
        "detail": detail,
        "platform_ids": [platform_id for (platform_id,) in ids if platform_id],
        "request_id": request_id or None,
    }


def accept(connection: Transaction, new: AgentText) -> Recorded:
    """Record a text; nothing is recorded if its id (the idempotency key) was accepted before."""
    accepted = connection.execute(
        "INSERT INTO outgoing (id, conversation, agent, text, reply_to, accepted_at, status, request_id) "
        f"SELECT ?, c.key, ?, ?, ?, ?, 'accepted', ? FROM conversation s {EFFECTIVE} WHERE s.id = ? "
        "ON CONFLICT DO NOTHING RETURNING key",
        (
            *(new.id, new.agent, new.text, new.reply_to),
            *(now_ms(), new.request_id, new.conversation),
        ),
    ).fetchone()
    if accepted is None:
        return Recorded()
    connection.executemany(
        "INSERT INTO part (outgoing, position, text, state, due) VALUES (?, ?, ?, 'waiting', ?)",
        [(accepted[0], position, text, now_ms()) for position, text in enumerate(new.parts)],
    )
    return Recorded(new_parts=True)


def open_parts(connection: Transaction, shards: Shards | None = None) -> list[Part]:
    """Return the parts of these shards that are not sent yet, in the order in which they must be sent."""
    rows = connection.execute(
        "SELECT p.outgoing, p.position, o.id, p.text, p.state, p.attempts, p.due, c.connector, "
        "o.conversation, o.reply_to, c.account, c.id, o.request_id FROM part p JOIN outgoing o ON o.key = p.outgoing "
        "JOIN conversation c ON c.key = o.conversation "
        f"WHERE p.state IN ('waiting', 'trying') AND {within('o.conversation', shards)} "
        "ORDER BY p.outgoing, p.position"
    )
    return [Part(*row) for row in rows]


def trying(connection: Transaction, outgoing: int, position: int) -> Recipient | None:
    """Record that a part is about to be sent, and return to whom; None if it is already settled."""
    cursor = connection.execute(
        "UPDATE part SET state = 'trying', attempts = attempts + 1 "
        "WHERE outgoing = ? AND position = ? AND state IN ('waiting', 'trying')",
        (outgoing, position),
    )
    if cursor.rowcount == 0:
        return None
    row = connection.execute(
        "SELECT c.account, c.consumer, c.route, c.heard_at FROM outgoing o "
        "JOIN conversation c ON c.key = o.conversation WHERE o.key = ?",
        (outgoing,),
    ).fetchone()
    return Recipient(*row)


def is_open(connection: Transaction, outgoing: int, position: int) -> bool:
    """Whether the outcome of a part is still open."""
    row = connection.execute(
        "SELECT 1 FROM part WHERE outgoing = ? AND position = ? AND state IN ('waiting', 'trying')",
        (outgoing, position),
    )
    return row.fetchone() is not None


def postpone(connection: Transaction, outgoing: int, position: int, due: int) -> None:
    """Record that the platform refused a part temporarily."""
    connection.execute(
        "UPDATE part SET state = 'waiting', due = ? WHERE outgoing = ? AND position = ? AND state = 'trying'",
        (due, outgoing, position),
    )
