"""Removal of every word of a conversation."""

import sqlite3

#: In an order that leaves no row pointing to one that is gone.
_STEPS = (
    "DELETE FROM words WHERE rowid IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM replies WHERE position IN (SELECT position FROM messages WHERE conversation = ?)",
    "DELETE FROM attachments WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM reactions WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM statuses WHERE message IN (SELECT id FROM messages WHERE conversation = ?)",
    "DELETE FROM messages WHERE conversation = ?",
    "DELETE FROM assignments WHERE conversation = ?",
    "DELETE FROM marks WHERE conversation = ?",
    "UPDATE events SET body = NULL WHERE json_extract(CAST(body AS TEXT), '$.subject') = ?",
    "DELETE FROM conversations WHERE id = ?",
)


def erase(db: sqlite3.Connection, conversation: str) -> None:
    """Remove every word and name. Ids of events stay, so that a late repeat brings nothing back."""
    for step in _STEPS:
        db.execute(step, (conversation,))
    # The index keeps the letters of deleted rows until its parts are merged.
    db.execute("INSERT INTO words (words) VALUES ('optimize')")
