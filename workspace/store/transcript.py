"""The lines of one conversation, as the page shows them: one page at a time, or the latest changes."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson

from workspace.text.safe_text import clean_name, clean_text
from workspace.text.wording import (
    PLACEHOLDERS,
    can_retry,
    describe_notice,
    describe_reason,
    describe_state,
    describe_status,
    format_duration,
    format_size,
)

#: About three screens. The page loads older lines when it is scrolled up to them.
PAGE = 60

Line = dict[str, Any]

_SELECT_LINES = """
    SELECT m.*, s.status, s.reason, s.code, s.detail, r.key, r.state, r.reason AS refused,
      (SELECT json_group_array(emoji) FROM reactions WHERE message = m.id) AS reactions
    FROM messages AS m LEFT JOIN statuses AS s ON s.message = m.id
      LEFT JOIN replies AS r ON r.position = m.position
    WHERE m.conversation = :conversation
"""


def page(
    db: sqlite3.Connection, conversation: str, before: tuple[int, int] | None, *, media: bool
) -> list[Line]:
    """Return the latest lines, or those before (sequence, position), oldest first.

    Without `media` the viewer sees that there are attachments, but no details of them.
    """
    sequence, position = before or (1 << 62, 0)
    rows = db.execute(
        f"""{_SELECT_LINES} AND (m.sequence, m.position) < (:sequence, :position)
            ORDER BY m.sequence DESC, m.position DESC LIMIT :page""",
        {
            "conversation": conversation,
            "sequence": sequence,
            "position": position,
            "page": PAGE,
        },
    ).fetchall()
    return _lines(db, rows[::-1], media=media)


def changed(db: sqlite3.Connection, conversation: str, since: int, *, media: bool) -> list[Line]:
    """Return the lines that changed after revision `since`, earliest change first."""
    rows = db.execute(
        f"{_SELECT_LINES} AND m.revision > :since ORDER BY m.revision LIMIT :page",
        {"conversation": conversation, "since": since, "page": PAGE},
    ).fetchall()
    return _lines(db, rows, media=media)


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
        "revision": row["revision"],
    }
    if row["direction"] == "notice":
        return {**line, "text": clean_text(describe_notice(details["notice"]))}
    placeholders = row["transcript"].split("\n") if attachments else []
    return {
        **line,
        "text": clean_text(row["text"]),
        "deleted": bool(row["deleted"]),
        "edited": bool(details.get("edited")),
        "forwarded": bool(details.get("forwarded")),
        "choice": clean_name(_text(details.get("choice"))),
        "reply_to": _quoted(db, row["conversation"], details.get("reply_to")),
        "reactions": orjson.loads(row["reactions"]),
        "status": row["status"] or row["state"],
        "status_words": clean_text(describe_status(row["status"] or row["state"])),
        "reason": clean_text(
            describe_reason(row["reason"], row["code"], row["detail"]) or row["refused"]
        ),
        "key": row["key"],
        "attachments": [
            _attachment(
                attachment, placeholders[place] if place < len(placeholders) else None, media=media
            )
            for place, attachment in enumerate(attachments)
        ],
    }


def _attachment(body: Mapping[str, Any], line: str | None, *, media: bool) -> Mapping[str, Any]:
    kind = str(body.get("kind"))
    public = {
        "id": body["id"],
        "kind": kind,
        "line": line or PLACEHOLDERS.get(kind, PLACEHOLDERS["unsupported"]),
        "state": body.get("state"),
        "words": clean_text(describe_state(body)),
        "visible": media,
        "retry": media and can_retry(body),
    }
    if not media:
        return public
    renditions = body.get("renditions") or {}
    duration = body.get("duration_seconds")
    size = (renditions.get("video") or renditions.get("preview") or {}).get("bytes")
    return {
        **public,
        "name": clean_name(_text(body.get("name"))),
        "width": body.get("width"),
        "height": body.get("height"),
        "length": format_duration(duration) if isinstance(duration, int | float) else None,
        "size": format_size(size) if isinstance(size, int | float) else None,
        "renditions": sorted(renditions),
        "location": _clean_values(body.get("location")),
        "contacts": _contact_cards(body.get("contacts")),
    }


def _quoted(db: sqlite3.Connection, conversation: str, reply_to: Any) -> Mapping[str, Any] | None:
    """Return the line that a message quotes, found by our id or the platform's."""
    id = reply_to.get("id") if isinstance(reply_to, Mapping) else reply_to
    if not id:
        return None
    row = db.execute(
        """SELECT id, position, text, transcript FROM messages
           WHERE conversation = ? AND (id = ? OR platform_id = ?
             OR id = (SELECT message FROM statuses WHERE platform_id = ?))""",
        (conversation, *(str(id),) * 3),
    ).fetchone()
    if row is None:
        return {"id": None, "position": None, "line": "an earlier message"}
    words = clean_text(row["text"] or row["transcript"]) or ""
    return {"id": row["id"], "position": row["position"], "line": " ".join(words.split())[:120]}


def _clean_values(values: Any) -> Mapping[str, Any] | None:
    if not isinstance(values, Mapping):
        return None
    return {str(name): clean_name(_text(value)) for name, value in values.items()}


def _contact_cards(cards: Any) -> list[Mapping[str, Any]]:
    """Reduce contact cards of any platform to a name, phone numbers and e-mail addresses."""
    if not isinstance(cards, list):
        return []
    return [_contact_card(card) for card in cards if isinstance(card, Mapping)]


def _contact_card(card: Mapping[str, Any]) -> Mapping[str, Any]:
    name = card.get("name")
    if isinstance(name, Mapping):
        name = name.get("formatted_name") or name.get("first_name")
    reach = [
        entry.get(word) if isinstance(entry, Mapping) else entry
        for group, word in (("phones", "phone"), ("emails", "email"))
        for entry in card.get(group) or ()
    ]
    return {
        "name": clean_name(_text(name)) or "Contact",
        "reach": [words for value in reach if (words := clean_name(_text(value)))],
    }


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
