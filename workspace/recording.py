"""What each event changes in the workspace's own tables. One function per type, each inside one transaction.

An event of a type we do not know, or whose data we cannot read, is kept as it came: it must not hold up
the conversation's lane, and a later version can read it.
"""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from workspace.database import next_revision
from workspace.moments import moment
from workspace.wording import LINES

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
        recorder(db, event["data"], moment(event.get("time"), now))
    except (*_UNREADABLE, sqlite3.IntegrityError, sqlite3.ProgrammingError):
        db.execute("ROLLBACK TO reading")
        return False
    finally:
        db.execute("RELEASE reading")
    return type != "event.unrecognised"


def _received(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    _conversation(db, data["conversation"], moment(message.get("received_at"), now))
    db.execute("UPDATE conversations SET open = 1 WHERE id = ?", (data["conversation"]["id"],))
    _message(db, data, "in", now)


def _echoed(db: sqlite3.Connection, data: Data, now: int) -> None:
    _conversation(db, data["conversation"], moment(data["message"].get("received_at"), now))
    _message(db, data, "out", now)


def _attachment_updated(db: sqlite3.Connection, data: Data, now: int) -> None:
    message = data["message"]
    known = db.execute("SELECT 1 FROM messages WHERE id = ?", (message["id"],)).fetchone()
    if known is None:
        _received(db, data, now)
        return
    _attachments(db, message)
    _touch_message(db, message["id"])


def _status(db: sqlite3.Connection, data: Data, _now: int) -> None:
    id, status = data["message"]["id"], str(data["status"])
    row = db.execute("SELECT status FROM statuses WHERE message = ?", (id,)).fetchone()
    if row is not None and _RANK.get(status, 0) <= _RANK.get(row["status"], 0):
        return  # forward only: "delivered" may arrive after "read"
    db.execute(
        "INSERT OR REPLACE INTO statuses (message, status, reason) VALUES (?, ?, ?)",
        (id, status, _words(data.get("reason"))),
    )
    _touch_message(db, id)


_RANK = {"accepted": 1, "sent": 2, "delivered": 3, "read": 4, "failed": 5}


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
    _touch_message(db, row["id"])


def _deleted(db: sqlite3.Connection, data: Data, _now: int) -> None:
    id = _find(db, data["message"])["id"]
    db.execute("DELETE FROM attachments WHERE message = ?", (id,))
    db.execute("DELETE FROM reactions WHERE message = ?", (id,))
    db.execute(
        "UPDATE messages SET text = NULL, transcript = '', details = '{}', deleted = 1 WHERE id = ?",
        (id,),
    )
    _touch_message(db, id)


def _reaction(db: sqlite3.Connection, data: Data, _now: int) -> None:
    id = _find(db, data["message"])["id"]
    reaction = data.get("reaction")
    emoji = reaction.get("emoji") if isinstance(reaction, Mapping) else data.get("emoji", reaction)
    who = str(data["conversation"]["id"]) if "conversation" in data else "consumer"
    if emoji:
        db.execute("INSERT OR REPLACE INTO reactions VALUES (?, ?, ?)", (id, who, str(emoji)))
    else:
        db.execute("DELETE FROM reactions WHERE message = ? AND who = ?", (id, who))
    _touch_message(db, id)


def _closed(db: sqlite3.Connection, data: Data, now: int) -> None:
    id = data["conversation"]["id"]
    _conversation(db, data["conversation"], now)
    db.execute("UPDATE conversations SET open = 0 WHERE id = ?", (id,))
    add_notice(db, id, {"kind": "closed_by_consumer"}, now)


def _notice(db: sqlite3.Connection, data: Data, now: int) -> None:
    notice = data.get("notice", data)
    _conversation(db, data["conversation"], now)
    told = {"kind": str(notice["kind"]), "text": _words(notice.get("text"))}
    add_notice(db, data["conversation"]["id"], told, now)


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
    db.execute(
        """INSERT INTO conversations
             (id, connector, platform, account, consumer_id, consumer_name, active_at, revision)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET
             consumer_name = coalesce(excluded.consumer_name, consumer_name),
             active_at = max(active_at, excluded.active_at),
             revision = excluded.revision""",
        (
            conversation["id"],
            str(conversation["connector"]),
            str(conversation["platform"]),
            str(conversation.get("account") or ""),
            str(consumer["id"]),
            _words(consumer.get("name")),
            at,
            next_revision(db),
        ),
    )


def _message(db: sqlite3.Connection, data: Data, direction: str, now: int) -> None:
    message, conversation = data["message"], data["conversation"]["id"]
    latest = db.execute("SELECT sequence FROM conversations WHERE id = ?", (conversation,))
    sequence = int(message.get("sequence") or latest.fetchone()["sequence"])
    received = moment(message.get("received_at"), now)
    lines = [LINES.get(a["kind"], LINES["unsupported"]) for a in message.get("attachments") or ()]
    transcript = message.get("transcript") or "\n".join(lines) or message.get("text") or ""
    db.execute(
        """INSERT INTO messages (id, conversation, sequence, direction, author, platform_id, text,
             transcript, at, details, revision)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING""",
        (
            message["id"],
            conversation,
            sequence,
            direction,
            _words(message.get("sender_app")),
            _words(message.get("platform_id")),
            _words(message.get("text")),
            str(transcript),
            moment(message.get("sent_at"), received),
            _json({name: message[name] for name in _EXTRAS if message.get(name)}),
            next_revision(db),
        ),
    )
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


def _touch_message(db: sqlite3.Connection, id: str) -> None:
    change = next_revision(db)
    db.execute("UPDATE messages SET revision = ? WHERE id = ?", (change, id))
    db.execute(
        """UPDATE conversations SET revision = ?
           WHERE id = (SELECT conversation FROM messages WHERE id = ?)""",
        (change, id),
    )


def _words(value: object) -> str | None:
    return None if value is None else str(value)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
