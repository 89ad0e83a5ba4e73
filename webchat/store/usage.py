"""Usage of limits, counted in windows that begin with the first use. It is stored, so a restart forgives nothing."""

import sqlite3


def used(db: sqlite3.Connection, subject: str, now: int) -> int:
    """Return how much of a limit is used in its present window."""
    return _window(db, subject, now)[0]


def seconds_left(db: sqlite3.Connection, subject: str, now: int) -> int:
    """Return the seconds until the window ends, at least 1."""
    return max(1, -(-(_window(db, subject, now)[1] - now) // 1000))


def add(db: sqlite3.Connection, subject: str, amount: int, window: int, now: int) -> None:
    """Count a use. A window of `window` ms begins if there is none."""
    _, until = _window(db, subject, now)
    db.execute(
        "INSERT INTO usage VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
        (subject, until if until > now else now + window, amount),
    )


def first_use(db: sqlite3.Connection, subject: str, until: int) -> bool:
    """Note that something is used, until a time; False if it was used before."""
    cursor = db.execute(
        "INSERT INTO usage VALUES (?, ?, 1) ON CONFLICT DO NOTHING", (subject, until)
    )
    return cursor.rowcount == 1


def expire(db: sqlite3.Connection, now: int) -> int:
    return db.execute("DELETE FROM usage WHERE until <= ?", (now,)).rowcount


def _window(db: sqlite3.Connection, subject: str, now: int) -> tuple[int, int]:
    row = db.execute(
        "SELECT amount, until FROM usage WHERE subject = ? AND until > ? ORDER BY until LIMIT 1",
        (subject, now),
    ).fetchone()
    return (0, 0) if row is None else (row["amount"], row["until"])
