"""What time and requests remove: old media, old words, old memory of duplicates, whole conversations."""

import sqlite3

import orjson

from gateway.identifiers import Identifiers, attachment_id

from .attachments import announce
from .rows import Entry, Recorded

#: What is removed in one transaction at the most, so that nothing else waits long for the journal.
_BATCH = 200

#: What stays of an erased message: its id alone.
_BLANKED = """UPDATE message SET conversation = -1, sequence = key, platform_id = '', sent_at = 0,
    content = x'7b7d' WHERE conversation = ?"""


def expire_media(connection: sqlite3.Connection, ids: Identifiers, before: int) -> Recorded:
    """Ready media that ended before `before` (ms) fail as expired; a batch at a time, the oldest first."""
    rows = connection.execute(
        "SELECT message, position FROM attachment WHERE state = 'ready' AND ended_at < ? "
        "AND renditions IS NOT NULL AND renditions != x'7b7d' ORDER BY ended_at LIMIT ?",
        (before, _BATCH),
    ).fetchall()
    return _expire(connection, ids, rows, "the retention time is over")


def expire_photos_beyond(
    connection: sqlite3.Connection, ids: Identifiers, message: int, keep: int
) -> Recorded:
    """The oldest ready photos of a message's conversation, as many as are more than `keep`."""
    rows = connection.execute(
        "SELECT a.message, a.position FROM attachment a JOIN message m ON m.key = a.message "
        "WHERE m.conversation = (SELECT conversation FROM message WHERE key = ?) "
        "AND a.kind IN ('photo', 'sticker') AND a.state = 'ready' AND a.renditions != x'7b7d' "
        "ORDER BY m.sequence DESC, a.position DESC LIMIT -1 OFFSET ?",
        (message, keep),
    ).fetchall()
    return _expire(connection, ids, rows, f"only the newest {keep} photos are kept")


def _expire(
    connection: sqlite3.Connection, ids: Identifiers, rows: list[tuple[int, int]], why: str
) -> Recorded:
    entries: list[Entry] = []
    for message, position in rows:
        connection.execute(
            "UPDATE attachment SET state = 'failed', reason = 'expired', detail = ?, renditions = NULL, "
            "media = NULL, revision = revision + 1 WHERE message = ? AND position = ?",
            (why, message, position),
        )
        (id,) = connection.execute("SELECT id FROM message WHERE key = ?", (message,)).fetchone()
        _doom(connection, [attachment_id(id, position)])
        entries.append(announce(connection, ids, message, position))
    return Recorded(entries=tuple(entries))


def expire_words(connection: sqlite3.Connection, words_before: int, memory_before: int) -> int:
    """Blank messages received before `words_before`, forget facts and blank messages before `memory_before`.

    A blank message keeps nothing but its id, which still recognises a repeat. Returns how many rows changed.
    """
    blank = orjson.dumps({"text": None, "transcript": "", "reply_to": None})
    changed = connection.execute(
        "UPDATE message SET content = ?, platform_id = '' WHERE key IN (SELECT key FROM message "
        "WHERE received_at < ? AND content != ? LIMIT ?)",
        (blank, words_before, blank, _BATCH),
    ).rowcount
    changed += connection.execute(
        "DELETE FROM fact WHERE id IN (SELECT id FROM fact WHERE seen_at < ? LIMIT ?)",
        (memory_before, _BATCH),
    ).rowcount
    return changed


def erase(connection: sqlite3.Connection, conversation: str) -> int | None:
    """Remove a conversation; returns its lane, None if it is unknown. Its files are doomed in the same step.

    What stays of a message is the hash that recognises a platform's repeat of it, so that an erased message
    does not come back with the next retry.
    """
    found = connection.execute(
        "SELECT key, consumer FROM conversation WHERE id = ?", (conversation,)
    ).fetchone()
    if found is None:
        return None
    row, consumer = found[:1], found[1]
    attachments = [
        attachment_id(id, position)
        for id, position in connection.execute(
            "SELECT m.id, a.position FROM attachment a JOIN message m ON m.key = a.message "
            "WHERE m.conversation = ?",
            row,
        )
    ]
    _doom(connection, attachments)
    # Overwrite what is deleted, here and in the log, so that no trace stays in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(
        "DELETE FROM attachment WHERE message IN (SELECT key FROM message WHERE conversation = ?)",
        row,
    )
    for statement in (
        _BLANKED,
        "DELETE FROM outbox WHERE conversation = ?",
        "DELETE FROM conversation WHERE key = ?",
    ):
        connection.execute(statement, row)
    connection.execute("DELETE FROM viewed WHERE conversation = ?", (conversation,))
    # What could not be read is known only by the consumer's id in its raw bytes.
    connection.execute("DELETE FROM unreadable WHERE instr(delivery, ?)", (consumer.encode(),))
    connection.execute("PRAGMA secure_delete = OFF")
    return int(row[0])


def doomed(connection: sqlite3.Connection) -> list[str]:
    """Attachments whose files must go."""
    return [id for (id,) in connection.execute("SELECT attachment FROM doomed LIMIT ?", (_BATCH,))]


def swept(connection: sqlite3.Connection, attachments: list[str]) -> None:
    """Their files are gone."""
    connection.executemany("DELETE FROM doomed WHERE attachment = ?", [(id,) for id in attachments])


def _doom(connection: sqlite3.Connection, attachments: list[str]) -> None:
    connection.executemany("INSERT OR IGNORE INTO doomed VALUES (?)", [(id,) for id in attachments])
