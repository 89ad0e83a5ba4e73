"""Merging of conversations that turned out to be one person's.

The lines move to the conversation that stays. The merged one keeps a row without any content, so that links to it, and
events and calls that still name it, lead to the one that stays, and so that what each agent has read remains known.
"""

import sqlite3

from . import waiting
from .database import next_revisions
from .reading import agents_of, record_departure


def effective_id(db: sqlite3.Connection, id: str) -> str:
    """Return the conversation that stays if this one was merged, otherwise this one."""
    row = db.execute("SELECT merged_into FROM conversations WHERE id = ?", (id,)).fetchone()
    return id if row is None or row["merged_into"] is None else str(row["merged_into"])


def merged_ids(db: sqlite3.Connection, id: str) -> list[str]:
    """Return the conversations that were merged into this one."""
    rows = db.execute("SELECT id FROM conversations WHERE merged_into = ?", (id,))
    return [row["id"] for row in rows]


def merge(db: sqlite3.Connection, merged: str, stays: str) -> None:
    """Move everything of a conversation to another one. Both have to exist."""
    names = {"merged": merged, "stays": stays}
    before = agents_of(db, stays)
    _move_lines(db, merged, stays)
    for step in _STEPS:
        db.execute(step, names)
    waiting.refresh(db, stays)
    record_departure(db, stays, before, agents_of(db, stays))
    (change,) = next_revisions(db, 1)
    # Pages that show the merged conversation learn of it from its row.
    db.execute(_EMPTY_ROW, {**names, "change": change})


_STEPS = (
    "INSERT OR IGNORE INTO assignments SELECT :stays, agent, since FROM assignments WHERE conversation = :merged",
    "DELETE FROM assignments WHERE conversation = :merged",
    """UPDATE conversations SET open = max(conversations.open, other.open),
         active_at = max(conversations.active_at, other.active_at),
         typing_until = max(conversations.typing_until, other.typing_until),
         opted_out = max(conversations.opted_out, other.opted_out)
       FROM conversations AS other WHERE conversations.id = :stays AND other.id = :merged""",
    "UPDATE conversations SET merged_into = :stays WHERE merged_into = :merged",
)
_EMPTY_ROW = """UPDATE conversations SET merged_into = :stays, revision = :change, consumer_id = '',
    consumer_name = NULL, folded = '', typing_until = 0, waiting_since = NULL WHERE id = :merged"""


def _move_lines(db: sqlite3.Connection, merged: str, stays: str) -> None:
    """Each line gets a revision of its own, because pages load changes in portions."""
    (count,) = db.execute(
        "SELECT count(*) FROM messages WHERE conversation = ?", (merged,)
    ).fetchone()
    changes = next_revisions(db, count)
    db.execute(
        """UPDATE messages SET conversation = ?, revision = ? + moving.number
           FROM (SELECT position, row_number() OVER (ORDER BY placed_at, sequence, position) - 1
                 AS number FROM messages WHERE conversation = ?) AS moving
           WHERE messages.position = moving.position""",
        (stays, changes.start, merged),
    )
