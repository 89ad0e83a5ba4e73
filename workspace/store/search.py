"""Finding conversations by what was said in them, or by whose they are.

Words are folded before they are stored and before they are looked for: `Café`, `CAFE` and `cafe` are one. The
index is of three letters each, so any part of a word is found, in any script.
"""

import sqlite3
import unicodedata
from collections.abc import Iterable

#: The index knows nothing shorter.
_MIN_TERM = 3

#: Nobody types more; a query costs a look-up for each.
_MAX_TERMS = 8

Matches = dict[str, int]


def fold(text: str | None) -> str:
    """Lower case, without accents, one blank between words."""
    # A null would end a query of the index in the middle.
    parts = unicodedata.normalize("NFKD", (text or "").replace("\0", " ")).casefold()
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def index(db: sqlite3.Connection, position: int, text: str | None) -> None:
    """Make the text of a message findable, in place of what it said before."""
    db.execute("DELETE FROM words WHERE rowid = ?", (position,))
    if folded := fold(text):
        db.execute("INSERT INTO words (rowid, folded) VALUES (?, ?)", (position, folded))


def find(db: sqlite3.Connection, query: str, limit: int) -> Matches:
    """Conversations that match every term, with the latest message that says it, or 0 for a name."""
    terms = fold(query).split()[:_MAX_TERMS]
    if not terms:
        return {}
    return {**dict.fromkeys(_by_name(db, terms, limit), 0), **_by_text(db, terms, limit)}


def _by_name(db: sqlite3.Connection, terms: list[str], limit: int) -> Iterable[str]:
    rows = db.execute(
        """SELECT id FROM conversations WHERE NOT EXISTS
             (SELECT 1 FROM json_each(json_array({terms})) WHERE instr(folded, value) = 0)
           ORDER BY active_at DESC LIMIT ?""".replace("{terms}", ", ".join("?" * len(terms))),
        (*terms, limit),
    )
    return [row["id"] for row in rows]


def _by_text(db: sqlite3.Connection, terms: list[str], limit: int) -> Matches:
    if any(len(term) < _MIN_TERM for term in terms):
        return {}
    quoted = " AND ".join('"' + term.replace('"', '""') + '"' for term in terms)
    rows = db.execute(
        """SELECT m.conversation, max(m.position) AS position
           FROM words JOIN messages AS m ON m.position = words.rowid
           WHERE words MATCH ? GROUP BY m.conversation ORDER BY position DESC LIMIT ?""",
        (quoted, limit),
    )
    return {row["conversation"]: row["position"] for row in rows}
