"""The list of conversations, as the page shows it."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson

from workspace.text.safe_text import clean_name, clean_text
from workspace.text.wording import PLATFORMS, describe_notice, display_address, fallback_name

from . import search
from .failures import COUNT_UNSEEN

#: More than a tall screen shows. The page loads the next ones when it is scrolled to the end.
PAGE = 60

#: Characters of the last line that the list shows at most.
_LAST_LINE_LENGTH = 140
#: A search hit after more characters than this would not be visible, so the line is cut before it.
_LEAD_LENGTH = 40

#: SQL conditions of the filters above the list.
FILTERS: Mapping[str, str] = {
    "all": "1",
    "open": "c.open",
    "closed": "NOT c.open",
    "mine": "EXISTS (SELECT 1 FROM assignments WHERE conversation = c.id AND agent = :agent)",
}

_COLUMNS = """
    SELECT c.*, m.direction, m.text, m.transcript, m.deleted, m.at, m.details, m.author,
      (SELECT sum((SELECT count(*) FROM messages AS new WHERE new.origin = o.id
          AND new.direction = 'in' AND NOT new.history
          AND new.sequence > coalesce((SELECT sequence FROM marks
            WHERE agent = :agent AND conversation = o.id), 0)))
        FROM conversations AS o WHERE o.id = c.id OR o.merged_into = c.id) AS unread,
      (SELECT json_group_array(agent) FROM (SELECT agent FROM assignments
        WHERE conversation = c.id ORDER BY since, agent)) AS agents,
"""
_COLUMNS += f"({COUNT_UNSEEN}) AS undelivered"
_LAST = """(SELECT position FROM messages WHERE conversation = c.id
    ORDER BY placed_at DESC, sequence DESC, position DESC LIMIT 1)"""
_LATEST = f"{_COLUMNS} FROM conversations AS c LEFT JOIN messages AS m ON m.position = {_LAST}"
_HITS = f"""{_COLUMNS} FROM json_each(:found) AS hit JOIN conversations AS c ON c.id = hit.key
    LEFT JOIN messages AS m ON m.position = CASE hit.value WHEN 0 THEN {_LAST} ELSE hit.value END"""

Summary = dict[str, Any]


def latest(
    db: sqlite3.Connection, agent: str, show: str, before: tuple[int, str] | None
) -> list[Summary]:
    """Return one page of the list, latest first. `before` is the last entry of the previous page."""
    at, id = before or (1 << 62, "")
    rows = db.execute(
        f"""{_LATEST} WHERE (c.active_at, c.id) < (:at, :id) AND {FILTERS[show]}
              AND c.merged_into IS NULL ORDER BY c.active_at DESC, c.id DESC LIMIT :page""",
        {"agent": agent, "at": at, "id": id, "page": PAGE},
    )
    return [_summary(row, agent) for row in rows]


def search_page(db: sqlite3.Connection, agent: str, show: str, text: str) -> list[Summary]:
    """Return conversations whose messages or names match the text, each with the matching line."""
    found = search.find(db, text, PAGE)
    rows = db.execute(
        f"{_HITS} WHERE {FILTERS[show]} AND c.merged_into IS NULL ORDER BY c.active_at DESC, c.id DESC",
        {"agent": agent, "found": orjson.dumps(found).decode()},
    )
    return [_summary(row, agent, text) for row in rows]


def changed(db: sqlite3.Connection, agent: str, since: int) -> list[Summary]:
    """Return the conversations that changed after revision `since`, oldest change first.

    Those that were merged into another one are among them, so that pages can follow.
    """
    rows = db.execute(
        f"{_LATEST} WHERE c.revision > :since ORDER BY c.revision LIMIT :page",
        {"agent": agent, "since": since, "page": PAGE},
    )
    return [_summary(row, agent) for row in rows]


def find(db: sqlite3.Connection, agent: str, id: str) -> Summary | None:
    row = db.execute(f"{_LATEST} WHERE c.id = :id", {"agent": agent, "id": id}).fetchone()
    return None if row is None else _summary(row, agent)


def _summary(row: sqlite3.Row, agent: str, query: str = "") -> Summary:
    agents = orjson.loads(row["agents"])
    consumer = clean_name(row["consumer_id"]) or ""
    fallback = fallback_name(row["platform"], consumer)
    return {
        "id": row["id"],
        "name": clean_name(row["consumer_name"]) or fallback,
        "consumer": display_address(row["platform"], consumer),
        "connector": row["connector"],
        "platform": row["platform"],
        "platform_name": PLATFORMS.get(row["platform"], row["platform"]),
        "open": bool(row["open"]),
        "agents": agents,
        "assigned": agent in agents,
        "unread": row["unread"],
        "undelivered": row["undelivered"],
        "sequence": row["sequence"],
        "last": _last_line(row, agent, query),
        "active_at": row["active_at"],
        "typing_until": row["typing_until"],
        "reply_until": row["reply_until"],
        "opted_out": bool(row["opted_out"]),
        "merged_into": row["merged_into"],
        "revision": row["revision"],
    }


def _last_line(row: sqlite3.Row, agent: str, query: str) -> Mapping[str, Any]:
    match row["direction"]:
        case None:
            return {"from": "", "line": ""}
        case "notice":
            return {"from": "", "line": describe_notice(orjson.loads(row["details"])["notice"])}
    if row["deleted"]:
        return {"from": "", "line": "This message was deleted"}
    first = row["transcript"].partition("\n")[0]
    media = first if row["transcript"] != row["text"] else ""
    text = _excerpt(query, " ".join((clean_text(row["text"]) or "").split()))
    line = " ".join(part for part in (media, text) if part)[:_LAST_LINE_LENGTH]
    if row["direction"] == "in":
        return {"from": "", "line": line}
    return {"from": "You" if row["author"] == agent else "Us", "line": line}


def _excerpt(query: str, text: str) -> str:
    """Return the text from shortly before the search hit, if the hit is far from the beginning."""
    place = text.casefold().find(query.casefold()) if query else -1
    return f"… {text[place - 20 :]}" if place > _LEAD_LENGTH else text
