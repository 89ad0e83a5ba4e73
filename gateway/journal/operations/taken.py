"""Events that the core has taken: kept for a while, so that they can be looked up and sent again.

An event about a message is kept without its body. When it is sent again it shows the message as it is then, so that
nothing that was edited, deleted or erased comes back.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from gateway.timestamps import rfc3339, to_ms

from .message_keys import conversation_of_message
from .transaction import Transaction

#: The head of an event as `envelope.render` writes it.
_HEAD = re.compile(rb'"type":"([a-z.]{1,40})".{0,600}?"time":"([^"]{20,30})"')
_HEAD_BYTES = 900
#: Events that are made from the message again.
OF_MESSAGES = frozenset({"message.received", "message.echoed", "attachment.updated"})
#: Rows that are read or removed with one statement.
_BATCH = 200


def keep(connection: Transaction, keys: Iterable[int], at: int) -> None:
    """Keep events of the outbox that the core took at `at` (ms)."""
    wanted = list(keys)
    for start in range(0, len(wanted), _BATCH):
        some = wanted[start : start + _BATCH]
        rows = connection.execute(
            "SELECT key, conversation, event_id, message, body FROM outbox "
            f"WHERE key IN ({', '.join('?' * len(some))}) AND body IS NOT NULL ORDER BY key",
            some,
        ).fetchall()
        kept = [found for row in rows if (found := _row(at, *row)) is not None]
        connection.executemany(
            "INSERT INTO taken (key, conversation, event_id, type, time, taken_at, message, attachment, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            kept,
        )


def _row(
    at: int, key: int, conversation: int, event_id: str, message: int | None, body: bytes
) -> tuple[Any, ...] | None:
    """Return the row of an event; None if it is none of ours."""
    head = _HEAD.search(body[:_HEAD_BYTES])
    if head is None:
        return None
    type, time = head[1].decode(), to_ms(datetime.fromisoformat(head[2].decode()))
    is_about_message = message is not None and type in OF_MESSAGES
    attachment = None
    if type == "attachment.updated":
        attachment = orjson.loads(body)["data"]["message"]["attachments"][0]["id"]
    kept = None if is_about_message else body
    return (key, conversation, event_id, type, time, at, message, attachment, kept)


def events_of_message(connection: Transaction, message: int) -> list[dict[str, Any]]:
    """Return the events about a message in order, with when the core took each; those that wait come last."""
    lane = connection.execute(
        "SELECT coalesce(merged_into, key), key FROM conversation WHERE key = ?",
        (conversation_of_message(message),),
    ).fetchone()
    found = connection.execute(
        "SELECT key, event_id, type, time, taken_at FROM taken "
        "WHERE conversation IN (?, ?) AND message = ? ORDER BY key",
        (*lane, message),
    ).fetchall()
    waiting = connection.execute(
        "SELECT key, event_id, body, hold_until FROM outbox WHERE conversation IN (?, ?) AND message = ? ORDER BY key",
        (*lane, message),
    ).fetchall()
    return [_taken_view(*row) for row in found] + [_waiting_view(*row) for row in waiting]


def _taken_view(_key: int, event_id: str, type: str, time: int, taken_at: int) -> dict[str, Any]:
    return {
        "id": event_id,
        "type": type,
        "state": "taken",
        "time": rfc3339(time),
        "taken_at": rfc3339(taken_at),
    }


def _waiting_view(
    _key: int, event_id: str, body: bytes | None, hold_until: int | None
) -> dict[str, Any]:
    head = _HEAD.search(body[:_HEAD_BYTES]) if body else None
    return {
        "id": event_id,
        "type": head[1].decode() if head else "message.received",
        "state": "waiting" if hold_until is None else "held",
        "time": head[2].decode() if head else None,
        "taken_at": None,
    }


def expire(connection: Transaction, before: int) -> int:
    """Remove a batch of the events that were taken before `before` (ms); return the number. Keys grow with time."""
    return connection.execute(
        "DELETE FROM taken WHERE key IN (SELECT key FROM taken ORDER BY key LIMIT ?) AND taken_at < ?",
        (_BATCH, before),
    ).rowcount


def forget_conversation(connection: Transaction, conversation: int) -> None:
    """Remove the events of a conversation that is erased."""
    connection.execute("DELETE FROM taken WHERE conversation = ?", (conversation,))


def forget_edits(connection: Transaction, message: int, message_id: str) -> None:
    """Remove the edits of a message that its sender deleted: they hold its text."""
    rows = connection.execute(
        "SELECT key, body FROM taken WHERE conversation = "
        "(SELECT coalesce(merged_into, key) FROM conversation WHERE key = ?) AND type = 'message.edited'",
        (conversation_of_message(message),),
    ).fetchall()
    keys = [
        (key,)
        for key, body in rows
        if body and orjson.loads(body)["data"]["message"]["id"] == message_id
    ]
    connection.executemany("DELETE FROM taken WHERE key = ?", keys)


def forget_strays(connection: Transaction, written: Iterable[bytes]) -> list[int]:
    """Remove events without a conversation that hold one of these texts, waiting or taken; return the waiting ones."""
    forms = tuple(written)
    removed: list[int] = []
    for table in ("outbox", "taken"):
        rows = connection.execute(
            f"SELECT key, body FROM {table} WHERE conversation = 0"
        ).fetchall()
        keys = [key for key, body in rows if body and any(form in body for form in forms)]
        connection.executemany(
            f"DELETE FROM {table} WHERE key = ?",
            [(key,) for key in keys],
        )
        removed += keys if table == "outbox" else []
    return removed
