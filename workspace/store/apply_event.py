"""Application of the gateway's events to the workspace's tables: one function per event type, in one transaction.

An event of an unknown type, or with data that cannot be read, is stored as it came. It must not hold up the
conversation's lane, and a later version may be able to read it.
"""

import sqlite3
from collections.abc import Callable, Mapping

import orjson

from workspace import timestamps
from workspace.timestamps import parse_timestamp

from . import failures, requested_erasures, search
from .consumers import set_opted_out, upsert_conversation
from .database import next_revision, touch_message
from .lines import (
    Data,
    add_notice,
    find_message,
    insert_message,
    is_history,
    text_or_none,
    to_json,
    upsert_attachments,
)
from .merge import effective_id, merge
from .resending import line_of_attempt

Handler = Callable[[sqlite3.Connection, Data, int], None]

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def apply_event(db: sqlite3.Connection, id: str, event: Data, body: bytes, now: int) -> bool:
    """Store one event and apply it. Returns False, and changes nothing, if the event was stored before."""
    type = str(event.get("type"))
    added = db.execute(
        "INSERT INTO events (id, type, taken_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (id, type, now),
    )
    if not added.rowcount:
        return False
    if not _apply(db, type, event, now):
        db.execute("UPDATE events SET body = ? WHERE id = ?", (body, id))
    return True


def _apply(db: sqlite3.Connection, type: str, event: Data, now: int) -> bool:
    handler = _HANDLERS.get(type)
    if handler is None:
        return False
    db.execute("SAVEPOINT reading")
    try:
        data = _redirected(db, event["data"])
        handler(db, data, parse_timestamp(event.get("time"), now))
    except (*_UNREADABLE, sqlite3.IntegrityError, sqlite3.ProgrammingError):
        db.execute("ROLLBACK TO reading")
        return False
    finally:
        db.execute("RELEASE reading")
    return type != "event.unrecognised"


def _redirected(db: sqlite3.Connection, data: Data) -> Data:
    """Return the data of an event in the conversation that stays, if its conversation was merged.

    `origin` is then the conversation that the event names.
    """
    conversation = data.get("conversation")
    if not conversation:
        return data
    id = conversation["id"]
    stays = effective_id(db, id)
    if stays == id:
        return data
    return {**data, "conversation": {**conversation, "id": stays}, "origin": id}


def _message_received(db: sqlite3.Connection, data: Data, now: int) -> None:
    _upsert_for_message(db, data, now)
    if not is_history(data["message"]):
        db.execute(
            "UPDATE conversations SET open = 1, typing_until = 0 WHERE id = ?",
            (data["conversation"]["id"],),
        )
    insert_message(db, data, "in", now)


def _message_echoed(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    _upsert_for_message(db, data, now)
    # Older gateways gave no id to a text that was sent from another app, so the platform's id is used.
    id = message.get("id") or f"echo_{message['platform_id']}"
    if line_of_attempt(db, id) is not None:
        return
    insert_message(db, {**data, "message": {**message, "id": id}}, "out", now)


def _upsert_for_message(db: sqlite3.Connection, data: Data, now: int) -> None:
    """An old message that the platform delivers afterwards does not bring its conversation to the top."""
    message = data["message"]
    times = ("sent_at", "received_at") if is_history(message) else ("received_at",)
    at = next((found for name in times if (found := parse_timestamp(message.get(name), 0))), now)
    upsert_conversation(db, data, at, now)


def _attachment_updated(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    known = db.execute("SELECT 1 FROM messages WHERE id = ?", (message["id"],)).fetchone()
    if known is None:
        # Only messages of consumers are numbered.
        add = _message_received if message.get("sequence") else _message_echoed
        add(db, data, now)
        return
    if message.get("deleted") is True:
        _message_deleted(db, data, now)
        return
    upsert_attachments(db, message)
    if transcript := text_or_none(message.get("transcript")):
        # Its line follows the attachment's kind, which may have changed.
        db.execute(
            "UPDATE messages SET transcript = ? WHERE id = ? AND deleted = 0",
            (transcript, message["id"]),
        )
    touch_message(db, message["id"])


def _message_status(db: sqlite3.Connection, data: Data, _now: int) -> None:
    status, reason = str(data["status"]), text_or_none(data.get("reason"))
    code, detail = text_or_none(data.get("code")), text_or_none(data.get("detail"))
    # A refusal whose cause is unknown has the platform's code or words. Without both, the outcome is unknown.
    if (status, reason) == ("failed", "unknown") and not (code or detail):
        status, reason = "unknown", None
    for id in _affected_messages(db, data, status):
        row = db.execute("SELECT status FROM statuses WHERE message = ?", (id,)).fetchone()
        if row is not None and _rank(status) <= _rank(row["status"]):
            continue  # forward only: "delivered" may arrive after "read"
        row = (id, status, reason, text_or_none(data["message"].get("platform_id")), code, detail)
        db.execute(
            """INSERT OR REPLACE INTO statuses (message, status, reason, platform_id, code, detail)
               VALUES (?, ?, ?, ?, ?, ?)""",
            row,
        )
        failures.refresh(db, id)
        touch_message(db, id)
    if reason == "opted_out":
        set_opted_out(db, data["conversation"]["id"], opted_out=True)


def _affected_messages(db: sqlite3.Connection, data: Data, status: str) -> list[str]:
    """Return our messages that a status is about: by our id, by the platform's id, or all up to a time."""
    message = data["message"]
    if message.get("id"):
        return [_line_about(db, message["id"], status)]
    rows = db.execute(
        """SELECT id FROM messages WHERE conversation = ? AND direction = 'out'
             AND (platform_id = ? OR max(at, coalesce(
               (SELECT resent_at FROM replies WHERE position = messages.position), 0)) <= ?)""",
        (
            data["conversation"]["id"],
            message.get("platform_id"),
            parse_timestamp(data.get("watermark"), 0),
        ),
    )
    return [row["id"] for row in rows]


def _line_about(db: sqlite3.Connection, id: str, status: str) -> str:
    """Return the message that a status is about. If an earlier attempt arrived after all, the customer has the text."""
    arrived = status in {"delivered", "read"}
    return (line_of_attempt(db, id) if arrived else None) or id


#: A text that was given up may still have arrived, so a later "delivered" or "read" replaces "failed".
_RANKS = ("unknown", "sent", "failed", "delivered", "read")


def _rank(status: str) -> int:
    return _RANKS.index(status) if status in _RANKS else -1


def _message_edited(db: sqlite3.Connection, data: Data, _now: int) -> None:
    message = data["message"]
    row = find_message(db, message)
    if row["deleted"]:
        return
    text = text_or_none(message.get("text"))
    has_media = db.execute("SELECT 1 FROM attachments WHERE message = ?", (row["id"],)).fetchone()
    transcript = message.get("transcript") or (row["transcript"] if has_media else text or "")
    details = {**orjson.loads(row["details"]), "edited": True}
    db.execute(
        "UPDATE messages SET text = ?, transcript = ?, details = ? WHERE id = ?",
        (text, transcript, to_json(details), row["id"]),
    )
    search.index(db, row["position"], text)
    touch_message(db, row["id"])


def _message_deleted(db: sqlite3.Connection, data: Data, _now: int) -> None:
    row = find_message(db, data["message"])
    id = row["id"]
    search.index(db, row["position"], None)
    db.execute("DELETE FROM attachments WHERE message = ?", (id,))
    db.execute("DELETE FROM reactions WHERE message = ?", (id,))
    db.execute(
        "UPDATE messages SET text = NULL, transcript = '', details = '{}', deleted = 1 WHERE id = ?",
        (id,),
    )
    failures.refresh(db, id)
    touch_message(db, id)


_CONSUMER = "consumer"


def _reaction_changed(db: sqlite3.Connection, data: Data, _now: int) -> None:
    id = find_message(db, data["message"])["id"]
    if data["emoji"]:
        row = (id, _CONSUMER, str(data["emoji"]))
        db.execute("INSERT OR REPLACE INTO reactions VALUES (?, ?, ?)", row)
    else:
        db.execute("DELETE FROM reactions WHERE message = ? AND who = ?", (id, _CONSUMER))
    touch_message(db, id)


def _conversation_closed(db: sqlite3.Connection, data: Data, now: int) -> None:
    id = data["conversation"]["id"]
    upsert_conversation(db, data, now, now)
    db.execute("UPDATE conversations SET open = 0, waiting_since = NULL WHERE id = ?", (id,))
    add_notice(db, id, {"kind": "closed_by_consumer"}, now)


def _conversation_updated(db: sqlite3.Connection, data: Data, now: int) -> None:
    """Nothing has happened in the conversation, so it keeps its place in the list."""
    if _is_known(db, data["conversation"]["id"]):
        upsert_conversation(db, data, 0, now)


def _conversation_merged(db: sqlite3.Connection, data: Data, now: int) -> None:
    stays, merged = data["conversation"]["id"], effective_id(db, data["merged"])
    if merged == stays or not (_is_known(db, stays) or _is_known(db, merged)):
        return
    upsert_conversation(db, data, 0, now)
    had_lines = all(_has_lines(db, id) for id in (stays, merged))
    other = {**data["conversation"], "id": merged}
    upsert_conversation(db, {"conversation": other, "origin": merged}, 0, now)
    merge(db, merged, stays)
    if had_lines:
        add_notice(db, stays, {"kind": "merged"}, now)


def _is_known(db: sqlite3.Connection, id: str) -> bool:
    return db.execute("SELECT 1 FROM conversations WHERE id = ?", (id,)).fetchone() is not None


def _has_lines(db: sqlite3.Connection, id: str) -> bool:
    found = db.execute("SELECT 1 FROM messages WHERE conversation = ? LIMIT 1", (id,))
    return found.fetchone() is not None


def _conversation_notice(db: sqlite3.Connection, data: Data, now: int) -> None:
    notice = data["notice"]
    id, kind = data["conversation"]["id"], str(notice["kind"])
    if kind in _TYPING_MILLISECONDS:
        # A clock that is ahead must not prolong it.
        _set_typing(db, id, min(now, timestamps.now()) + _TYPING_MILLISECONDS[kind])
        return
    upsert_conversation(db, data, now, now)
    if kind == requested_erasures.KIND:
        requested_erasures.note(db, data["conversation"])
    text = text_or_none(notice.get("text"))
    match notice.get("details"):
        case {"opted_out": bool(opted_out)}:
            set_opted_out(db, id, opted_out=opted_out)
            if text is None:
                kind = "opted_out" if opted_out else "opted_in"
    if not (kind.startswith(_TRANSIENT) or _repeats_the_address(db, id, kind, now)):
        add_notice(db, id, {"kind": kind, "text": text}, now)


#: How long (milliseconds) the consumer counts as typing after each notice. The notice that typing has ended may never
#: come (Apple).
_TYPING_MILLISECONDS: Mapping[str, int] = {"typing_start": 60_000, "typing_end": 0}


def _set_typing(db: sqlite3.Connection, conversation: str, until: int) -> None:
    """Set how long the consumer counts as typing. The transcript and the order of the list stay the same."""
    db.execute(
        "UPDATE conversations SET typing_until = ?, revision = ? WHERE id = ?",
        (until, next_revision(db), conversation),
    )


def _repeats_the_address(db: sqlite3.Connection, conversation: str, kind: str, now: int) -> bool:
    """Whether a notice is about a change of address for which there is a line already, with both addresses."""
    found = db.execute(
        """SELECT 1 FROM messages WHERE conversation = ? AND direction = 'notice' AND at = ?
             AND json_extract(details, '$.notice.kind') = 'address_changed'""",
        (conversation, now),
    )
    return kind == "identity_changed" and found.fetchone() is not None


#: Kinds of notices that are over in a moment and do not belong in a transcript.
_TRANSIENT = ("typing", "message_reads", "message_deliveries")


def _event_unrecognised(db: sqlite3.Connection, data: Data, now: int) -> None:
    conversation = data.get("conversation")
    if conversation:
        upsert_conversation(db, data, now, now)
        add_notice(db, conversation["id"], {"kind": "unrecognised"}, now)


_HANDLERS: Mapping[str, Handler] = {
    "message.received": _message_received,
    "message.echoed": _message_echoed,
    "attachment.updated": _attachment_updated,
    "message.status": _message_status,
    "message.edited": _message_edited,
    "message.deleted": _message_deleted,
    "reaction.changed": _reaction_changed,
    "conversation.closed": _conversation_closed,
    "conversation.updated": _conversation_updated,
    "conversation.merged": _conversation_merged,
    "conversation.notice": _conversation_notice,
    "event.unrecognised": _event_unrecognised,
}
