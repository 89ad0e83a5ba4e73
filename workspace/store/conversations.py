"""The list of conversations, as the page shows it."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from workspace.text.language import say
from workspace.text.safe_text import clean_name, clean_text
from workspace.text.wording import describe_notice, display_address, platform_name, shown_name

from . import search
from .database import revision
from .failures import COUNT_UNSEEN
from .folding import find_folded
from .reading import READABLE, Scope
from .waiting import QUEUE_PLACE

#: More than a tall screen shows. The page loads the next ones when it is scrolled to the end.
PAGE = 60

#: Characters of the last line that the list shows at most.
_LAST_LINE_LENGTH = 140
#: A search hit after more characters than this would not be visible, so the line is cut before it.
_LEAD_LENGTH = 40

_ASSIGNED = "SELECT 1 FROM assignments WHERE conversation = c.id"

#: SQL conditions of the tabs above the list.
TABS: Mapping[str, str] = {
    "all": "1",
    "open": "c.open",
    "closed": "NOT c.open",
    "mine": f"EXISTS ({_ASSIGNED} AND agent = :agent)",
    "free": f"c.open AND NOT EXISTS ({_ASSIGNED})",
}

_COUNT_UNREAD = """SELECT sum((SELECT count(*) FROM messages AS new WHERE new.origin = o.id
      AND new.direction = 'in' AND NOT new.history
      AND new.sequence > coalesce((SELECT sequence FROM marks
        WHERE agent = :agent AND conversation = o.id), 0)))
    FROM conversations AS o WHERE o.id = c.id OR o.merged_into = c.id"""

#: SQL conditions of the states by which the list can be filtered.
STATES: Mapping[str, str] = {
    "any": "1",
    "waiting": "c.waiting_since IS NOT NULL",
    "unread": f"({_COUNT_UNREAD}) > 0",
    "failed": f"({COUNT_UNSEEN}) > 0",
}


@dataclass(frozen=True, slots=True)
class _Order:
    """The place of a conversation in the list, and how the list continues after a place."""

    place: str
    continues: str
    direction: str


ORDERS: Mapping[str, _Order] = {
    "latest": _Order("c.active_at", "<", "DESC"),
    "waiting": _Order(QUEUE_PLACE, ">", "ASC"),
}

_LAST_OF = """SELECT position FROM messages WHERE conversation = c.id AND direction {direction} 'notice'
    ORDER BY placed_at DESC, sequence DESC, position DESC LIMIT 1"""
#: A notice is shown only if there is nothing else: it must not hide what the customer wrote.
_LAST = f"coalesce(({_LAST_OF.format(direction='!=')}), ({_LAST_OF.format(direction='=')}))"

_COLUMNS = f"""
    SELECT c.*, m.direction, m.text, m.transcript, m.deleted, m.at, m.details, m.author,
      ({_COUNT_UNREAD}) AS unread,
      (SELECT json_group_array(agent) FROM (SELECT agent FROM assignments
        WHERE conversation = c.id ORDER BY since, agent)) AS agents,
      {QUEUE_PLACE} AS queue_place,
      ({COUNT_UNSEEN}) AS undelivered"""  # noqa: S608  # constants
_LATEST = f"{_COLUMNS} FROM conversations AS c LEFT JOIN messages AS m ON m.position = {_LAST}"
_HITS = f"""{_COLUMNS} FROM json_each(:found) AS hit JOIN conversations AS c ON c.id = hit.key
    LEFT JOIN messages AS m ON m.position = CASE hit.value WHEN 0 THEN {_LAST} ELSE hit.value END
    ORDER BY c.active_at DESC, c.id DESC"""

_COUNTS = f"""SELECT
    (SELECT count(*) FROM assignments AS s JOIN conversations AS c ON c.id = s.conversation
      WHERE s.agent = :agent AND {STATES["unread"]}) AS mine,
    (SELECT count(*) FROM conversations AS c WHERE c.merged_into IS NULL AND {TABS["free"]}) AS free"""  # noqa: S608  # constants

Summary = dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What the list shows: a tab, a state and a channel (empty for all of them), in an order."""

    tab: str = "all"
    state: str = "any"
    channel: str = ""
    order: str = "latest"

    def condition(self) -> str:
        return (
            f"c.merged_into IS NULL AND {TABS[self.tab]} AND {STATES[self.state]}"
            f" AND (:channel = '' OR c.connector = :channel) AND {READABLE}"
        )


def page(
    db: sqlite3.Connection, scope: Scope, view: View, after: tuple[int, str] | None
) -> list[Summary]:
    """Return one page of the list. `after` is the place of the last entry of the previous page."""
    order = ORDERS[view.order]
    beyond = f"({order.place}, c.id) {order.continues} (:place, :id)" if after else "1"
    place, id = after or (0, "")
    rows = db.execute(
        f"""{_LATEST} WHERE {beyond} AND {view.condition()}
            ORDER BY {order.place} {order.direction}, c.id {order.direction} LIMIT :page""",
        {
            **scope.parameters,
            "channel": view.channel,
            "place": place,
            "id": id,
            "page": PAGE,
        },
    )
    return [_summary(row, scope.agent) for row in rows]


def search_page(db: sqlite3.Connection, scope: Scope, view: View, text: str) -> list[Summary]:
    """Return conversations of the view whose messages or names match the text, each with the matching line."""
    wanted = db.execute(
        f"SELECT c.id FROM conversations AS c WHERE {view.condition()}",  # noqa: S608  # from tables
        {**scope.parameters, "channel": view.channel},
    )
    found = search.find(db, text, {row["id"] for row in wanted}, PAGE)
    rows = db.execute(_HITS, {"agent": scope.agent, "found": orjson.dumps(found).decode()})
    return [_summary(row, scope.agent, text) for row in rows]


def changed(db: sqlite3.Connection, scope: Scope, since: int) -> tuple[list[Summary], int]:
    """Return conversations that changed after revision `since`, oldest change first, and the revision up to which.

    Those that were merged into another one are among them, so that pages can follow.
    """
    # Conversations that changed together have one revision, so a page ends with all of them.
    last = db.execute(
        "SELECT revision FROM conversations WHERE revision > ? ORDER BY revision LIMIT 1 OFFSET ?",
        (since, PAGE - 1),
    ).fetchone()
    up_to = revision(db) if last is None else int(last["revision"])
    rows = db.execute(
        f"""{_LATEST} WHERE c.revision > :since AND c.revision <= :up_to AND {READABLE}
            ORDER BY c.revision""",
        {**scope.parameters, "since": since, "up_to": up_to},
    )
    return [_summary(row, scope.agent) for row in rows], up_to


def find(db: sqlite3.Connection, agent: str, id: str) -> Summary | None:
    row = db.execute(f"{_LATEST} WHERE c.id = :id", {"agent": agent, "id": id}).fetchone()
    return None if row is None else _summary(row, agent)


def counts(db: sqlite3.Connection, scope: Scope) -> dict[str, int]:
    """Count what waits for the agent: own conversations with unread messages, and open ones that nobody has."""
    row = db.execute(_COUNTS, scope.parameters).fetchone()
    return {"mine": row["mine"], "free": row["free"]}


def channels(db: sqlite3.Connection) -> list[str]:
    """Return the connectors from which there are conversations."""
    rows = db.execute("SELECT DISTINCT connector FROM conversations ORDER BY connector")
    return [row["connector"] for row in rows]


def _summary(row: sqlite3.Row, agent: str, query: str = "") -> Summary:
    agents = orjson.loads(row["agents"])
    consumer = clean_name(row["consumer_id"]) or ""
    return {
        "id": row["id"],
        "name": shown_name(row["platform"], row["consumer_name"], consumer),
        "consumer": display_address(row["platform"], consumer),
        "connector": row["connector"],
        "platform": row["platform"],
        "platform_name": platform_name(row["platform"]),
        "open": bool(row["open"]),
        "agents": agents,
        "assigned": agent in agents,
        "unread": row["unread"],
        "undelivered": row["undelivered"],
        "sequence": row["sequence"],
        "last": _last_line(row, agent, query),
        "active_at": row["active_at"],
        "waiting_since": row["waiting_since"],
        "queue_place": row["queue_place"],
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
        return {"from": "", "line": say("line.deleted")}
    first = row["transcript"].partition("\n")[0]
    media = first if row["transcript"] != row["text"] else ""
    text = _excerpt(query, " ".join((clean_text(row["text"]) or "").split()))
    line = " ".join(part for part in (media, text) if part)[:_LAST_LINE_LENGTH]
    if row["direction"] == "in":
        return {"from": "", "line": line}
    return {"from": say("you" if row["author"] == agent else "us"), "line": line}


def _excerpt(query: str, text: str) -> str:
    """Return the text from shortly before the search hit, if the hit is far from the beginning."""
    terms = search.split_terms(query)
    place = find_folded(text, terms[0]) if terms and len(text) > _LEAD_LENGTH else -1
    return f"… {text[place - 20 :]}" if place > _LEAD_LENGTH else text
