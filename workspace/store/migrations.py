"""The shape of the workspace's file: made anew, or grown from what an earlier version left.

`schema.sql` is the one description of it. A file that lacks tables, columns or indexes of it gets them; whatever
else changes between versions is a step of `_STEPS`, applied once by each file.
"""

import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from . import search

Step = Callable[[sqlite3.Connection], None]


class TooNew(Exception):
    """A file that a later version has written; this one might misread it."""


def migrate(connection: sqlite3.Connection) -> None:
    """Give the file this version's shape, in one transaction. Raises TooNew, with nothing changed."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (applied,) = connection.execute("PRAGMA user_version").fetchone()
        if applied > len(_STEPS):
            raise TooNew(
                f"{_file_name(connection)} was written by a later version (format {applied}, known are up to "
                f"{len(_STEPS)}): start that version, or put back the file from before"
            )
        _create_missing(connection)
        for step in _STEPS[applied:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {len(_STEPS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _create_missing(connection: sqlite3.Connection) -> None:
    """Create what is missing: tables, then columns, then the indexes over both."""
    target = sqlite3.connect(":memory:")
    target.executescript(files("workspace.store").joinpath("schema.sql").read_text("utf-8"))
    try:
        for kind, name, sql in target.execute(_SCHEMA_PARTS).fetchall():
            if not _exists(connection, name):
                connection.execute(sql)
            elif kind == "table":
                _add_columns(connection, target, name)
        if not connection.execute("SELECT 1 FROM counter").fetchone():
            connection.execute("INSERT INTO counter VALUES (0)")
    finally:
        target.close()


#: Tables before indexes; without what SQLite and virtual tables make by themselves.
_SCHEMA_PARTS = """SELECT m.type, m.name, m.sql FROM sqlite_master AS m
    LEFT JOIN pragma_table_list AS t ON t.name = m.name AND t.schema = 'main'
    WHERE m.sql IS NOT NULL AND m.name NOT LIKE 'sqlite%' AND coalesce(t.type, 'index') != 'shadow'
    ORDER BY m.type DESC, m.rowid"""


def _exists(connection: sqlite3.Connection, name: str) -> bool:
    row = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,))
    return row.fetchone() is not None


def _add_columns(connection: sqlite3.Connection, target: sqlite3.Connection, table: str) -> None:
    present = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    for _, name, kind, required, default, _ in target.execute(f"PRAGMA table_info({table})"):
        if name not in present:
            # SQLite wants to know what stands in the rows there are; a step fills in what means more.
            value = default or ("''" if kind == "TEXT" else "0")
            rule = f"NOT NULL DEFAULT {value}" if required else ""
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind} {rule}")


def _file_name(connection: sqlite3.Connection) -> str:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2]).name


def _first_format(_connection: sqlite3.Connection) -> None:
    """The first format, of which nothing is left to do once it has grown."""


def _build_search_index(connection: sqlite3.Connection) -> None:
    """Files of the first format may be older than the search."""
    for id, name, consumer in connection.execute(
        "SELECT id, consumer_name, consumer_id FROM conversations WHERE folded = ''"
    ).fetchall():
        folded = search.fold(f"{name or ''} {consumer}")
        connection.execute("UPDATE conversations SET folded = ? WHERE id = ?", (folded, id))
    if connection.execute("SELECT 1 FROM words LIMIT 1").fetchone() is None:
        for position, text in connection.execute("SELECT position, text FROM messages").fetchall():
            search.index(connection, position, text)


#: In order. A file remembers in `user_version` how many it has applied.
_STEPS: tuple[Step, ...] = (_first_format, _build_search_index)
