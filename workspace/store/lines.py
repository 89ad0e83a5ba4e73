"""Lines of the transcript: messages, their attachments, and notices."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson

from workspace.text.wording import PLACEHOLDERS
from workspace.timestamps import parse_timestamp

from . import search, waiting
from .database import next_revision

Data = Mapping[str, Any]

#: Optional parts of a message that the page may show. Other parts are not stored.
_EXTRAS = ("reply_to", "reply_to_id", "choice", "referral", "forwarded")


def insert_message(db: sqlite3.Connection, data: Data, direction: str, now: int) -> None:
    """Add a message with its attachments, unless it is there already."""
    message, conversation = data["message"], data["conversation"]["id"]
    origin, history = origin_of(data), is_history(message)
    sequence = int(message.get("sequence") or _latest_sequence(db, origin))
    received = parse_timestamp(message.get("received_at"), now)
    sent = parse_timestamp(message.get("sent_at"), received)
    text = text_or_none(message.get("text"))
    added = db.execute(
        """INSERT INTO messages (id, conversation, sequence, direction, author, platform_id, text,
             transcript, at, deleted, details, revision, origin, placed_at, history)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
           RETURNING position, placed_at""",
        (
            *(message["id"], conversation, sequence, direction),
            *(text_or_none(message.get("sender_app")), text_or_none(message.get("platform_id"))),
            *(text, _transcript(message), sent, message.get("deleted") is True),
            to_json({name: message[name] for name in _EXTRAS if message.get(name)}),
            *(next_revision(db), origin),
            sent if history else place_after(db, origin, sequence, min(sent, received)),
            history,
        ),
    ).fetchone()
    if added is not None:
        search.index(db, added["position"], text)
        if direction == "out":
            waiting.refresh(db, conversation)
        elif not history:
            waiting.begin(db, conversation, added["placed_at"])
    db.execute(
        "UPDATE conversations SET sequence = max(sequence, ?) WHERE id = ?", (sequence, origin)
    )
    upsert_attachments(db, message)


def origin_of(data: Data) -> str:
    """Return the conversation to which the sequences in an event belong."""
    return str(data.get("origin") or data["conversation"]["id"])


def is_history(message: Data) -> bool:
    return message.get("history") is True


def _latest_sequence(db: sqlite3.Connection, origin: str) -> int:
    row = db.execute("SELECT sequence FROM conversations WHERE id = ?", (origin,)).fetchone()
    return int(row["sequence"])


def _transcript(message: Data) -> str:
    if message.get("deleted") is True:
        return ""
    lines = [
        PLACEHOLDERS.get(attachment["kind"], PLACEHOLDERS["unsupported"])
        for attachment in message.get("attachments") or ()
    ]
    return str(message.get("transcript") or "\n".join(lines) or message.get("text") or "")


def place_after(db: sqlite3.Connection, origin: str, sequence: int, at: int) -> int:
    """Return the time for the place of a line: `at`, or later if a line before it in the same origin is later.

    So the sequence decides within an origin, and the time between lines of two origins.
    """
    row = db.execute(
        """SELECT placed_at FROM messages WHERE origin = ? AND sequence <= ? AND NOT history
           ORDER BY sequence DESC, position DESC LIMIT 1""",
        (origin, sequence),
    ).fetchone()
    return at if row is None else max(at, int(row["placed_at"]))


def upsert_attachments(db: sqlite3.Connection, message: Data) -> None:
    """Add or replace attachments, unless the message has been deleted."""
    if db.execute("SELECT 1 FROM messages WHERE id = ? AND deleted", (message["id"],)).fetchone():
        return
    for place, attachment in enumerate(message.get("attachments") or ()):
        db.execute(
            """INSERT INTO attachments (id, message, place, state, body) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body""",
            (attachment["id"], message["id"], place, str(attachment["state"]), to_json(attachment)),
        )


def add_notice(db: sqlite3.Connection, conversation: str, notice: Data, at: int) -> None:
    """Add a line about the conversation that is not a message."""
    row = db.execute("SELECT sequence FROM conversations WHERE id = ?", (conversation,)).fetchone()
    if row is None:
        return
    change, sequence = next_revision(db), row["sequence"]
    db.execute(
        """INSERT INTO messages (id, conversation, sequence, direction, transcript, at, details,
             revision, origin, placed_at) VALUES (?, ?, ?, 'notice', '', ?, ?, ?, ?, ?)""",
        (
            *(f"notice_{change}", conversation, sequence, at, to_json({"notice": notice}), change),
            *(conversation, place_after(db, conversation, sequence, at)),
        ),
    )
    db.execute("UPDATE conversations SET revision = ? WHERE id = ?", (change, conversation))


def find_message(db: sqlite3.Connection, message: Data) -> sqlite3.Row:
    """Return the row of a message. Raises KeyError if it is not known."""
    row = db.execute(
        """SELECT * FROM messages WHERE id = :id OR position =
             (SELECT position FROM earlier_attempts WHERE message = :id)""",
        {"id": message["id"]},
    ).fetchone()
    if row is None:
        raise KeyError(message["id"])
    found: sqlite3.Row = row
    return found


def text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def to_json(value: object) -> str:
    return orjson.dumps(value).decode()
