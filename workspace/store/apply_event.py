"""Application of the gateway's events to the workspace's tables: one function per event type, in one transaction.

An event of an unknown type, or with data that cannot be read, is stored as it came. It must not hold up the
conversation's lane, and a later version may be able to read it.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from workspace.text.wording import PLACEHOLDERS
from workspace.timestamps import parse_timestamp

from . import search
from .database import next_revision, touch_message

Data = Mapping[str, Any]
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
        handler(db, event["data"], parse_timestamp(event.get("time"), now))
    except (*_UNREADABLE, sqlite3.IntegrityError, sqlite3.ProgrammingError):
        db.execute("ROLLBACK TO reading")
        return False
    finally:
        db.execute("RELEASE reading")
    return type != "event.unrecognised"


def _message_received(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    _upsert_conversation(db, data["conversation"], parse_timestamp(message.get("received_at"), now))
    db.execute(
        "UPDATE conversations SET open = 1, typing_until = 0 WHERE id = ?",
        (data["conversation"]["id"],),
    )
    _insert_message(db, data, "in", now)


def _message_echoed(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    _upsert_conversation(db, data["conversation"], parse_timestamp(message.get("received_at"), now))
    # A text that was sent from another app may have no id of ours, so the platform's id is used.
    id = message.get("id") or f"echo_{message['platform_id']}"
    _insert_message(db, {**data, "message": {**message, "id": id}}, "out", now)


def _attachment_updated(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    known = db.execute("SELECT 1 FROM messages WHERE id = ?", (message["id"],)).fetchone()
    if known is None:
        _message_received(db, data, now)
        return
    _upsert_attachments(db, message)
    if transcript := _text(message.get("transcript")):
        # Its line follows the attachment's kind, which may have changed.
        db.execute(
            "UPDATE messages SET transcript = ? WHERE id = ? AND deleted = 0",
            (transcript, message["id"]),
        )
    touch_message(db, message["id"])


def _message_status(db: sqlite3.Connection, data: Data, _now: int) -> None:
    status, reason = str(data["status"]), _text(data.get("reason"))
    code, detail = _text(data.get("code")), _text(data.get("detail"))
    # A refusal whose cause is unknown has the platform's code or words. Without both, the outcome is unknown.
    if (status, reason) == ("failed", "unknown") and not (code or detail):
        status, reason = "unknown", None
    for id in _affected_messages(db, data):
        row = db.execute("SELECT status FROM statuses WHERE message = ?", (id,)).fetchone()
        if row is not None and _rank(status) <= _rank(row["status"]):
            continue  # forward only: "delivered" may arrive after "read"
        row = (id, status, reason, _text(data["message"].get("platform_id")), code, detail)
        db.execute(
            """INSERT OR REPLACE INTO statuses (message, status, reason, platform_id, code, detail)
               VALUES (?, ?, ?, ?, ?, ?)""",
            row,
        )
        touch_message(db, id)


def _affected_messages(db: sqlite3.Connection, data: Data) -> list[str]:
    """Return our messages that a status is about: by our id, by the platform's id, or all up to a time."""
    message = data["message"]
    if message.get("id"):
        return [message["id"]]
    rows = db.execute(
        """SELECT id FROM messages WHERE conversation = ? AND direction = 'out'
             AND (platform_id = ? OR at <= ?)""",
        (
            data["conversation"]["id"],
            message.get("platform_id"),
            parse_timestamp(data.get("watermark"), 0),
        ),
    )
    return [row["id"] for row in rows]


#: A text that was given up may still have arrived, so a later "delivered" or "read" replaces "failed".
_RANKS = ("unknown", "sent", "failed", "delivered", "read")


def _rank(status: str) -> int:
    return _RANKS.index(status) if status in _RANKS else -1


def _message_edited(db: sqlite3.Connection, data: Data, _now: int) -> None:
    message = data["message"]
    row = _find_message(db, message)
    text = _text(message.get("text"))
    has_media = db.execute("SELECT 1 FROM attachments WHERE message = ?", (row["id"],)).fetchone()
    transcript = message.get("transcript") or (row["transcript"] if has_media else text or "")
    details = {**orjson.loads(row["details"]), "edited": True}
    db.execute(
        "UPDATE messages SET text = ?, transcript = ?, details = ? WHERE id = ?",
        (text, transcript, _json(details), row["id"]),
    )
    search.index(db, row["position"], text)
    touch_message(db, row["id"])


def _message_deleted(db: sqlite3.Connection, data: Data, _now: int) -> None:
    row = _find_message(db, data["message"])
    id = row["id"]
    search.index(db, row["position"], None)
    db.execute("DELETE FROM attachments WHERE message = ?", (id,))
    db.execute("DELETE FROM reactions WHERE message = ?", (id,))
    db.execute(
        "UPDATE messages SET text = NULL, transcript = '', details = '{}', deleted = 1 WHERE id = ?",
        (id,),
    )
    touch_message(db, id)


_CONSUMER = "consumer"


def _reaction_changed(db: sqlite3.Connection, data: Data, _now: int) -> None:
    id = _find_message(db, data["message"])["id"]
    if data["emoji"]:
        row = (id, _CONSUMER, str(data["emoji"]))
        db.execute("INSERT OR REPLACE INTO reactions VALUES (?, ?, ?)", row)
    else:
        db.execute("DELETE FROM reactions WHERE message = ? AND who = ?", (id, _CONSUMER))
    touch_message(db, id)


def _conversation_closed(db: sqlite3.Connection, data: Data, now: int) -> None:
    id = data["conversation"]["id"]
    _upsert_conversation(db, data["conversation"], now)
    db.execute("UPDATE conversations SET open = 0 WHERE id = ?", (id,))
    add_notice(db, id, {"kind": "closed_by_consumer"}, now)


def _conversation_notice(db: sqlite3.Connection, data: Data, now: int) -> None:
    notice = data["notice"]
    kind = str(notice["kind"])
    if kind in _TYPING_MILLISECONDS:
        _set_typing(db, data["conversation"]["id"], now + _TYPING_MILLISECONDS[kind])
        return
    _upsert_conversation(db, data["conversation"], now)
    if not kind.startswith(_TRANSIENT):
        shown = {"kind": kind, "text": _text(notice.get("text"))}
        add_notice(db, data["conversation"]["id"], shown, now)


#: How long (milliseconds) the consumer counts as typing after each notice. The notice that typing has ended may never
#: come (Apple).
_TYPING_MILLISECONDS: Mapping[str, int] = {"typing_start": 60_000, "typing_end": 0}


def _set_typing(db: sqlite3.Connection, conversation: str, until: int) -> None:
    """Set how long the consumer counts as typing. The transcript and the order of the list stay the same."""
    db.execute(
        "UPDATE conversations SET typing_until = ?, revision = ? WHERE id = ?",
        (until, next_revision(db), conversation),
    )


#: Kinds of notices that are over in a moment and do not belong in a transcript.
_TRANSIENT = ("typing", "message_reads", "message_deliveries")


def _event_unrecognised(db: sqlite3.Connection, data: Data, now: int) -> None:
    conversation = data.get("conversation")
    if conversation:
        _upsert_conversation(db, conversation, now)
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
    "conversation.notice": _conversation_notice,
    "event.unrecognised": _event_unrecognised,
}


def _upsert_conversation(db: sqlite3.Connection, conversation: Data, at: int) -> None:
    consumer = conversation["consumer"]
    name = _text(consumer.get("name"))
    db.execute(
        """INSERT INTO conversations
             (id, connector, platform, account, consumer_id, consumer_name, folded, active_at,
              revision)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET
             consumer_name = coalesce(excluded.consumer_name, consumer_name),
             folded = iif(excluded.consumer_name IS NULL, folded, excluded.folded),
             active_at = max(active_at, excluded.active_at),
             revision = excluded.revision""",
        (
            conversation["id"],
            str(conversation["connector"]),
            str(conversation["platform"]),
            str(conversation.get("account") or ""),
            str(consumer["id"]),
            name,
            search.fold(f"{name or ''} {consumer['id']}"),
            at,
            next_revision(db),
        ),
    )


def _insert_message(db: sqlite3.Connection, data: Data, direction: str, now: int) -> None:
    message, conversation = data["message"], data["conversation"]["id"]
    latest = db.execute("SELECT sequence FROM conversations WHERE id = ?", (conversation,))
    sequence = int(message.get("sequence") or latest.fetchone()["sequence"])
    received = parse_timestamp(message.get("received_at"), now)
    lines = [
        PLACEHOLDERS.get(a["kind"], PLACEHOLDERS["unsupported"])
        for a in message.get("attachments") or ()
    ]
    transcript = message.get("transcript") or "\n".join(lines) or message.get("text") or ""
    added = db.execute(
        """INSERT INTO messages (id, conversation, sequence, direction, author, platform_id, text,
             transcript, at, details, revision)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
           RETURNING position""",
        (
            message["id"],
            conversation,
            sequence,
            direction,
            _text(message.get("sender_app")),
            _text(message.get("platform_id")),
            _text(message.get("text")),
            str(transcript),
            parse_timestamp(message.get("sent_at"), received),
            _json({name: message[name] for name in _EXTRAS if message.get(name)}),
            next_revision(db),
        ),
    ).fetchone()
    if added is not None:
        search.index(db, added["position"], _text(message.get("text")))
    db.execute(
        "UPDATE conversations SET sequence = max(sequence, ?) WHERE id = ?",
        (sequence, conversation),
    )
    _upsert_attachments(db, message)


#: Optional parts of a message that the page may show. Other parts are not stored.
_EXTRAS = ("reply_to", "choice", "referral", "forwarded")


def _upsert_attachments(db: sqlite3.Connection, message: Data) -> None:
    for place, attachment in enumerate(message.get("attachments") or ()):
        db.execute(
            """INSERT INTO attachments (id, message, place, state, body) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body""",
            (attachment["id"], message["id"], place, str(attachment["state"]), _json(attachment)),
        )


def add_notice(db: sqlite3.Connection, conversation: str, notice: Data, at: int) -> None:
    """Add a line about the conversation that is not a message."""
    change = next_revision(db)
    db.execute(
        """INSERT INTO messages
             (id, conversation, sequence, direction, transcript, at, details, revision)
           SELECT ?, id, sequence, 'notice', '', ?, ?, ? FROM conversations WHERE id = ?""",
        (f"notice_{change}", at, _json({"notice": notice}), change, conversation),
    )
    db.execute("UPDATE conversations SET revision = ? WHERE id = ?", (change, conversation))


def _find_message(db: sqlite3.Connection, message: Data) -> sqlite3.Row:
    row = db.execute("SELECT * FROM messages WHERE id = ?", (message["id"],)).fetchone()
    if row is None:
        raise KeyError(message["id"])
    found: sqlite3.Row = row
    return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
