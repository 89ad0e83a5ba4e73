"""Forgetting what the gateway forgets: words in their time, whole lines once nothing of them can be seen."""

import asyncio
import sqlite3
from functools import partial

from workspace.store.erase import erase
from workspace.timestamps import now

from .database import Database, next_revision

#: Seconds between two rounds, and between two batches of one.
_EVERY, _PAUSE = 15 * 60.0, 0.01

#: Seconds for which a repeat of an event is recognised. The gateway repeats one that it saw no answer to, and
#: after a stop that is as late as its start.
_REPEATS = 90 * 24 * 3600.0

#: Lines in one transaction, so that nobody waits long for the database.
_BATCH = 200

_GOING = "CREATE TEMP TABLE IF NOT EXISTS going (position INTEGER, id TEXT)"

#: Lines whose words are over and whose photos and videos are not: those end when the gateway says so.
_WORDY = """INSERT INTO going SELECT m.position, m.id FROM messages AS m
    WHERE m.at < ? AND (m.text IS NOT NULL OR m.details != '{}') AND EXISTS
      (SELECT 1 FROM attachments WHERE message = m.id AND state IN ('ready', 'pending'))
    ORDER BY m.at LIMIT ?"""
_WITHOUT_WORDS = (
    "DELETE FROM words WHERE rowid IN (SELECT position FROM going)",
    "DELETE FROM reactions WHERE message IN (SELECT id FROM going)",
    """UPDATE attachments SET body = json_remove(json_set(body, '$.name', NULL), '$.location', '$.contacts')
       WHERE message IN (SELECT id FROM going)""",
    "UPDATE messages SET text = NULL, details = '{}' WHERE position IN (SELECT position FROM going)",
)

#: Lines of which nothing is left to see.
_SPENT = """INSERT INTO going SELECT m.position, m.id FROM messages AS m
    WHERE m.at < ? AND NOT EXISTS
      (SELECT 1 FROM attachments WHERE message = m.id AND state IN ('ready', 'pending'))
    ORDER BY m.at LIMIT ?"""
_WITHOUT_LINES = (
    "DELETE FROM words WHERE rowid IN (SELECT position FROM going)",
    "DELETE FROM reactions WHERE message IN (SELECT id FROM going)",
    "DELETE FROM attachments WHERE message IN (SELECT id FROM going)",
    "DELETE FROM statuses WHERE message IN (SELECT id FROM going)",
    "DELETE FROM replies WHERE position IN (SELECT position FROM going)",
    "DELETE FROM messages WHERE position IN (SELECT position FROM going)",
)

_CHANGED = """UPDATE conversations SET revision = ? WHERE id IN
    (SELECT conversation FROM messages WHERE position IN (SELECT position FROM going))"""


async def keep_forgetting(database: Database, words: float | None, trail: float) -> None:
    """Rounds for ever; `words` and `trail` (the audit's) are how long each is kept, in seconds."""
    while True:
        found = await database.write(partial(_forget_all, words=words, trail=trail))
        await asyncio.sleep(_PAUSE if found else _EVERY)


def _forget_all(db: sqlite3.Connection, words: float | None, trail: float) -> int:
    def ago(seconds: float) -> int:
        return now() - round(seconds * 1000)

    found = forget_memory(db, ago(max(_REPEATS, words or 0.0)))
    found += forget_trail(db, ago(trail))
    return found if words is None else found + forget(db, ago(words))


def forget_memory(db: sqlite3.Connection, before: int) -> int:
    """One batch of ids of events taken before `before` (ms), and what could not be read of them."""
    done = db.execute(
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE taken_at < ? ORDER BY taken_at LIMIT ?)",
        (before, _BATCH),
    )
    return done.rowcount


def forget_trail(db: sqlite3.Connection, before: int) -> int:
    """One batch of the audit trail older than `before` (ms); its numbers grow with time."""
    done = db.execute(
        "DELETE FROM audit WHERE number IN (SELECT number FROM audit ORDER BY number LIMIT ?) AND at < ?",
        (_BATCH, before),
    )
    return done.rowcount


def forget(db: sqlite3.Connection, before: int) -> int:
    """One batch of what was said before `before` (ms); how many lines and conversations that were."""
    db.execute(_GOING)
    found = _go(db, _WORDY, before, _WITHOUT_WORDS) + _go(db, _SPENT, before, _WITHOUT_LINES)
    db.execute("UPDATE events SET body = NULL WHERE taken_at < ? AND body IS NOT NULL", (before,))
    return found + _end_empty(db, before)


def _go(db: sqlite3.Connection, query: str, before: int, steps: tuple[str, ...]) -> int:
    db.execute("DELETE FROM going")
    found = db.execute(query, (before, _BATCH)).rowcount
    if found:
        db.execute(_CHANGED, (next_revision(db),))
        for step in steps:
            db.execute(step)
    return found


def _end_empty(db: sqlite3.Connection, before: int) -> int:
    """Conversations of which nothing is left: their names go too."""
    rows = db.execute(
        """SELECT id FROM conversations AS c WHERE active_at < ?
           AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = c.id) LIMIT ?""",
        (before, _BATCH),
    ).fetchall()
    for row in rows:
        erase(db, row["id"])
    return len(rows)
