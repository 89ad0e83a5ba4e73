"""What each event changes in the workspace's own tables. One function per type, each inside one transaction.

An event of a type we do not know, or whose data we cannot read, is kept as it came: it must not hold up
the conversation's lane, and a later version can read it.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from workspace.text.wording import LINES
from workspace.timestamps import parse_timestamp

from . import search
from .database import next_revision, touch_message

Data = Mapping[str, Any]
Recorder = Callable[[sqlite3.Connection, Data, int], None]

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


def record(db: sqlite3.Connection, id: str, event: Data, body: bytes, now: int) -> bool:
    """Store one event; False when it had been stored before, and then nothing changes."""
    type = str(event.get("type"))
    fresh = db.execute(
        "INSERT INTO events (id, type, taken_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (id, type, now),
    )
    if not fresh.rowcount:
        return False
    if not _understood(db, type, event, now):
        db.execute("UPDATE events SET body = ? WHERE id = ?", (body, id))
    return True


def _understood(db: sqlite3.Connection, type: str, event: Data, now: int) -> bool:
    recorder = _RECORDERS.get(type)
    if recorder is None:
        return False
    db.execute("SAVEPOINT reading")
    try:
        recorder(db, event["data"], parse_timestamp(event.get("time"), now))
    except (*_UNREADABLE, sqlite3.IntegrityError, sqlite3.ProgrammingError):
        db.execute("ROLLBACK TO reading")
        return False
    finally:
        db.execute("RELEASE reading")
    return type != "event.unrecognised"


def _received(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    _conversation(db, data["conversation"], parse_timestamp(message.get("received_at"), now))
    db.execute(
        "UPDATE conversations SET open = 1, typing_until = 0 WHERE id = ?",
        (data["conversation"]["id"],),
    )
    _message(db, data, "in", now)


def _echoed(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    _conversation(db, data["conversation"], parse_timestamp(message.get("received_at"), now))
    # What was written elsewhere may have no id of ours; the platform's is as good.
    id = message.get("id") or f"echo_{message['platform_id']}"
    _message(db, {**data, "message": {**message, "id": id}}, "out", now)


def _attachment_updated(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    known = db.execute("SELECT 1 FROM messages WHERE id = ?", (message["id"],)).fetchone()
    if known is None:
        _received(db, data, now)
        return
    _attachments(db, message)
    touch_message(db, message["id"])


def _status(db: sqlite3.Connection, data: Data, _now: int) -> None:
    status, reason = str(data["status"]), _words(data.get("reason"))
    if (status, reason) == ("failed", "unknown"):
        status, reason = "unknown", None
    for id in _meant(db, data):
        row = db.execute("SELECT status FROM statuses WHERE message = ?", (id,)).fetchone()
        if row is not None and _rank(status) <= _rank(row["status"]):
            continue  # forward only: "delivered" may arrive after "read"
        known = (id, status, reason, _words(data["message"].get("platform_id")))
        db.execute("INSERT OR REPLACE INTO statuses VALUES (?, ?, ?, ?)", known)
        touch_message(db, id)


def _meant(db: sqlite3.Connection, data: Data) -> list[str]:
    """The messages of ours a status is about: by our id, by the platform's, or all up to a moment."""
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


#: What was given up may have arrived all the same: the receipt that says so counts.
_RANKS = ("unknown", "sent", "failed", "delivered", "read")


def _rank(status: str) -> int:
    return _RANKS.index(status) if status in _RANKS else -1


def _edited(db: sqlite3.Connection, data: Data, _now: int) -> None:
    message = data["message"]
    row = _find(db, message)
    text = _words(message.get("text"))
    has_media = db.execute("SELECT 1 FROM attachments WHERE message = ?", (row["id"],)).fetchone()
    transcript = message.get("transcript") or (row["transcript"] if has_media else text or "")
    details = {**orjson.loads(row["details"]), "edited": True}
    db.execute(
        "UPDATE messages SET text = ?, transcript = ?, details = ? WHERE id = ?",
        (text, transcript, _json(details), row["id"]),
    )
    search.index(db, row["position"], text)
    touch_message(db, row["id"])


def _deleted(db: sqlite3.Connection, data: Data, _now: int) -> None:
    row = _find(db, data["message"])
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


def _reaction(db: sqlite3.Connection, data: Data, _now: int) -> None:
    id = _find(db, data["message"])["id"]
    if data["emoji"]:
        row = (id, _CONSUMER, str(data["emoji"]))
        db.execute("INSERT OR REPLACE INTO reactions VALUES (?, ?, ?)", row)
    else:
        db.execute("DELETE FROM reactions WHERE message = ? AND who = ?", (id, _CONSUMER))
    touch_message(db, id)


def _closed(db: sqlite3.Connection, data: Data, now: int) -> None:
    id = data["conversation"]["id"]
    _conversation(db, data["conversation"], now)
    db.execute("UPDATE conversations SET open = 0 WHERE id = ?", (id,))
    add_notice(db, id, {"kind": "closed_by_consumer"}, now)


def _notice(db: sqlite3.Connection, data: Data, now: int) -> None:
    notice = data["notice"]
    kind = str(notice["kind"])
    if kind in _TYPING:
        _typing(db, data["conversation"]["id"], now + _TYPING[kind])
        return
    _conversation(db, data["conversation"], now)
    if not kind.startswith(_PASSING):
        told = {"kind": kind, "text": _words(notice.get("text"))}
        add_notice(db, data["conversation"]["id"], told, now)


#: For how long (milliseconds) a platform's word says that the consumer is writing. The word that they stopped
#: may never come (Apple).
_TYPING: Mapping[str, int] = {"typing_start": 60_000, "typing_end": 0}


def _typing(db: sqlite3.Connection, conversation: str, until: int) -> None:
    """Nothing of the transcript, and no reason to move up in the list."""
    db.execute(
        "UPDATE conversations SET typing_until = ?, revision = ? WHERE id = ?",
        (until, next_revision(db), conversation),
    )


#: Platforms' words for what is over in a moment and belongs in no transcript.
_PASSING = ("typing", "message_reads", "message_deliveries")


def _unrecognised(db: sqlite3.Connection, data: Data, now: int) -> None:
    conversation = data.get("conversation")
    if conversation:
        _conversation(db, conversation, now)
        add_notice(db, conversation["id"], {"kind": "unrecognised"}, now)


_RECORDERS: Mapping[str, Recorder] = {
    "message.received": _received,
    "message.echoed": _echoed,
    "attachment.updated": _attachment_updated,
    "message.status": _status,
    "message.edited": _edited,
    "message.deleted": _deleted,
    "reaction.changed": _reaction,
    "conversation.closed": _closed,
    "conversation.notice": _notice,
    "event.unrecognised": _unrecognised,
}


def _conversation(db: sqlite3.Connection, conversation: Data, at: int) -> None:
    consumer = conversation["consumer"]
    name = _words(consumer.get("name"))
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


def _message(db: sqlite3.Connection, data: Data, direction: str, now: int) -> None:
    message, conversation = data["message"], data["conversation"]["id"]
    latest = db.execute("SELECT sequence FROM conversations WHERE id = ?", (conversation,))
    sequence = int(message.get("sequence") or latest.fetchone()["sequence"])
    received = parse_timestamp(message.get("received_at"), now)
    lines = [LINES.get(a["kind"], LINES["unsupported"]) for a in message.get("attachments") or ()]
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
            _words(message.get("sender_app")),
            _words(message.get("platform_id")),
            _words(message.get("text")),
            str(transcript),
            parse_timestamp(message.get("sent_at"), received),
            _json({name: message[name] for name in _EXTRAS if message.get(name)}),
            next_revision(db),
        ),
    ).fetchone()
    if added is not None:
        search.index(db, added["position"], _words(message.get("text")))
    db.execute(
        "UPDATE conversations SET sequence = max(sequence, ?) WHERE id = ?",
        (sequence, conversation),
    )
    _attachments(db, message)


#: Optional parts of a message that the page may show; whatever else a message brings is not ours to keep.
_EXTRAS = ("reply_to", "choice", "referral", "forwarded")


def _attachments(db: sqlite3.Connection, message: Data) -> None:
    for place, attachment in enumerate(message.get("attachments") or ()):
        db.execute(
            """INSERT INTO attachments (id, message, place, state, body) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body""",
            (attachment["id"], message["id"], place, str(attachment["state"]), _json(attachment)),
        )


def add_notice(db: sqlite3.Connection, conversation: str, notice: Data, at: int) -> None:
    """A line about the conversation that nobody wrote."""
    change = next_revision(db)
    db.execute(
        """INSERT INTO messages
             (id, conversation, sequence, direction, transcript, at, details, revision)
           SELECT ?, id, sequence, 'notice', '', ?, ?, ? FROM conversations WHERE id = ?""",
        (f"notice_{change}", at, _json({"notice": notice}), change, conversation),
    )
    db.execute("UPDATE conversations SET revision = ? WHERE id = ?", (change, conversation))


def _find(db: sqlite3.Connection, message: Data) -> sqlite3.Row:
    row = db.execute("SELECT * FROM messages WHERE id = ?", (message["id"],)).fetchone()
    if row is None:
        raise KeyError(message["id"])
    found: sqlite3.Row = row
    return found


def _words(value: object) -> str | None:
    return None if value is None else str(value)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
