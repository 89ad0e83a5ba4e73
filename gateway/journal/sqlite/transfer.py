"""The SQLite side of a copy."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gateway.journal.errors import JournalUnusable
from gateway.journal.folder_sync import sync_folder
from gateway.journal.frames import pack, unpack
from gateway.journal.records import Accepted
from gateway.journal.transfer import INTAKE, Columns, Row, Side

from . import schema
from .opening import opening

_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
)


class SqliteSide(Side):
    """A journal's file, in one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("BEGIN IMMEDIATE")

    def tables(self) -> Mapping[str, Columns]:
        names = sorted(name for (name,) in self._connection.execute(_TABLES) if name != INTAKE)
        return {name: tuple(sorted(self._columns(name))) for name in names}

    def rows(self, table: str, columns: Columns) -> Iterator[Row]:
        listed, key = ", ".join(columns), ", ".join(self._key(table))
        return iter(self._connection.execute(f"SELECT {listed} FROM {table} ORDER BY {key}"))

    def deliveries(self) -> Iterator[Accepted]:
        for (row,) in self._connection.execute("SELECT deliveries FROM intake ORDER BY id"):
            yield from unpack(row)

    def write(self, table: str, columns: Columns, rows: Iterable[Row]) -> None:
        self._connection.execute(f"DELETE FROM {table}")
        values = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"
        self._connection.executemany(statement, rows)

    def write_deliveries(self, deliveries: Iterable[Accepted]) -> None:
        self._connection.executemany(
            "INSERT INTO intake (deliveries) VALUES (?)", ((pack(one),) for one in deliveries)
        )

    def stored(self, value: Any) -> Any:
        return value

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def _columns(self, table: str) -> list[str]:
        return [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]

    def _key(self, table: str) -> list[str]:
        columns = self._connection.execute(f"PRAGMA table_info({table})").fetchall()
        return [row[1] for row in sorted(columns, key=lambda row: row[5]) if row[5]]


@contextmanager
def reading(folder: Path) -> Iterator[SqliteSide]:
    """Open the journal of a data folder to copy from it; raises JournalUnusable if there is none."""
    path = folder / "journal.db"
    if not path.is_file():
        raise JournalUnusable(f"gateway.data: there is no journal to copy: {path} does not exist")
    with opening(path), closing(schema.connect(str(path))) as connection:
        schema.migrate(connection)
        yield SqliteSide(connection)


@contextmanager
def writing(folder: Path) -> Iterator[SqliteSide]:
    """Make a journal in a data folder to copy into it; raises JournalUnusable if it has one."""
    path, new = folder / "journal.db", folder / "journal-copy.db"
    if path.exists():
        raise JournalUnusable(
            f"gateway.data: {path} exists; move it away, or set gateway.data to another folder"
        )
    _remove(new)
    try:
        with opening(new), closing(schema.connect(str(new))) as connection:
            schema.migrate(connection)
            yield SqliteSide(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        new.rename(path)
        sync_folder(folder)
    finally:
        _remove(new)


def set_aside(folder: Path) -> Path:
    """Rename the files of a journal that was copied, so that nothing goes on with them by mistake."""
    for tail in ("-wal", "-shm", ""):
        file = folder / f"journal.db{tail}"
        if file.exists():
            file.rename(folder / f"journal-moved.db{tail}")
    return folder / "journal-moved.db"


def _remove(path: Path) -> None:
    for tail in ("", "-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
