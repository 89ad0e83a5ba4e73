"""Schema of the workspace's file: creation, and migration of files from earlier versions.

`schema.sql` describes the schema. Missing tables, columns and indexes are added to older files. Every other change is a
step in `_STEPS`, which runs once on each file.
"""

import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from workspace.text.wording import display_address, names_in_every_language

from . import failures, search, waiting
from .folding import fold
from .opening import Unusable

Step = Callable[[sqlite3.Connection], None]


class TooNew(Unusable):
    """The file was written by a later version, and this version might misread it."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this version's schema in one transaction. Raises TooNew, with nothing changed."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (applied,) = connection.execute("PRAGMA user_version").fetchone()
        if applied > len(_STEPS):
            raise TooNew(
                f"{_file_name(connection)} was written by a later version (format {applied}; this version reads "
                f"formats up to {len(_STEPS)}); start the later version, or restore a backup from before the upgrade"
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
    """Create what is missing: tables, then columns, then indexes on both."""
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


#: Tables before indexes, without those that SQLite and virtual tables create automatically.
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
            # SQLite requires a default for existing rows. A step fills in better values.
            value = default or ("''" if kind == "TEXT" else "0")
            rule = f"NOT NULL DEFAULT {value}" if required else ""
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind} {rule}")


def _file_name(connection: sqlite3.Connection) -> str:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2]).name


def _first_format(_connection: sqlite3.Connection) -> None:
    """Do nothing: the first format needs no step, only the missing tables and columns."""


def _build_search_index(connection: sqlite3.Connection) -> None:
    """Build the search index for files that are older than the search."""
    for id, name, consumer in connection.execute(
        "SELECT id, consumer_name, consumer_id FROM conversations WHERE folded = ''"
    ).fetchall():
        folded = fold(f"{name or ''} {consumer}")
        connection.execute("UPDATE conversations SET folded = ? WHERE id = ?", (folded, id))
    if connection.execute("SELECT 1 FROM words LIMIT 1").fetchone() is None:
        for position, text in connection.execute("SELECT position, text FROM messages").fetchall():
            search.index(connection, position, text)


def _place_lines(connection: sqlite3.Connection) -> None:
    """Give the lines of older files their places, in the order of their sequences."""
    connection.execute("UPDATE messages SET origin = conversation WHERE origin = ''")
    connection.execute(
        """UPDATE messages SET placed_at = placed.at FROM (SELECT position, max(at) OVER
             (PARTITION BY conversation ORDER BY sequence, position) AS at FROM messages) AS placed
           WHERE messages.position = placed.position AND messages.placed_at = 0"""
    )
    connection.execute("DROP INDEX IF EXISTS messages_in_order")


def _mark_failed_answers(connection: sqlite3.Connection) -> None:
    """Mark the failed answers of older files. They are not news to the agents."""
    for (id,) in connection.execute("SELECT id FROM messages WHERE direction = 'out'").fetchall():
        failures.refresh(connection, id)
    connection.execute(
        """INSERT OR IGNORE INTO seen_failures SELECT position, agent FROM messages JOIN
             (SELECT name AS agent FROM accounts UNION SELECT agent FROM assignments
              UNION SELECT agent FROM marks) WHERE failed = 1"""
    )


def _find_waiting(connection: sqlite3.Connection) -> None:
    """Find since when customers wait, which older files do not record."""
    for (id,) in connection.execute("SELECT id FROM conversations WHERE open").fetchall():
        waiting.refresh(connection, id)


def _fold_again(connection: sqlite3.Connection) -> None:
    """Fold names and texts as the search does now. Aliases are known only from what was folded before."""
    for id, platform, name, consumer, before in connection.execute(
        "SELECT id, platform, consumer_name, consumer_id, folded FROM conversations WHERE merged_into IS NULL"
    ).fetchall():
        names = names_in_every_language(platform, name, consumer)
        shown = (*names, display_address(platform, consumer))
        folded = fold(" ".join((*shown, before)))
        connection.execute("UPDATE conversations SET folded = ? WHERE id = ?", (folded, id))
    for position, text in connection.execute(
        "SELECT position, text FROM messages WHERE text IS NOT NULL"
    ).fetchall():
        search.index(connection, position, text)


#: In order. `user_version` of a file is the number of steps that ran on it.
_STEPS: tuple[Step, ...] = (
    _first_format,
    _build_search_index,
    _place_lines,
    _mark_failed_answers,
    _find_waiting,
    _fold_again,
)
