"""The lines of one conversation, as the page shows them: one page at a time, or the latest changes."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from workspace.text.language import say
from workspace.text.safe_text import clean_name, clean_text
from workspace.text.wording import (
    describe_notice,
    describe_reason,
    describe_refusal,
    describe_status,
)

from .attachment_view import show_attachment

#: About three screens. The page loads older lines when it is scrolled up to them.
PAGE = 60

Line = dict[str, Any]

_SELECT_LINES = """
    SELECT m.*, s.status, s.reason, s.code, s.detail, r.key, r.state, r.reason AS refused,
      r.resent_at, r.resent_by,
      (m.direction = 'in' AND NOT m.history AND m.sequence > coalesce((SELECT sequence FROM marks
        WHERE agent = :agent AND conversation = m.origin), 0)) AS unread,
      (SELECT json_group_array(emoji) FROM reactions WHERE message = m.id) AS reactions
    FROM messages AS m LEFT JOIN statuses AS s ON s.message = m.id
      LEFT JOIN replies AS r ON r.position = m.position
    WHERE m.conversation = :conversation
"""


#: Where a line is in the transcript: (placed_at, sequence, position).
Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the lines of which conversation, and whether the reader may see its media."""

    agent: str
    conversation: str
    media: bool


def page(db: sqlite3.Connection, reader: Reader, before: Place | None) -> list[Line]:
    """Return the latest lines, or those before a place, oldest first.

    Without `media` the viewer sees that there are attachments, but no details of them.
    """
    placed_at, sequence, position = before or (1 << 62, 0, 0)
    rows = db.execute(
        f"""{_SELECT_LINES}
            AND (m.placed_at, m.sequence, m.position) < (:placed_at, :sequence, :position)
            ORDER BY m.placed_at DESC, m.sequence DESC, m.position DESC LIMIT :page""",
        {
            "agent": reader.agent,
            "conversation": reader.conversation,
            "page": PAGE,
            "placed_at": placed_at,
            "sequence": sequence,
            "position": position,
        },
    ).fetchall()
    return _lines(db, rows[::-1], media=reader.media)


def changed(db: sqlite3.Connection, reader: Reader, since: int) -> list[Line]:
    """Return the lines that changed after revision `since`, earliest change first."""
    rows = db.execute(
        f"{_SELECT_LINES} AND m.revision > :since ORDER BY m.revision LIMIT :page",
        {
            "agent": reader.agent,
            "conversation": reader.conversation,
            "since": since,
            "page": PAGE,
        },
    ).fetchall()
    return _lines(db, rows, media=reader.media)


def _lines(db: sqlite3.Connection, rows: list[sqlite3.Row], *, media: bool) -> list[Line]:
    attachments = _attachments(db, [row["id"] for row in rows])
    return [_line(db, row, attachments.get(row["id"], []), media=media) for row in rows]


def _attachments(db: sqlite3.Connection, messages: list[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    rows = db.execute(
        """SELECT message, body FROM attachments
           WHERE message IN (SELECT value FROM json_each(?)) ORDER BY message, place""",
        (orjson.dumps(messages).decode(),),
    )
    for row in rows:
        found.setdefault(row["message"], []).append(orjson.loads(row["body"]))
    return found


def _line(db: sqlite3.Connection, row: sqlite3.Row, attachments: list[Any], *, media: bool) -> Line:
    details = orjson.loads(row["details"])
    line = {
        "position": row["position"],
        "id": row["id"],
        "conversation": row["conversation"],
        "sequence": row["sequence"],
        "direction": row["direction"],
        "author": clean_name(row["author"]),
        "at": row["at"],
        "placed_at": row["placed_at"],
        "revision": row["revision"],
    }
    if row["direction"] == "notice":
        notice = details["notice"]
        note = clean_text(_text(notice.get("note")))
        return {**line, "text": describe_notice(notice), "note": note}
    placeholders = row["transcript"].split("\n") if attachments else []
    return {
        **line,
        "text": clean_text(row["text"]),
        "deleted": bool(row["deleted"]),
        "history": bool(row["history"]),
        "unread": bool(row["unread"]),
        "edited": bool(details.get("edited")),
        "forwarded": bool(details.get("forwarded")),
        "choice": clean_name(_text(details.get("choice"))),
        "reply_to": _quoted(db, row["conversation"], details),
        "reactions": orjson.loads(row["reactions"]),
        "status": row["status"] or row["state"],
        "status_words": describe_status(row["status"] or row["state"]),
        "reason": describe_reason(row["reason"], row["code"], row["detail"])
        or describe_refusal(row["refused"]),
        "key": row["key"],
        "failed": bool(row["failed"]),
        "resent_at": row["resent_at"],
        "resent_by": clean_name(row["resent_by"]),
        "attachments": [
            show_attachment(
                attachment, placeholders[place] if place < len(placeholders) else None, media=media
            )
            for place, attachment in enumerate(attachments)
        ],
    }


def _quoted(
    db: sqlite3.Connection, conversation: str, details: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return the line that a message quotes, found by the gateway's id or the platform's."""
    reply_to = details.get("reply_to")
    named = reply_to.get("id") if isinstance(reply_to, Mapping) else reply_to
    ids = [str(id) for id in (details.get("reply_to_id"), named) if id]
    if not ids:
        return None
    row = next((row for id in ids if (row := _find_line(db, conversation, id))), None)
    if row is None:
        return {"id": None, "position": None, "line": say("line.quoted.earlier")}
    words = say("line.quoted.deleted") if row["deleted"] else row["text"] or row["transcript"]
    line = " ".join((clean_text(words) or "").split())[:120]
    return {
        "id": row["id"],
        "position": row["position"],
        "line": line or say("line.quoted.earlier"),
    }


def _find_line(db: sqlite3.Connection, conversation: str, id: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute(
        """SELECT id, position, text, transcript, deleted FROM messages
           WHERE conversation = ? AND (id = ? OR platform_id = ?
             OR id = (SELECT message FROM statuses WHERE platform_id = ?)
             OR position = (SELECT position FROM earlier_attempts WHERE message = ?))""",
        (conversation, *(id,) * 4),
    ).fetchone()
    return found


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
