"""Messages of both sides: written once, shown as they are now."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from webchat.shapes import AttachmentView, ChangesView, ConversationView, HistoryView, MessageView
from webchat.timestamps import rfc3339

from . import consumers, outbox, uploads
from .consumers import Consumer
from .database import Connection, touch

#: Messages in one batch of changes.
MAX_CHANGES = 100


@dataclass(frozen=True, slots=True)
class Incoming:
    """A consumer's message. `uploads` are the client's ids."""

    id: str
    text: str | None
    reply_to: str | None
    uploads: tuple[str, ...]


class OtherContent(Exception):
    """A message with this id exists and says something else."""


def put(db: Connection, consumer_id: str, said: Incoming, now: int) -> tuple[MessageView, bool]:
    """Store a consumer's message, its claim on the uploads, and its delivery; return it, and whether it is new.

    Raises OtherContent, and `uploads.Incomplete` if a file is not whole.
    """
    existing = find(db, consumer_id, said.id)
    if existing is not None:
        if not _same(existing, said):
            raise OtherContent
        return existing, False
    consumer = consumers.get(db, consumer_id)
    files = uploads.claim(db, consumer_id, said.id, said.uploads, now)
    consumers.set_state(db, consumer, "open")
    _insert(db, consumer_id, said.id, "in", said.text, said.reply_to, "sent", now)
    for place, file in enumerate(files):
        uploads.attach(db, file, said.id, place)
    content = {
        "text": said.text,
        "reply_to": said.reply_to,
        "attachments": [file.in_event() for file in files],
    }
    outbox.add(db, consumer, "message", now, content, id=said.id, message=said.id)
    return _required(db, consumer_id, said.id), True


def put_answer(
    db: Connection, consumer: Consumer, key: str, text: str, reply_to: str | None, now: int
) -> None:
    """Store an agent's text under its key, once."""
    if find(db, consumer.id, key) is None:
        _insert(db, consumer.id, key, "out", text, reply_to, "sent", now)
        # An agent who writes again has reopened the conversation.
        consumers.set_state(db, consumer, "open")
        consumers.note_answer(db, consumer)


def find(db: sqlite3.Connection, consumer: str, id: str) -> MessageView | None:
    row = db.execute(
        "SELECT * FROM messages WHERE consumer = ? AND id = ?", (consumer, id)
    ).fetchone()
    return None if row is None else _views(db, consumer, [row])[0]


def history(
    db: sqlite3.Connection, consumer_id: str, before: int | None, limit: int, policy: str
) -> HistoryView:
    """Return messages before a position, the newest first."""
    consumer = consumers.get(db, consumer_id)
    rows = db.execute(
        "SELECT * FROM messages WHERE consumer = ? AND position < ? ORDER BY position DESC LIMIT ?",
        (consumer_id, before if before is not None else 1 << 62, limit + 1),
    ).fetchall()
    page = rows[:limit]
    return {
        "messages": _views(db, consumer_id, page),
        "before": page[-1]["position"] if len(rows) > limit else None,
        "conversation": conversation(consumer, policy),
        "revision": consumer.revision,
    }


def changes(
    db: sqlite3.Connection, consumer_id: str, since: int, policy: str
) -> ChangesView | None:
    """Return what has changed after revision `since`; None if nothing has."""
    row = db.execute(
        "SELECT revision, reset_revision, state_revision FROM consumers WHERE id = ?",
        (consumer_id,),
    ).fetchone()
    if row is None:
        return {"revision": 0, "reset": True}
    # A revision that never was belongs to another conversation, or to one from before a restored backup.
    if since < row["reset_revision"] or since > row["revision"]:
        return {"revision": row["revision"], "reset": True}
    if since == row["revision"]:
        return None
    found = db.execute(
        "SELECT * FROM messages WHERE consumer = ? AND revision > ? ORDER BY revision LIMIT ?",
        (consumer_id, since, MAX_CHANGES),
    ).fetchall()
    full = len(found) == MAX_CHANGES
    result: ChangesView = {"revision": found[-1]["revision"] if full else row["revision"]}
    if found:
        result["messages"] = _views(db, consumer_id, found)
    if row["state_revision"] > since:
        result["conversation"] = conversation(consumers.get(db, consumer_id), policy)
    return result


def conversation(consumer: Consumer, policy: str) -> ConversationView:
    return {
        "state": "closed" if consumer.state == "closed" else "open",
        "uploads": uploads_allowed(consumer, policy),
    }


def uploads_allowed(consumer: Consumer, policy: str) -> bool:
    """Whether a consumer may send files, by the site's `uploads`."""
    return {
        "always": True,
        "after_reply": consumer.answered,
        "signed_in": consumer.verified,
    }.get(policy, False)


def advance(db: Connection, consumer: str, direction: str, id: str, state: str) -> list[str]:
    """Move a message and those before it forward to `state`; return the ids of those that moved."""
    earlier = _EARLIER[state]
    rows = db.execute(
        "SELECT id FROM messages WHERE consumer = ? AND direction = ? "
        f"AND state IN ({','.join('?' * len(earlier))}) AND position <= "
        "(SELECT position FROM messages WHERE consumer = ? AND id = ? AND direction = ?) "
        "ORDER BY position",
        (consumer, direction, *earlier, consumer, id, direction),
    ).fetchall()
    moved = [row["id"] for row in rows]
    for one in moved:
        set_state(db, consumer, one, state)
    return moved


#: The states from which a message moves forward to another.
_EARLIER = {
    "received": ("sent",),
    "delivered": ("sent",),
    "read": ("sent", "received", "delivered"),
}


def set_state(db: Connection, consumer: str, id: str, state: str) -> None:
    db.execute(
        "UPDATE messages SET state = ?, revision = ? WHERE consumer = ? AND id = ?",
        (state, touch(db, consumer), consumer, id),
    )


def mark_taken(db: Connection, lane: str, id: str, state: str, now: int) -> None:
    """Note that the gateway has a message, or that it was given up. An agent may have read it already."""
    uploads.start_waiting(db, lane, id, now)
    row = db.execute(
        "SELECT m.consumer FROM messages AS m LEFT JOIN aliases AS a ON a.former = ? "
        "WHERE m.id = ? AND m.consumer IN (?, a.consumer) AND m.state = 'sent'",
        (lane, id, lane),
    ).fetchone()
    if row is not None:
        set_state(db, row["consumer"], id, state)


def _insert(
    db: Connection,
    consumer: str,
    id: str,
    direction: str,
    text: str | None,
    reply_to: str | None,
    state: str,
    now: int,
) -> None:
    revision = touch(db, consumer)
    (position,) = db.execute(
        "UPDATE consumers SET position = position + 1, active_at = max(active_at, ?) WHERE id = ? "
        "RETURNING position",
        (now, consumer),
    ).fetchone()
    db.execute(
        "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (consumer, id, direction, position, text, reply_to, state, now, revision),
    )


def _required(db: sqlite3.Connection, consumer: str, id: str) -> MessageView:
    found = find(db, consumer, id)
    assert found is not None, "written just now"
    return found


def _same(existing: MessageView, said: Incoming) -> bool:
    uploaded = tuple(attachment["upload"] for attachment in existing["attachments"])
    return (existing["direction"], existing["text"], existing["reply_to"], uploaded) == (
        "in",
        said.text,
        said.reply_to,
        said.uploads,
    )


def _views(db: sqlite3.Connection, consumer: str, rows: Sequence[sqlite3.Row]) -> list[MessageView]:
    return [_view(row, _attachments(db, consumer, row["id"])) for row in rows]


def _attachments(db: sqlite3.Connection, consumer: str, message: str) -> list[AttachmentView]:
    rows = db.execute(
        "SELECT * FROM attachments WHERE consumer = ? AND message = ? ORDER BY place",
        (consumer, message),
    )
    return [_attachment(row) for row in rows]


def _attachment(row: sqlite3.Row) -> AttachmentView:
    renditions: list[Any] = orjson.loads(row["renditions"])
    return {
        "id": row["id"],
        "upload": row["upload"],
        "kind": row["kind"],
        "media_type": row["media_type"],
        "name": row["name"],
        "bytes": row["bytes"],
        "state": row["state"],
        "reason": row["reason"],
        "width": row["width"],
        "height": row["height"],
        "seconds": row["seconds"],
        "renditions": renditions,
    }


def _view(row: sqlite3.Row, attachments: list[AttachmentView]) -> MessageView:
    return {
        "id": row["id"],
        "direction": row["direction"],
        "position": row["position"],
        "text": row["text"],
        "reply_to": row["reply_to"],
        "state": row["state"],
        "at": rfc3339(row["at"]),
        "attachments": attachments,
    }
