"""The audit log: who viewed which photo or video, who took or handed over which conversation, and when."""

import sqlite3
from dataclasses import dataclass
from typing import Any

import orjson

from workspace.text.safe_text import clean_name
from workspace.text.wording import shown_name

from .folding import fold

PAGE = 100

_FIRST, _LAST = 0, (1 << 62)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list: of one agent, of customers with a name or number, within a time (ms).

    `views` leaves out everything but views of media, `glimpses` includes thumbnails and posters.
    """

    agent: str = ""
    customer: str = ""
    since: int = _FIRST
    until: int = _LAST
    views: bool = False
    glimpses: bool = False


_SELECT = """SELECT a.*, c.id AS found, c.consumer_name, c.consumer_id, c.platform, t.state,
      t.body->>'kind' AS kind, t.body->>'name' AS name
    FROM audit AS a LEFT JOIN conversations AS named ON named.id = a.conversation
      LEFT JOIN conversations AS c ON c.id = coalesce(named.merged_into, named.id)
      LEFT JOIN attachments AS t ON t.id = a.attachment
    WHERE a.number < :before AND (:agent = '' OR a.agent = :agent)
      AND a.at >= :since AND a.at < :until
      AND (NOT :views OR a.attachment IS NOT NULL)
      AND (:glimpses OR a.did NOT IN ('thumbnail', 'poster'))
      AND NOT EXISTS (SELECT 1 FROM json_each(:customer) WHERE coalesce(instr(c.folded, value), 0) = 0)
    ORDER BY a.number DESC LIMIT :page"""


def record(
    db: sqlite3.Connection,
    at: int,
    agent: str,
    did: str,
    *,
    conversation: str | None = None,
    attachment: str | None = None,
    detail: str | None = None,
) -> None:
    db.execute(
        """INSERT INTO audit (at, agent, did, conversation, attachment, detail)
           VALUES (?, ?, ?, ?, ?, ?)""",
        (at, agent, did, conversation, attachment, detail),
    )


def list_entries(
    db: sqlite3.Connection, wanted: AuditFilter, before: int = _LAST, page: int = PAGE
) -> list[dict[str, Any]]:
    """Return the latest entries with a number below `before`."""
    rows = db.execute(
        _SELECT,
        {
            "before": before,
            "page": page,
            "agent": wanted.agent,
            "since": wanted.since,
            "until": wanted.until,
            "views": wanted.views,
            "glimpses": wanted.glimpses,
            "customer": orjson.dumps(fold(wanted.customer).split()).decode(),
        },
    )
    return [_entry(row) for row in rows]


def list_agents(db: sqlite3.Connection) -> list[str]:
    """Return everyone whom the log names."""
    return [row["agent"] for row in db.execute("SELECT DISTINCT agent FROM audit ORDER BY agent")]


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    known = row["found"] is not None
    return {
        "number": row["number"],
        "at": row["at"],
        "agent": row["agent"],
        "did": row["did"],
        "kind": row["kind"],
        "name": clean_name(row["name"]),
        "conversation": row["found"],
        "gone": bool(row["conversation"] and not row["found"]),
        "consumer": shown_name(row["platform"], row["consumer_name"], row["consumer_id"])
        if known
        else "",
        "reference": None,
        "attachment": row["attachment"],
        "shown": row["state"] == "ready",
        "detail": row["detail"],
    }
