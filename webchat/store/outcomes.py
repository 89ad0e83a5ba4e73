"""Outcomes: what the gateway made of a consumer's file."""

import sqlite3
from dataclasses import dataclass

import orjson

from .database import Connection, touch


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attachment. `renditions` is a JSON array; `grant` lets us ask for links to them."""

    state: str
    kind: str | None
    reason: str | None
    width: int | None
    height: int | None
    seconds: float | None
    renditions: str
    grant: str | None


def note(db: Connection, consumer: str, message: str, place: int, found: Outcome) -> list[str]:
    """Store an outcome; return the original, if it is not needed any more: an agent can only retry a failure."""
    row = db.execute(
        "UPDATE attachments SET state = ?, kind = coalesce(?, kind), reason = ?, width = ?, height = ?, seconds = ?, "
        "renditions = ?, grant_token = ? WHERE consumer = ? AND message = ? AND place = ? RETURNING file",
        (
            found.state,
            found.kind,
            found.reason,
            found.width,
            found.height,
            found.seconds,
            found.renditions,
            found.grant,
            consumer,
            message,
            place,
        ),
    ).fetchone()
    if row is None:
        return []
    db.execute(
        "UPDATE messages SET revision = ? WHERE consumer = ? AND id = ?",
        (touch(db, consumer), consumer, message),
    )
    if found.state == "failed":
        return []
    db.execute("DELETE FROM uploads WHERE file = ?", (row["file"],))
    return [row["file"]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a consumer may see of their own file, and the gateway's permission to ask for links."""

    renditions: tuple[str, ...]
    grant: str | None


def find(db: sqlite3.Connection, consumer: str | None, id: str) -> Shown | None:
    """Return what can be seen of a consumer's own attachment; None for another's. `consumer` None means anybody's."""
    row = db.execute(
        "SELECT renditions, grant_token FROM attachments WHERE id = ? AND consumer = coalesce(?, consumer)",
        (id, consumer),
    ).fetchone()
    if row is None:
        return None
    return Shown(tuple(orjson.loads(row["renditions"])), row["grant_token"])
