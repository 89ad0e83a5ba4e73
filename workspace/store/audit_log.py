"""The audit log: who viewed which photo or video, who took or handed over which conversation, and when."""

import sqlite3
from typing import Any

from workspace.text.safe_text import clean_name
from workspace.text.wording import fallback_name

PAGE = 100


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
    db: sqlite3.Connection, before: int, agent: str, *, views: bool, glimpses: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    rows = db.execute(
        """SELECT a.*, c.id AS found, c.consumer_name, c.consumer_id, c.platform, json_extract(t.body, '$.kind') AS kind
           FROM audit AS a LEFT JOIN conversations AS named ON named.id = a.conversation
             LEFT JOIN conversations AS c ON c.id = coalesce(named.merged_into, named.id)
             LEFT JOIN attachments AS t ON t.id = a.attachment
           WHERE a.number < :before AND (:agent = '' OR a.agent = :agent)
             AND (NOT :views OR a.attachment IS NOT NULL)
             AND (:glimpses OR a.did NOT IN ('thumbnail', 'poster'))
           ORDER BY a.number DESC LIMIT :page""",
        {"before": before, "agent": agent, "views": views, "glimpses": glimpses, "page": PAGE},
    )
    found = [_entry(row) for row in rows]
    agents = [row["agent"] for row in db.execute("SELECT DISTINCT agent FROM audit ORDER BY agent")]
    return found, agents


def _entry(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "number": row["number"],
        "at": row["at"],
        "agent": row["agent"],
        "did": row["did"],
        "kind": row["kind"],
        "conversation": row["found"],
        "gone": bool(row["conversation"] and not row["found"]),
        "consumer": clean_name(row["consumer_name"])
        or fallback_name(row["platform"] or "", clean_name(row["consumer_id"]) or ""),
        "attachment": row["attachment"],
        "detail": row["detail"],
    }
