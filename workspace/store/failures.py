"""Answers that did not arrive: which ones there are, and which agents have seen them."""

import sqlite3
from typing import Any

import orjson

from workspace.text.wording import shown_name

from . import waiting

#: States and statuses of an answer that did not arrive, or may not have.
FAILED = ("failed", "refused", "unknown")

#: Conversations that are named at once. There are more only if a whole channel is down.
_MOST = 20

#: The condition for a line `f` whose failure the agent has not seen yet, in a conversation `c` that concerns the agent.
#: A conversation that nobody has concerns all agents.
_UNSEEN = """f.failed = 1
    AND NOT EXISTS (SELECT 1 FROM seen_failures WHERE position = f.position AND agent = :agent)
    AND (EXISTS (SELECT 1 FROM assignments WHERE conversation = c.id AND agent = :agent)
      OR NOT EXISTS (SELECT 1 FROM assignments WHERE conversation = c.id))"""

#: The number of such lines in a conversation `c`.
COUNT_UNSEEN = f"SELECT count(*) FROM messages AS f WHERE f.conversation = c.id AND {_UNSEEN}"  # noqa: S608  # constants

_SELECT_UNSEEN = f"""SELECT c.id, c.consumer_name, c.consumer_id, c.platform, count(*) AS count
    FROM messages AS f JOIN conversations AS c ON c.id = f.conversation WHERE {_UNSEEN}
    GROUP BY c.id ORDER BY c.active_at DESC, c.id LIMIT :most"""  # noqa: S608  # constants


def refresh(db: sqlite3.Connection, id: str) -> None:
    """Bring a line's mark in line with its status. A line that fails again counts as unseen."""
    row = db.execute(
        """UPDATE messages SET failed = direction = 'out' AND NOT deleted AND coalesce(
             coalesce((SELECT status FROM statuses WHERE message = messages.id),
               (SELECT state FROM replies WHERE position = messages.position))
             IN (SELECT value FROM json_each(?)), 0)
           WHERE id = ? RETURNING position, failed, conversation""",
        (orjson.dumps(FAILED).decode(), id),
    ).fetchone()
    if row is None:
        return
    if not row["failed"]:
        db.execute("DELETE FROM seen_failures WHERE position = ?", (row["position"],))
    waiting.refresh(db, row["conversation"])


def unseen(db: sqlite3.Connection, agent: str) -> list[dict[str, Any]]:
    """Return the conversations with failed answers that the agent should see, latest first, with their numbers."""
    rows = db.execute(_SELECT_UNSEEN, {"agent": agent, "most": _MOST})
    return [
        {
            "id": row["id"],
            "name": shown_name(row["platform"], row["consumer_name"], row["consumer_id"]),
            "count": row["count"],
        }
        for row in rows
    ]
