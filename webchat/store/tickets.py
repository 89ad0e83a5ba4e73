"""Tickets: proofs by which a browser gets back a conversation that it could not keep, or takes it elsewhere.

`page`: kept by the brand's page where a frame can keep nothing, and replaced at each use.
`window`: carries the conversation of a frame into a window of its own, once, within a minute.
"""

import secrets
import sqlite3
from typing import Literal

from webchat.timestamps import MINUTE

from .sessions import IDLE_MS, fingerprint

Kind = Literal["page", "window"]

_LIFETIME_MS: dict[Kind, int] = {"page": IDLE_MS, "window": MINUTE}
#: For so long, the answer to the use by a page may have been lost: it is answered again.
_REPEAT_MS = MINUTE


def issue(db: sqlite3.Connection, kind: Kind, consumer: str, session: bytes, now: int) -> str:
    """Return a new ticket of 256 random bits, of which only the fingerprint is stored.

    It ends with the session that it was issued to.
    """
    ticket = secrets.token_urlsafe(32)
    row = (fingerprint(ticket), kind, consumer, session, now + _LIFETIME_MS[kind])
    db.execute(
        "INSERT INTO tickets (fingerprint, kind, consumer, session, expires_at) VALUES (?, ?, ?, ?, ?)",
        row,
    )
    return ticket


def find(db: sqlite3.Connection, ticket: str, site: str, now: int) -> str | None:
    """Return the consumer whose conversation a ticket of this site gives; None if it gives none any more."""
    row = db.execute(
        "SELECT t.kind, t.consumer, t.used_at FROM tickets AS t JOIN consumers AS c ON c.id = t.consumer "
        "WHERE t.fingerprint = ? AND c.site = ? AND t.expires_at >= ?",
        (fingerprint(ticket), site, now),
    ).fetchone()
    if row is None or _is_used_up(row["kind"], row["used_at"], now):
        return None
    return str(row["consumer"])


def _is_used_up(kind: str, used_at: int | None, now: int) -> bool:
    return used_at is not None and (kind == "window" or now - used_at > _REPEAT_MS)


def use(db: sqlite3.Connection, ticket: str, site: str, now: int) -> str | None:
    """Use a ticket up, and return what `find` does."""
    consumer = find(db, ticket, site, now)
    db.execute(
        "UPDATE tickets SET used_at = coalesce(used_at, ?) WHERE fingerprint = ?",
        (now, fingerprint(ticket)),
    )
    return consumer


def expire(db: sqlite3.Connection, now: int) -> None:
    db.execute("DELETE FROM tickets WHERE expires_at < ? OR used_at < ?", (now, now - _REPEAT_MS))
