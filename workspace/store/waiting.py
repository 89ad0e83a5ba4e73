"""Since when customers wait for an answer: the time of the first message that no answer followed.

Nobody waits in a closed conversation. An answer that did not arrive ends no wait.
"""

import sqlite3

#: Sorts conversations `c` by waiting time, the longest first, and after them the others, the latest first: no time in
#: milliseconds comes near this number.
QUEUE_PLACE = "coalesce(c.waiting_since, 4000000000000000 - c.active_at)"

_LAST_ANSWER = """SELECT placed_at, sequence, position FROM messages
    WHERE conversation = ? AND direction = 'out' AND NOT failed
    ORDER BY placed_at DESC, sequence DESC, position DESC LIMIT 1"""

_FIRST_UNANSWERED = """SELECT placed_at FROM messages
    WHERE conversation = ? AND direction = 'in' AND NOT history AND NOT deleted
      AND (placed_at, sequence, position) > (?, ?, ?)
    ORDER BY placed_at, sequence, position LIMIT 1"""


def begin(db: sqlite3.Connection, conversation: str, at: int) -> None:
    """Record that a message arrived, which is later than every answer."""
    db.execute(
        "UPDATE conversations SET waiting_since = ? WHERE id = ? AND open AND waiting_since IS NULL",
        (at, conversation),
    )


def refresh(db: sqlite3.Connection, conversation: str) -> None:
    """Find the first unanswered message again, after anything else that may have changed it."""
    db.execute(
        "UPDATE conversations SET waiting_since = CASE WHEN open THEN ? END WHERE id = ?",
        (_first_unanswered(db, conversation), conversation),
    )


def _first_unanswered(db: sqlite3.Connection, conversation: str) -> int | None:
    answer = db.execute(_LAST_ANSWER, (conversation,)).fetchone()
    place = tuple(answer) if answer else (-1, 0, 0)
    row = db.execute(_FIRST_UNANSWERED, (conversation, *place)).fetchone()
    return None if row is None else int(row["placed_at"])
