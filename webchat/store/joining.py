"""Sign-in with `join`: an anonymous conversation goes over to the consumer who signed in."""

import sqlite3

from . import consumers, outbox
from .consumers import Consumer
from .database import Connection, touch


def join(
    db: Connection,
    anonymous: Consumer,
    known: Consumer | None,
    subject: str,
    name: str | None,
    now: int,
) -> Consumer:
    """Return the consumer who has the conversation now: the known one, or the anonymous one under the new subject."""
    if known is None:
        db.execute(
            "UPDATE consumers SET subject = ?, name = coalesce(?, name), state_revision = ? WHERE id = ?",
            (subject, name, touch(db, anonymous.id), anonymous.id),
        )
        return consumers.get(db, anonymous.id)
    _move(db, anonymous.id, known.id)
    consumers.rename(db, known.id, name)
    joined = consumers.get(db, known.id)
    outbox.add(db, joined, "joined", now, {"from": anonymous.id})
    return joined


def _move(db: Connection, former: str, id: str) -> None:
    _drop_repeated(db, former, id)
    _place_by_time(db, former, id)
    for table in ("attachments", "uploads"):
        db.execute(f"UPDATE {table} SET consumer = ? WHERE consumer = ?", (id, former))
    # What waits goes first, in the lane of the consumer who has the conversation now.
    db.execute("UPDATE outbox SET lane = ? WHERE lane = ?", (id, former))
    db.execute("UPDATE aliases SET consumer = ? WHERE consumer = ?", (id, former))
    db.execute("INSERT INTO aliases VALUES (?, ?)", (former, id))
    for table in ("tickets", "sessions"):
        db.execute(f"DELETE FROM {table} WHERE consumer = ?", (former,))
    db.execute("DELETE FROM consumers WHERE id = ?", (former,))
    db.changed.add(former)


def _drop_repeated(db: Connection, former: str, id: str) -> None:
    """Drop what the same client sent under both names: the ids are its own."""
    both = "(SELECT id FROM messages WHERE consumer = ?)"
    db.execute(f"DELETE FROM attachments WHERE consumer = ? AND message IN {both}", (former, id))
    for table in ("messages", "uploads"):
        db.execute(
            f"DELETE FROM {table} WHERE consumer = ? AND id IN (SELECT id FROM {table} WHERE consumer = ?)",
            (former, id),
        )


def _place_by_time(db: Connection, former: str, id: str) -> None:
    """Renumber the messages of both by their time. The client loads everything again."""
    revision = touch(db, id)
    rows = db.execute(
        "SELECT consumer, id FROM messages WHERE consumer IN (?, ?) ORDER BY at, position",
        (former, id),
    ).fetchall()
    # Negative first: no two rows may ever have the same position.
    for position, row in enumerate(rows, 1):
        _place(db, row, id, -position, revision)
    db.execute(
        "UPDATE messages SET position = -position WHERE consumer = ? AND position < 0", (id,)
    )
    db.execute(
        "UPDATE consumers SET position = ?, reset_revision = ?, "
        "answered = max(answered, (SELECT answered FROM consumers WHERE id = ?)) WHERE id = ?",
        (len(rows), revision, former, id),
    )


def _place(db: Connection, row: sqlite3.Row, id: str, position: int, revision: int) -> None:
    db.execute(
        "UPDATE messages SET consumer = ?, position = ?, revision = ? WHERE consumer = ? AND id = ?",
        (id, position, revision, row["consumer"], row["id"]),
    )
