"""Photos, videos, sounds and documents: those of one conversation in its order, and all that an agent may see."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from workspace.text.safe_text import clean_text
from workspace.text.wording import shown_name

from .attachment_view import show_attachment

#: Items that a page loads at once.
PAGE = 40

#: Kinds of attachments that are files. Locations and the fields of contact cards are part of the transcript.
KINDS = ("photo", "video", "audio", "document", "sticker")

_IS_MEDIA = "a.state = 'ready' AND a.body->>'kind' IN (SELECT value FROM json_each(:kinds))"

#: The ids of all media of a conversation, in the order of the transcript.
_IN_ORDER = f"""SELECT a.id FROM messages AS m JOIN attachments AS a ON a.message = m.id
    WHERE m.conversation = :conversation AND {_IS_MEDIA}
    ORDER BY m.placed_at, m.sequence, m.position, a.place"""  # noqa: S608  # constants

_COLUMNS = """SELECT a.id, a.body, a.place, m.position, m.conversation, m.at, m.text, c.platform, c.consumer_name,
    c.consumer_id, EXISTS (SELECT 1 FROM assignments AS s
      WHERE s.conversation = m.conversation AND s.agent = :agent) AS assigned"""

_ITEMS = f"""{_COLUMNS} FROM json_each(:ids) AS wanted JOIN attachments AS a ON a.id = wanted.value
    JOIN messages AS m ON m.id = a.message JOIN conversations AS c ON c.id = m.conversation
    ORDER BY wanted.key"""

#: Latest first. `everything` is whether other agents' files are listed, too.
_LATEST = f"""{_COLUMNS} FROM messages AS m JOIN attachments AS a ON a.message = m.id
    JOIN conversations AS c ON c.id = m.conversation
    WHERE (m.at, m.position, a.place) < (:at, :position, :place) AND {_IS_MEDIA}
      AND (:conversation = '' OR m.conversation = :conversation) AND (:everything OR assigned)
    ORDER BY m.at DESC, m.position DESC, a.place DESC LIMIT :page"""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """Which files an agent wants to see: of one kind and one conversation, or of all if they are empty."""

    agent: str
    everything: bool
    kind: str = ""
    conversation: str = ""


def window(
    db: sqlite3.Connection, agent: str, conversation: str, around: str
) -> Mapping[str, Any] | None:
    """Return the media before and after one of them, how many come before, and how many there are.

    `around` is an id, `first` or `last`. Returns None if the conversation does not have it, or no longer.
    """
    rows = db.execute(_IN_ORDER, {"conversation": conversation, "kinds": _to_json(KINDS)})
    ids = [row["id"] for row in rows]
    edges = {"first": ids[0], "last": ids[-1]} if ids else {}
    middle = edges.get(around, around)
    if middle not in ids:
        return None
    first = max(0, ids.index(middle) - PAGE // 2)
    wanted = ids[first : first + PAGE]
    found = db.execute(_ITEMS, {"agent": agent, "ids": _to_json(wanted)})
    return {"items": [_item(row) for row in found], "first": first, "total": len(ids)}


def latest(
    db: sqlite3.Connection, search: Search, before: tuple[int, int, int] | None
) -> tuple[list[Item], str | None]:
    """Return one page of files, latest first, and where the next page begins."""
    at, position, place = before or (1 << 62, 0, 0)
    kinds = [search.kind] if search.kind else KINDS
    rows = db.execute(
        _LATEST,
        {
            "agent": search.agent,
            "everything": search.everything,
            "conversation": search.conversation,
            "kinds": _to_json(kinds),
            "at": at,
            "position": position,
            "place": place,
            "page": PAGE,
        },
    ).fetchall()
    last = rows[-1] if len(rows) == PAGE else None
    following = last and f"{last['at']}.{last['position']}.{last['place']}"
    return [_item(row) for row in rows], following


def _item(row: sqlite3.Row) -> Item:
    assigned = bool(row["assigned"])
    return {
        "attachment": show_attachment(orjson.loads(row["body"]), None, media=assigned),
        "conversation": row["conversation"],
        "customer": shown_name(row["platform"], row["consumer_name"], row["consumer_id"]),
        "position": row["position"],
        "at": row["at"],
        "text": clean_text(row["text"]) if assigned else None,
    }


def _to_json(value: object) -> str:
    return orjson.dumps(value).decode()
