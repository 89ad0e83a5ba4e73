"""The PostgreSQL side of a copy."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg

from gateway.journal.errors import JournalUnusable
from gateway.journal.frames import pack, unpack
from gateway.journal.ownership import shard_of_connector
from gateway.journal.records import Accepted
from gateway.journal.transfer import INTAKE, Columns, Row, Side

from .adapters import stored
from .locks import claim_all
from .outcomes import in_words
from .schema import migrate
from .session import ADMINISTRATOR, Connection, Database

#: What only this engine has.
_OWN = frozenset({INTAKE, "schema_version", "node", "connector_health"})
#: What one node keeps for another one.
_BETWEEN_NODES = frozenset(
    {("attachment", "begun"), ("outbox", "attempts"), ("outbox", "refused_at")}
)

_COLUMNS = b"""SELECT c.relname, a.attname, a.attidentity != ''
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attname COLLATE "C\""""
_KEY = b"""SELECT a.attname, a.atttypid = 'text'::regtype FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = CAST($1 AS regclass) AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum)"""


class PostgresqlSide(Side):
    """A journal's tables, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute(b"BEGIN")
        self._columns: list[tuple[str, str, bool]] = [
            (table, column, counts)
            for table, column, counts in connection.execute(_COLUMNS)
            if (table, column) not in _BETWEEN_NODES
        ]

    def tables(self) -> Mapping[str, Columns]:
        names = dict.fromkeys(table for table, *_ in self._columns if table not in _OWN)
        return {
            name: tuple(column for table, column, _ in self._columns if table == name)
            for name in names
        }

    def rows(self, table: str, columns: Columns) -> Iterator[Row]:
        key = ", ".join(
            f'{name} COLLATE "C"' if is_text else name
            for name, is_text in self._connection.execute(_KEY, (table,))
        )
        return self._select(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}")

    def deliveries(self) -> Iterator[Accepted]:
        for (frame,) in self._select("SELECT delivery FROM intake ORDER BY id"):
            yield from unpack(frame)

    def write(self, table: str, columns: Columns, rows: Iterable[Row]) -> None:
        self._connection.execute(f"DELETE FROM {table}".encode())
        self._copy(f"{table} ({', '.join(columns)})", rows)

    def write_deliveries(self, deliveries: Iterable[Accepted]) -> None:
        rows = ((shard_of_connector(one.connector), pack(one)) for one in deliveries)
        self._copy("intake (stream, delivery)", rows)

    def stored(self, value: Any) -> Any:
        return stored(value) if isinstance(value, str) else value

    def commit(self) -> None:
        for table, column, counts in self._columns:
            if counts:
                self._connection.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "
                    f"(SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)".encode()
                )
        self._connection.execute(b"COMMIT")
        self._connection.execute(b"ANALYZE")

    def _select(self, statement: str) -> Iterator[Row]:
        with self._connection.cursor(name="rows") as cursor:
            cursor.execute(statement.encode(), binary=True)
            yield from cursor

    def _copy(self, into: str, rows: Iterable[Row]) -> None:
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {into} FROM STDIN".encode()) as out,
        ):
            for row in rows:
                out.write_row(row)


@contextmanager
def reading(url: str) -> Iterator[PostgresqlSide]:
    """Open the journal of a database to copy from it; raises JournalUnusable while Airlock uses it."""
    with _alone(Database(url, "copy")) as connection:
        yield PostgresqlSide(connection)


@contextmanager
def writing(url: str) -> Iterator[PostgresqlSide]:
    """Open a database to copy into it; raises JournalUnusable if it holds a journal already."""
    database = Database(url, "copy")
    with _alone(database) as connection:
        side = PostgresqlSide(connection)
        for table in (INTAKE, *side.tables()):
            row = connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table})".encode()).fetchone()
            if table != "meta" and row is not None and row[0]:
                raise JournalUnusable(
                    f"gateway.journal: {database} holds a journal already (in {table}); name an empty database"
                )
        yield side


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    connection = database.open(ADMINISTRATOR)
    try:
        migrate(connection)
        claim_all(connection)
        yield connection
    except psycopg.Error as exc:
        raise JournalUnusable(f"gateway.journal: the copy failed: {in_words(exc)}") from exc
    finally:
        connection.close()
