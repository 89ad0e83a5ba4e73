"""Sessions. The client holds a random token; the database holds only its fingerprint."""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from webchat.timestamps import DAY, MINUTE

#: A session that is not used for this long ends.
IDLE_MS = 30 * DAY
#: `seen_at` is updated at most this often, so that not every request writes.
_TOUCH_MS = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose session a request carries."""

    consumer: str
    site: str
    verified: bool
    fingerprint: bytes
    seen_at: int

    def needs_touch(self, now: int) -> bool:
        return now - self.seen_at > _TOUCH_MS


def start(db: sqlite3.Connection, consumer: str, kind: str, address: str, now: int) -> str:
    """Create a session and return its new token: 256 random bits."""
    token = secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
        (fingerprint(token), consumer, kind, address, now, now),
    )
    return token


def find(db: sqlite3.Connection, token: str, now: int) -> Caller | None:
    row = db.execute(
        "SELECT s.*, c.site, c.subject FROM sessions AS s JOIN consumers AS c ON c.id = s.consumer "
        "WHERE s.fingerprint = ? AND s.seen_at >= ?",
        (fingerprint(token), now - IDLE_MS),
    ).fetchone()
    if row is None:
        return None
    return Caller(
        row["consumer"], row["site"], row["subject"] is not None, row["fingerprint"], row["seen_at"]
    )


def is_live(db: sqlite3.Connection, caller: Caller) -> bool:
    """Whether a session still exists: it ends by signing out and by erasure."""
    row = db.execute("SELECT consumer FROM sessions WHERE fingerprint = ?", (caller.fingerprint,))
    found = row.fetchone()
    return found is not None and found["consumer"] == caller.consumer


def touch(db: sqlite3.Connection, token: str, now: int) -> None:
    db.execute("UPDATE sessions SET seen_at = ? WHERE fingerprint = ?", (now, fingerprint(token)))


def end(db: sqlite3.Connection, mark: bytes) -> None:
    db.execute("DELETE FROM tickets WHERE session = ?", (mark,))
    db.execute("DELETE FROM sessions WHERE fingerprint = ?", (mark,))


def expire(db: sqlite3.Connection, now: int) -> int:
    return db.execute("DELETE FROM sessions WHERE seen_at < ?", (now - IDLE_MS,)).rowcount


def fingerprint(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
