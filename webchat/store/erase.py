"""Erasure of a consumer with everything that is theirs."""

from .consumers import Consumer
from .database import Connection

#: In the order that the references between the tables require.
_TABLES = ("attachments", "messages", "uploads", "tickets", "sessions")


def erase(db: Connection, consumer: Consumer) -> list[str]:
    """Delete a consumer's rows, what waits for the gateway included; return the files to delete."""
    rows = db.execute("SELECT file FROM uploads WHERE consumer = ?", (consumer.id,))
    files = [row["file"] for row in rows]
    for table in _TABLES:
        db.execute(f"DELETE FROM {table} WHERE consumer = ?", (consumer.id,))
    db.execute("DELETE FROM outbox WHERE lane = ?", (consumer.id,))
    db.execute("DELETE FROM aliases WHERE consumer = ?", (consumer.id,))
    db.execute("DELETE FROM usage WHERE subject LIKE '% ' || ?", (consumer.id,))
    db.execute("DELETE FROM consumers WHERE id = ?", (consumer.id,))
    db.changed.add(consumer.id)
    db.scrubs = True
    return files
