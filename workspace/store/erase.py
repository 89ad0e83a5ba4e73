"""Erasure of a conversation from all tables."""

import sqlite3

from .merge import effective_id, merged_ids
from .reading import record_erasure

#: Ordered so that no row refers to a deleted row.
_STEPS = (
    """DELETE FROM statuses WHERE message IN (SELECT e.message FROM earlier_attempts AS e
         JOIN messages AS m USING (position) WHERE m.conversation = ?)""",
    "DELETE FROM words WHERE rowid IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM earlier_attempts WHERE position IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM seen_failures WHERE position IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM replies WHERE position IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM attachments WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM reactions WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM statuses WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM messages WHERE conversation = ?",
    "DELETE FROM assignments WHERE conversation = ?",
    "DELETE FROM marks WHERE conversation = ?",
    "DELETE FROM requested_erasures WHERE conversation = ?",
    "UPDATE events SET body = NULL WHERE json_extract(CAST(body AS TEXT), '$.subject') = ?",
    "DELETE FROM conversations WHERE id = ?",
)


def erase(db: sqlite3.Connection, conversation: str) -> None:
    """Delete all content and names, with every conversation that was merged into this one.

    Event ids stay, so that a late repeat of an event restores nothing.
    """
    stays = effective_id(db, conversation)
    for id in (*merged_ids(db, stays), stays):
        for step in _STEPS:
            db.execute(step, (id,))
        record_erasure(db, id)
    # The search index keeps text of deleted rows until its segments are merged.
    db.execute("INSERT INTO words (words) VALUES ('optimize')")
