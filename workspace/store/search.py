"""Search for conversations by their texts and by the consumers' names.

Text is folded before it is stored and before it is searched for, so that `Café`, `CAFE` and `cafe` are the same. The
index consists of trigrams, so it finds any part of a word, in any script.
"""

import sqlite3
import unicodedata
from collections.abc import Iterable

#: The trigram index does not find shorter terms.
_MIN_TERM = 3

#: People rarely type more, and every term costs a look-up.
_MAX_TERMS = 8

Matches = dict[str, int]


def fold(text: str | None) -> str:
    """Return the text in lower case, without accents, with one space between words."""
    # A null character would end a query of the index early.
    parts = unicodedata.normalize("NFKD", (text or "").replace("\0", " ")).casefold()
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def index(db: sqlite3.Connection, position: int, text: str | None) -> None:
    """Index the text of a message, in place of its previous text."""
    db.execute("DELETE FROM words WHERE rowid = ?", (position,))
    if folded := fold(text):
        db.execute("INSERT INTO words (rowid, folded) VALUES (?, ?)", (position, folded))


def find(db: sqlite3.Connection, query: str, limit: int) -> Matches:
    """Return conversations that match all terms, each with the latest matching message, or 0 for a name."""
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
