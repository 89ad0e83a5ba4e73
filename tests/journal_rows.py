"""A journal that a test looks into beside the gateway, in the engine that the run is with."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

ON_POSTGRESQL = os.environ.get("TEST_JOURNAL") == "postgresql"


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds in the journal of a data folder."""
    with _connected(folder) as connection:
        found: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        return found


def change(folder: Path, statement: str) -> None:
    """Change the journal of a data folder, while no gateway uses it."""
    with _connected(folder) as connection:
        connection.execute(statement)
        connection.commit()


def everything(folder: Path) -> dict[str, bytes]:
    """Return what the tables of a data folder's journal hold; nothing if the journal is a file in the folder itself."""
    if not ON_POSTGRESQL:
        return {}
    tables = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    )
    return {
        f"table {name}": b"\n".join(
            value if isinstance(value, bytes) else str(value).encode()
            for row in rows(folder, f"SELECT * FROM {name}")
            for value in row
        )
        for (name,) in rows(folder, tables)
    }


@contextmanager
def _connected(folder: Path) -> Iterator[Any]:
    """Yield a connection of either driver: what is used of them is the same."""
    if ON_POSTGRESQL:
        import psycopg

        from tests.on_postgresql.sitecustomize import schema_of

        with psycopg.connect(schema_of(folder)) as connection:
            yield connection
    else:
        with closing(sqlite3.connect(folder / "journal.db")) as file:
            yield file
