"""What agents have read, and the read receipts that follow from it.

Sequences count within an origin, so an agent has one mark for a conversation and one for each that was merged into it.
"""

import sqlite3
from collections.abc import Sequence

import orjson

from .database import next_revision
from .merge import effective_id, merged_ids


def mark_read(
    db: sqlite3.Connection, agent: str, conversation: str, sequence: int, shown: int
) -> list[str]:
    """Record that an agent has read up to a sequence, and return the messages for which to send read receipts.

    Of a merged conversation an agent has read only the lines up to the revision `shown`: a page that has not followed
    the merge yet does not show them. Nor does a page that still names the merged conversation show the other lines.
    """
    stays = effective_id(db, conversation)
    others = merged_ids(db, stays) if conversation == stays else []
    marks = [(conversation, sequence)]
    marks += [(id, _last_shown(db, id, shown)) for id in others]
    moved = [_move_mark(db, agent, origin, up_to) for origin, up_to in marks]
    if not any(moved):
        return []
    db.execute("UPDATE conversations SET revision = ? WHERE id = ?", (next_revision(db), stays))
    return take_receipts(db, stays)


def _last_shown(db: sqlite3.Connection, origin: str, shown: int) -> int:
    """Return the latest sequence of an origin among the lines up to a revision."""
    row = db.execute(
        "SELECT max(sequence) FROM messages WHERE origin = ? AND revision <= ?", (origin, shown)
    )
    return int(row.fetchone()[0] or 0)


def _move_mark(db: sqlite3.Connection, agent: str, origin: str, sequence: int) -> bool:
    moved = db.execute(
        """INSERT INTO marks SELECT ?, id, min(?, sequence) FROM conversations WHERE id = ?
           ON CONFLICT DO UPDATE SET sequence = excluded.sequence
           WHERE excluded.sequence > marks.sequence""",
        (agent, sequence, origin),
    )
    return moved.rowcount > 0


def mark_failures_seen(
    db: sqlite3.Connection, agent: str, conversation: str, positions: Sequence[int]
) -> None:
    """Record that an agent has seen these failed lines."""
    seen = db.execute(
        """INSERT OR IGNORE INTO seen_failures SELECT position, ? FROM messages
           WHERE conversation = ? AND failed = 1 AND position IN (SELECT value FROM json_each(?))""",
        (agent, conversation, orjson.dumps(list(positions)).decode()),
    )
    if seen.rowcount:
        change = (next_revision(db), conversation)
        db.execute("UPDATE conversations SET revision = ? WHERE id = ?", change)


def take_receipts(db: sqlite3.Connection, conversation: str) -> list[str]:
    """Return the latest message of each origin that an assigned agent has read, and mark the receipts as sent.

    Messages for which a receipt was sent before, and old ones that the platform delivered afterwards, get none. What
    other agents read counts only after they take the conversation.
    """
    stays = effective_id(db, conversation)
    found = (_take_receipt(db, stays, origin) for origin in (stays, *merged_ids(db, stays)))
    return [message for message in found if message is not None]


def _take_receipt(db: sqlite3.Connection, conversation: str, origin: str) -> str | None:
    row = db.execute(
        """SELECT m.id, m.sequence FROM messages AS m JOIN conversations AS c ON c.id = m.origin
           WHERE c.id = :origin AND m.direction = 'in' AND NOT m.history
             AND m.sequence > c.told AND m.sequence <= -- allow-word
             (SELECT max(r.sequence) FROM marks AS r JOIN assignments AS s
              ON s.conversation = :conversation AND s.agent = r.agent
              WHERE r.conversation = :origin)
           ORDER BY m.sequence DESC LIMIT 1""",
        {"origin": origin, "conversation": conversation},
    ).fetchone()
    if row is None:
        return None
    receipt = (row["sequence"], origin)
    db.execute("UPDATE conversations SET told = ? WHERE id = ?", receipt)  # allow-word
    return str(row["id"])
