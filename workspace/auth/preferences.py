"""What an agent chose for the pages."""

import sqlite3


def find_language(db: sqlite3.Connection, agent: str) -> str | None:
    row = db.execute("SELECT language FROM languages WHERE agent = ?", (agent,)).fetchone()
    return None if row is None else str(row["language"])


def save_language(db: sqlite3.Connection, agent: str, language: str) -> None:
    db.execute("INSERT OR REPLACE INTO languages VALUES (?, ?)", (agent, language))
