"""Consumers: creation, sign-in, and the conversation's state."""

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from .database import Connection, touch


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who chats. `subject` is the brand's id for them, None for an anonymous consumer."""

    id: str
    site: str
    subject: str | None
    name: str | None
    state: str
    answered: bool
    revision: int

    @property
    def verified(self) -> bool:
        return self.subject is not None

    def in_event(self) -> dict[str, Any]:
        """Return the consumer as deliveries to the gateway name them."""
        named = {} if self.name is None else {"name": self.name}
        return {"id": self.id, **named, "verified": self.verified}


def create(db: Connection, site: str, subject: str | None, name: str | None, now: int) -> Consumer:
    id = f"con_{secrets.token_hex(16)}"
    db.execute(
        "INSERT INTO consumers (id, site, subject, name, created_at, active_at) VALUES (?, ?, ?, ?, ?, ?)",
        (id, site, subject, name, now, now),
    )
    return get(db, id)


def get(db: sqlite3.Connection, id: str) -> Consumer:
    """Return a consumer that exists; raises LookupError otherwise."""
    found = find(db, id)
    if found is None:
        raise LookupError(f"the consumer {id} does not exist")
    return found


def find(db: sqlite3.Connection, id: str) -> Consumer | None:
    return _consumer(db.execute("SELECT * FROM consumers WHERE id = ?", (id,)).fetchone())


def resolve(db: sqlite3.Connection, site: str | None, id: str) -> Consumer | None:
    """Return the consumer with an id or a former id; None if there is none on that site."""
    found = find(db, id)
    if found is None:
        row = db.execute("SELECT consumer FROM aliases WHERE former = ?", (id,)).fetchone()
        found = find(db, row["consumer"]) if row else None
    return found if found is not None and site in {None, found.site} else None


def find_subject(db: sqlite3.Connection, site: str, subject: str) -> Consumer | None:
    row = db.execute(
        "SELECT * FROM consumers WHERE site = ? AND subject = ?", (site, subject)
    ).fetchone()
    return _consumer(row)


def inactive(db: sqlite3.Connection, before: int, limit: int) -> list[Consumer]:
    """Return consumers whose last message is older than a time, and of whom the gateway has everything."""
    rows = db.execute(
        "SELECT * FROM consumers AS c WHERE active_at < ? "
        "AND NOT EXISTS (SELECT 1 FROM outbox WHERE lane = c.id) LIMIT ?",
        (before, limit),
    )
    return [found for row in rows if (found := _consumer(row)) is not None]


def rename(db: Connection, id: str, name: str | None) -> None:
    """Take over the name that the brand gives now."""
    if name is not None:
        db.execute("UPDATE consumers SET name = ? WHERE id = ?", (name, id))


def set_state(db: Connection, consumer: Consumer, state: str) -> None:
    """Open or close the conversation, if it is not so already."""
    if consumer.state != state:
        revision = touch(db, consumer.id)
        db.execute(
            "UPDATE consumers SET state = ?, state_revision = ? WHERE id = ?",
            (state, revision, consumer.id),
        )


def note_activity(db: Connection, id: str, now: int) -> None:
    db.execute("UPDATE consumers SET active_at = max(active_at, ?) WHERE id = ?", (now, id))


def note_answer(db: Connection, consumer: Consumer) -> None:
    """Note that an agent has written: files may now be sent where they need that."""
    if not consumer.answered:
        revision = touch(db, consumer.id)
        db.execute(
            "UPDATE consumers SET answered = 1, state_revision = ? WHERE id = ?",
            (revision, consumer.id),
        )


def _consumer(row: sqlite3.Row | None) -> Consumer | None:
    if row is None:
        return None
    return Consumer(
        id=row["id"],
        site=row["site"],
        subject=row["subject"],
        name=row["name"],
        state=row["state"],
        answered=bool(row["answered"]),
        revision=row["revision"],
    )
