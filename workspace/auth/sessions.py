"""Sessions. The browser holds a random token in a cookie; the database holds only its fingerprint."""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

#: Covers a shift with a long break. After a longer absence an agent signs in again.
IDLE_MILLISECONDS = 12 * 3600 * 1000
#: Every agent signs in at least once a week.
MAX_AGE_MILLISECONDS = 7 * 24 * 3600 * 1000

#: `seen_at` is updated at most this often, so that not every request writes.
_TOUCH_INTERVAL = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Session:
    agent: str
    csrf: str
    seen_at: int

    def needs_touch(self, now: int) -> bool:
        """Whether `seen_at` is due for an update."""
        return now - self.seen_at > _TOUCH_INTERVAL


def start(db: sqlite3.Connection, agent: str, now: int) -> str:
    """Create a session and return its new token. Expired sessions are deleted."""
    token = secrets.token_urlsafe(32)
    db.execute(
        "DELETE FROM sessions WHERE seen_at < ? OR created_at < ?",
        (now - IDLE_MILLISECONDS, now - MAX_AGE_MILLISECONDS),
    )
    db.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
        (fingerprint(token), agent, secrets.token_urlsafe(32), now, now),
    )
    return token


def find(db: sqlite3.Connection, token: str, now: int) -> Session | None:
    row = db.execute(
        """SELECT agent, csrf, seen_at FROM sessions
           WHERE fingerprint = ? AND seen_at >= ? AND created_at >= ?""",
        (fingerprint(token), now - IDLE_MILLISECONDS, now - MAX_AGE_MILLISECONDS),
    ).fetchone()
    return None if row is None else Session(row["agent"], row["csrf"], row["seen_at"])


def touch(db: sqlite3.Connection, token: str, now: int) -> None:
    db.execute("UPDATE sessions SET seen_at = ? WHERE fingerprint = ?", (now, fingerprint(token)))


def end(db: sqlite3.Connection, token: str) -> None:
    db.execute("DELETE FROM sessions WHERE fingerprint = ?", (fingerprint(token),))


def fingerprint(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
