"""The outbox: events the core has yet to take, in lanes of one conversation each."""

import sqlite3
from collections.abc import Iterable

from .rows import Entry


def lanes(connection: sqlite3.Connection) -> list[int]:
    """The conversations that have something to forward, the longest waiting first."""
    rows = connection.execute(
        "SELECT conversation FROM outbox GROUP BY conversation ORDER BY min(key)"
    )
    return [conversation for (conversation,) in rows]


def next_entries(
    connection: sqlite3.Connection, conversation: int, after: int, limit: int
) -> list[Entry]:
    """A lane's events after row `after`, in order."""
    rows = connection.execute(
        "SELECT key, conversation, event_id, hold_until, body FROM outbox "
        "WHERE conversation = ? AND key > ? ORDER BY key LIMIT ?",
        (conversation, after, limit),
    )
    return [Entry(*row) for row in rows]


def taken(connection: sqlite3.Connection, keys: Iterable[int]) -> None:
    """The core has these."""
    connection.executemany("DELETE FROM outbox WHERE key = ?", [(key,) for key in keys])


def size(connection: sqlite3.Connection) -> int:
    """How many events wait."""
    (count,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return int(count)
