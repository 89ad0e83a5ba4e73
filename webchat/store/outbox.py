"""The outbox: what the gateway has not taken yet. A row is written with the change that it reports."""

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from webchat.timestamps import rfc3339

from . import consumers
from .consumers import Consumer
from .database import Connection

#: Events in one delivery.
MAX_EVENTS = 50


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one lane that are sent in one request, always the same ones under the same `id`."""

    id: str
    site: str
    sequences: tuple[int, ...]
    bodies: tuple[str, ...]
    attempts: int
    due: int
    made_at: int

    @property
    def body(self) -> bytes:
        events = [orjson.Fragment(body) for body in self.bodies]
        return orjson.dumps({"site": self.site, "events": events})


def add(
    db: Connection,
    consumer: Consumer,
    type: str,
    now: int,
    content: Mapping[str, Any],
    *,
    id: str | None = None,
    message: str | None = None,
) -> None:
    """Add an event of a consumer; `message` is the consumer's message in it."""
    event = id or f"{type}_{secrets.token_hex(12)}"
    body = {
        "id": event,
        "type": type,
        "at": rfc3339(now),
        "consumer": consumer.in_event(),
        **content,
    }
    db.execute(
        "INSERT INTO outbox (lane, site, event, message, body, made_at) VALUES (?, ?, ?, ?, ?, ?)",
        (consumer.id, consumer.site, event, message, orjson.dumps(body).decode(), now),
    )
    db.queued.add(consumer.id)


def lanes(db: sqlite3.Connection) -> list[str]:
    """Return the lanes that have something to send."""
    return [row["lane"] for row in db.execute("SELECT DISTINCT lane FROM outbox")]


def next_batch(db: sqlite3.Connection, lane: str) -> Batch | None:
    """Return what a lane sends next; None if there is nothing. Freeze it before the first attempt."""
    rows = db.execute(
        "SELECT * FROM outbox WHERE lane = ? ORDER BY sequence LIMIT ?", (lane, MAX_EVENTS)
    ).fetchall()
    if not rows:
        return None
    first = rows[0]
    if first["batch"] is not None:
        rows = [row for row in rows if row["batch"] == first["batch"]]
    id = first["batch"] or f"{first['site']}:{lane}:{first['event']}"
    return Batch(
        id,
        first["site"],
        tuple(row["sequence"] for row in rows),
        tuple(row["body"] for row in rows),
        first["attempts"],
        first["due"],
        first["made_at"],
    )


def freeze(db: sqlite3.Connection, batch: Batch) -> None:
    """Bind the events to the batch's id: a repeat after a restart must be the same request."""
    db.execute(
        f"UPDATE outbox SET batch = ? WHERE sequence IN ({_marks(batch.sequences)})",
        (batch.id, *batch.sequences),
    )


def postpone(db: sqlite3.Connection, batch: Batch, due: int) -> None:
    db.execute(
        f"UPDATE outbox SET attempts = attempts + 1, due = ? WHERE sequence IN ({_marks(batch.sequences)})",
        (due, *batch.sequences),
    )


def remove(db: Connection, batch: Batch) -> list[tuple[str, str]]:
    """Remove events that were taken or given up; return the consumers' messages among them, with their consumers."""
    rows = db.execute(
        f"DELETE FROM outbox WHERE sequence IN ({_marks(batch.sequences)}) RETURNING lane, message",
        batch.sequences,
    ).fetchall()
    # What said that a consumer was erased was the last that named them.
    lanes = {row["lane"] for row in rows}
    db.scrubs = db.scrubs or any(consumers.find(db, lane) is None for lane in lanes)
    return [(row["lane"], row["message"]) for row in rows if row["message"] is not None]


def waiting(db: sqlite3.Connection) -> tuple[int, int | None]:
    """Return how many events wait, and since when the oldest does."""
    row = db.execute("SELECT count(*), min(made_at) FROM outbox").fetchone()
    return row[0], row[1]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def is_waiting(db: sqlite3.Connection, lane: str) -> bool:
    """Whether a lane has something to send."""
    row = db.execute("SELECT 1 FROM outbox WHERE lane = ? LIMIT 1", (lane,)).fetchone()
    return row is not None
