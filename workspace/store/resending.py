"""Sending a failed answer again: one line and, for each failed attempt, one key, however often the button is pressed.

If the gateway refused the text, or only may have accepted it, it is sent under the same key. If the gateway accepted it
but could not deliver it, the same key would send nothing, so the next attempt has the next key.
"""

import sqlite3
from dataclasses import dataclass

from . import failures
from .database import touch_message
from .merge import effective_id


@dataclass(frozen=True, slots=True)
class Resending:
    """Who sends which line again. `shown` is the line's id as the page showed it: the attempt that failed."""

    conversation: str
    key: str
    shown: str
    agent: str


@dataclass(frozen=True, slots=True)
class Line:
    """One of our lines. `due` is whether it has to be sent now; `state` is its state if not."""

    id: str
    origin: str
    author: str
    text: str | None
    quoted: str | None
    key: str
    attempt: int
    state: str
    due: bool = False


def gateway_key(key: str, attempt: int) -> str:
    """Return the idempotency key of an attempt. The dot keeps it apart from the keys that pages create."""
    return f"{key}.{attempt}" if attempt else key


def find_line(db: sqlite3.Connection, key: str, conversation: str) -> Line | None:
    """Return the line with a key, if it is in this conversation."""
    row = db.execute(_SELECT, (key, effective_id(db, conversation))).fetchone()
    if row is None:
        return None
    return Line(**{name: row[name] for name in row.keys()})  # noqa: SIM118  # a row iterates over values


_SELECT = """SELECT m.id, m.origin, m.author, m.text, m.details->>'reply_to' AS quoted, r.key, r.attempt, r.state
    FROM replies AS r JOIN messages AS m USING (position) WHERE r.key = ? AND m.conversation = ?"""


def start(db: sqlite3.Connection, wanted: Resending, at: int) -> Line | None:
    """Begin to send a line again if the attempt that the page showed has failed and nobody was faster.

    Returns the line as it is now, or None if there is none with this key.
    """
    line = find_line(db, wanted.key, wanted.conversation)
    if line is None or line.text is None or line.id != wanted.shown or not _has_failed(db, line):
        return line
    if line.state == "accepted":
        _next_attempt(db, line)
    db.execute(
        """UPDATE replies SET state = 'sending', reason = NULL, resent_at = ?, resent_by = ?
           WHERE key = ?""",
        (at, wanted.agent, line.key),
    )
    found = find_line(db, wanted.key, wanted.conversation)
    if found is None:
        raise LookupError(line.key)
    failures.refresh(db, found.id)
    touch_message(db, found.id)
    db.execute(
        """UPDATE conversations SET active_at = max(active_at, ?) WHERE id =
             (SELECT conversation FROM messages WHERE id = ?)""",
        (at, found.id),
    )
    return Line(
        *(found.id, found.origin, found.author, found.text, found.quoted, found.key),
        *(found.attempt, found.state),
        due=True,
    )


def _has_failed(db: sqlite3.Connection, line: Line) -> bool:
    row = db.execute("SELECT failed FROM messages WHERE id = ?", (line.id,)).fetchone()
    return bool(row["failed"])


def _next_attempt(db: sqlite3.Connection, line: Line) -> None:
    next_key = gateway_key(line.key, line.attempt + 1)
    db.execute(
        "INSERT INTO earlier_attempts SELECT id, position FROM messages WHERE id = ?", (line.id,)
    )
    db.execute("UPDATE replies SET attempt = attempt + 1 WHERE key = ?", (line.key,))
    db.execute("UPDATE messages SET id = ? WHERE id = ?", (f"reply_{next_key}", line.id))


def line_of_attempt(db: sqlite3.Connection, message: str) -> str | None:
    """Return the id that the line of an earlier attempt has now, or None if there was no such attempt."""
    row = db.execute(
        """SELECT m.id FROM earlier_attempts AS e JOIN messages AS m USING (position)
           WHERE e.message = ?""",
        (message,),
    ).fetchone()
    return None if row is None else str(row["id"])
