"""Search for conversations by their texts and by the consumers' names. Both are folded: see folding.py."""

import sqlite3
from collections.abc import Container, Iterator

from .folding import fold, phrases, with_marks

#: People rarely type more, and every term costs a look-up.
_MAX_TERMS = 8

Matches = dict[str, int]


def index(db: sqlite3.Connection, position: int, text: str | None) -> None:
    """Index the text of a message, in place of its previous text."""
    db.execute("DELETE FROM words WHERE rowid = ?", (position,))
    if folded := fold(text):
        db.execute(
            "INSERT INTO words (rowid, folded) VALUES (?, ?)", (position, with_marks(folded))
        )


def find(db: sqlite3.Connection, query: str, among: Container[str], limit: int) -> Matches:
    """Return conversations that match all terms, each with the latest matching message, or 0 for a name.

    Only those in `among` count: the limit is for what the agent wants to see.
    """
    terms = split_terms(query)
    if not terms:
        return {}
    by_name = _first(((id, 0) for id in _by_name(db, terms)), among, limit)
    return {**by_name, **_first(_by_text(db, terms), among, limit)}


def split_terms(query: str) -> list[str]:
    return fold(query).split()[:_MAX_TERMS]


def _first(found: Iterator[tuple[str, int]], among: Container[str], limit: int) -> Matches:
    matches: Matches = {}
    for conversation, position in found:
        if conversation in among:
            matches.setdefault(conversation, position)
        if len(matches) == limit:
            break
    return matches


def _by_name(db: sqlite3.Connection, terms: list[str]) -> Iterator[str]:
    rows = db.execute(
        """SELECT id FROM conversations WHERE NOT EXISTS
             (SELECT 1 FROM json_each(json_array({terms})) WHERE instr(folded, value) = 0)
           ORDER BY active_at DESC""".replace("{terms}", ", ".join("?" * len(terms))),
        terms,
    )
    return (row["id"] for row in rows)


def _by_text(db: sqlite3.Connection, terms: list[str]) -> Iterator[tuple[str, int]]:
    """Return matching messages, latest first, one by one: a common word has more matches than anybody reads."""
    found = [phrases(term) for term in terms]
    if not all(found):
        return iter(())
    rows = db.execute(
        """SELECT m.conversation, m.position FROM words JOIN messages AS m ON m.position = words.rowid
           WHERE words MATCH ? ORDER BY words.rowid DESC""",
        (" AND ".join(_quote(phrase) for some in found for phrase in some),),
    )
    return ((row["conversation"], row["position"]) for row in rows)


def _quote(phrase: str) -> str:
    return '"' + phrase.replace('"', '""') + '"'
