"""Failures for operators: unreadable deliveries and failed attachments, listed, shown and retried.

The id of a failure names its kind: `delivery_…` is a delivery with an entry that could not be parsed, `att_…` an
attachment that failed.
"""

from typing import Any

from gateway.identifiers import attachment_id
from gateway.journal.frames import unpack
from gateway.journal.records import FailedDelivery
from gateway.timestamps import rfc3339

from .transaction import Transaction
from .views import IN_CONVERSATION

_DELIVERY = "delivery_"


def listed(connection: Transaction, limit: int) -> list[dict[str, Any]]:
    """Return the latest failures of each kind, the newest first."""
    deliveries = connection.execute(
        "SELECT id, connector, received_at, reason FROM unreadable ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    attachments = connection.execute(
        "SELECT m.id, a.position, c.connector, a.ended_at, a.state, a.reason, a.code, a.detail, c.id, "
        "a.media IS NOT NULL "
        f"FROM attachment a JOIN message m ON m.key = a.message {IN_CONVERSATION} "
        "WHERE a.state = 'failed' AND a.media IS NOT NULL ORDER BY a.ended_at DESC LIMIT ?",
        (limit,),
    )
    found = [_delivery_view(*row) for row in deliveries]
    found += [_attachment_view(*row) for row in attachments]
    return sorted(found, key=lambda failure: str(failure["at"]), reverse=True)[:limit]


def retriable(connection: Transaction) -> list[str]:
    """Return the ids of all failures, the oldest first."""
    deliveries = connection.execute("SELECT id FROM unreadable ORDER BY id")
    attachments = connection.execute(
        "SELECT m.id, a.position FROM attachment a JOIN message m ON m.key = a.message "
        "WHERE a.state = 'failed' AND a.media IS NOT NULL ORDER BY a.ended_at"
    )
    found = [f"{_DELIVERY}{id}" for (id,) in deliveries]
    return found + [attachment_id(message, position) for message, position in attachments]


def delivery(connection: Transaction, id: str) -> FailedDelivery | None:
    """Return an unreadable delivery with its content; None if `id` does not name one."""
    number = _number(id)
    row = connection.execute(
        "SELECT id, connector, received_at, reason, delivery FROM unreadable WHERE id = ?",
        (number,),
    ).fetchone()
    if row is None:
        return None
    return FailedDelivery(_delivery_view(*row[:4]), next(unpack(row[4])))


def settle(connection: Transaction, id: str, reason: str | None) -> None:
    """Remove a delivery that was parsed again from the list, or keep it with the new reason."""
    if reason is None:
        connection.execute("DELETE FROM unreadable WHERE id = ?", (_number(id),))
    else:
        connection.execute("UPDATE unreadable SET reason = ? WHERE id = ?", (reason, _number(id)))


def _number(id: str) -> int:
    """Return the number in a delivery's id; -1, which no row has, for any other text."""
    prefix, found, digits = id.partition(_DELIVERY)
    is_ours = found and not prefix and digits.isascii() and digits.isdigit() and len(digits) < 18
    return int(digits) if is_ours else -1


def _delivery_view(id: int, connector: str, received_at: int, reason: str) -> dict[str, Any]:
    return {
        "id": f"{_DELIVERY}{id}",
        "kind": "delivery",
        "connector": connector,
        "at": rfc3339(received_at),
        "reason": reason,
        "can_retry": True,
    }


def _attachment_view(
    message: str,
    position: int,
    connector: str,
    ended_at: int,
    state: str,
    reason: str,
    code: str | None,
    detail: str | None,
    conversation: str,
    fetchable: int,
) -> dict[str, Any]:
    return {
        "id": attachment_id(message, position),
        "kind": "attachment",
        "connector": connector,
        "conversation": conversation,
        "at": rfc3339(ended_at),
        "state": state,
        "reason": reason,
        "code": code,
        "detail": detail,
        "can_retry": bool(fetchable),
    }
