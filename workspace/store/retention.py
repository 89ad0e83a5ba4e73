"""Retention: expires texts, then whole lines once nothing of them can be seen, event ids and the audit log."""

import asyncio
import sqlite3
from functools import partial

from workspace.store.erase import erase
from workspace.timestamps import now

from .database import Database, next_revision

#: Pause between two rounds, and between two batches of one round.
_ROUND_SECONDS, _PAUSE_SECONDS = 15 * 60.0, 0.01

#: How long a repeated event is recognised. The gateway repeats an event for which it got no response. If the
#: gateway was stopped in between, the repeat comes only after the gateway's next start.
_DEDUPLICATION_SECONDS = 90 * 24 * 3600.0

#: Lines in one transaction, so that other writes do not wait long.
_BATCH = 200

_CREATE_EXPIRING = "CREATE TEMP TABLE IF NOT EXISTS expiring (position INTEGER, id TEXT)"

#: Lines with expired texts that still have media. The media expire when the gateway reports it.
_SELECT_TEXTS = """INSERT INTO expiring SELECT m.position, m.id FROM messages AS m
    WHERE m.at < ? AND (m.text IS NOT NULL OR m.details != '{}') AND EXISTS
      (SELECT 1 FROM attachments WHERE message = m.id AND state IN ('ready', 'pending'))
    ORDER BY m.at LIMIT ?"""
_CLEAR_TEXTS = (
    "DELETE FROM words WHERE rowid IN (SELECT position FROM expiring)",
    "DELETE FROM reactions WHERE message IN (SELECT id FROM expiring)",
    """UPDATE attachments SET body = json_remove(json_set(body, '$.name', NULL), '$.location', '$.contacts')
       WHERE message IN (SELECT id FROM expiring)""",
    "UPDATE messages SET text = NULL, details = '{}' WHERE position IN (SELECT position FROM expiring)",
)

#: Expired lines without media to see.
_SELECT_EMPTY_LINES = """INSERT INTO expiring SELECT m.position, m.id FROM messages AS m
    WHERE m.at < ? AND NOT EXISTS
      (SELECT 1 FROM attachments WHERE message = m.id AND state IN ('ready', 'pending'))
    ORDER BY m.at LIMIT ?"""
_DELETE_LINES = (
    "DELETE FROM words WHERE rowid IN (SELECT position FROM expiring)",
    "DELETE FROM reactions WHERE message IN (SELECT id FROM expiring)",
    "DELETE FROM attachments WHERE message IN (SELECT id FROM expiring)",
    "DELETE FROM statuses WHERE message IN (SELECT id FROM expiring)",
    """DELETE FROM statuses WHERE message IN (SELECT message FROM earlier_attempts
         WHERE position IN (SELECT position FROM expiring))""",
    "DELETE FROM earlier_attempts WHERE position IN (SELECT position FROM expiring)",
    "DELETE FROM seen_failures WHERE position IN (SELECT position FROM expiring)",
    "DELETE FROM replies WHERE position IN (SELECT position FROM expiring)",
    "DELETE FROM messages WHERE position IN (SELECT position FROM expiring)",
)

_TOUCH_CONVERSATIONS = """UPDATE conversations SET revision = ? WHERE id IN
    (SELECT conversation FROM messages WHERE position IN (SELECT position FROM expiring))"""


async def run_retention(database: Database, texts: float | None, audit: float) -> None:
    """Run rounds forever. `texts` and `audit` are the seconds for which each is kept; None keeps texts forever."""
    while True:
        found = await database.write(partial(_expire_all, texts=texts, audit=audit))
        if found:
            await database.scrub()
        await asyncio.sleep(_PAUSE_SECONDS if found else _ROUND_SECONDS)


def _expire_all(db: sqlite3.Connection, texts: float | None, audit: float) -> int:
    def ago(seconds: float) -> int:
        return now() - round(seconds * 1000)

    found = expire_events(db, ago(max(_DEDUPLICATION_SECONDS, texts or 0.0)))
    found += expire_audit_log(db, ago(audit))
    return found if texts is None else found + expire_texts(db, ago(texts))


def expire_events(db: sqlite3.Connection, before: int) -> int:
    """Delete one batch of events received before `before` (ms), with their stored bodies; return the number."""
    deleted = db.execute(
        "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE taken_at < ? ORDER BY taken_at LIMIT ?)",
        (before, _BATCH),
    )
    return deleted.rowcount


def expire_audit_log(db: sqlite3.Connection, before: int) -> int:
    """Delete one batch of audit entries older than `before` (ms); return the number. Entry numbers grow with time."""
    deleted = db.execute(
        "DELETE FROM audit WHERE number IN (SELECT number FROM audit ORDER BY number LIMIT ?) AND at < ?",
        (_BATCH, before),
    )
    return deleted.rowcount


def expire_texts(db: sqlite3.Connection, before: int) -> int:
    """Expire one batch of texts from before `before` (ms); return the number of lines and conversations."""
    db.execute(_CREATE_EXPIRING)
    found = _expire_batch(db, _SELECT_TEXTS, before, _CLEAR_TEXTS) + _expire_batch(
        db, _SELECT_EMPTY_LINES, before, _DELETE_LINES
    )
    db.execute("UPDATE events SET body = NULL WHERE taken_at < ? AND body IS NOT NULL", (before,))
    return found + _erase_empty_conversations(db, before)


def _expire_batch(db: sqlite3.Connection, query: str, before: int, steps: tuple[str, ...]) -> int:
    db.execute("DELETE FROM expiring")
    found = db.execute(query, (before, _BATCH)).rowcount
    if found:
        db.execute(_TOUCH_CONVERSATIONS, (next_revision(db),))
        for step in steps:
            db.execute(step)
    return found


def _erase_empty_conversations(db: sqlite3.Connection, before: int) -> int:
    """Erase conversations without any line left, including their names; return the number."""
    rows = db.execute(
        """SELECT id FROM conversations AS c WHERE active_at < ? AND merged_into IS NULL
           AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = c.id) LIMIT ?""",
        (before, _BATCH),
    ).fetchall()
    for row in rows:
        erase(db, row["id"])
    return len(rows)
