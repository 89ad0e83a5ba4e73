"""Keeps what would be a journal in SQLite in PostgreSQL instead, a schema for each folder: `make test-postgresql`.

Python runs it at the start of each program that the tests start; `tests/conftest.py` calls `exchange` in the tests
themselves, where the module may have been loaded already.
"""

import hashlib
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any
from urllib.parse import quote

#: The database's URL, without parameters.
DATABASE = "AIRLOCK_TEST_DATABASE"
_MODULE = "gateway.journal.sqlite.journal"


def schema_of(folder: Path) -> str:
    """Return the URL of a folder's schema; it is made if it does not exist."""
    import psycopg

    database = os.environ[DATABASE]
    name = f"of_{hashlib.md5(str(folder.resolve()).encode()).hexdigest()[:12]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name}".encode())
    return f"{database}?options={quote(f'-csearch_path={name}')}"


async def _open(folder: Path, *, hold_seconds: float) -> Any:
    from gateway.journal.postgresql.journal import PostgresqlJournal

    return await PostgresqlJournal.open(schema_of(folder), hold_seconds=hold_seconds)


def exchange(module: Any) -> None:
    """Let the engine for files open journals in the database."""
    module.SqliteJournal.open = staticmethod(_open)


class _Hook(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != _MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            exchange(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if DATABASE in os.environ:
    sys.meta_path.insert(0, _Hook())
