"""PostgresqlTransaction: the operations' view of a session.

In a pipeline, a statement is sent at once and its result awaited only when somebody looks at it. So statements on whose
results nothing depends, such as those that only write rows, cost no round trips.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from gateway.journal.records import OutboxEntry

from .bulk import BULK, PUT, Bulk, deletion
from .session import Connection
from .statements import translated


class Result:
    """The result of a statement, awaited when it is first looked at. Errors of the statement appear then, too."""

    __slots__ = ("_cursor", "_next", "_rows")

    def __init__(self, cursor: "psycopg.Cursor[Any]") -> None:
        self._cursor = cursor
        self._rows: list[Any] | None = None
        self._next = 0

    @property
    def rowcount(self) -> int:
        self._load()
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        rows = self._load()
        if self._next == len(rows):
            return None
        self._next += 1
        return rows[self._next - 1]

    def fetchall(self) -> list[Any]:
        rows = self._load()
        start, self._next = self._next, len(rows)
        return rows[start:]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def _load(self) -> list[Any]:
        if self._rows is None:
            try:
                self._rows = self._cursor.fetchall()
            except psycopg.ProgrammingError as exc:
                if exc.sqlstate is not None:
                    raise
                self._rows = []  # the statement returns none, which shows only after the answer
        return self._rows


class PostgresqlTransaction:
    """Runs the operations' statements in the transaction of a session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        #: Rows that are held back, in the order in which each kind was first written.
        self._held: dict[Bulk, list[Sequence[Any]]] = {}
        #: Events that were put into lanes, with the message of each, and have no keys yet.
        self._put: list[tuple[OutboxEntry, int | None]] = []
        #: The keys that are on their way, and the events that get them.
        self._keys: list[tuple[Result, list[OutboxEntry]]] = []

    @property
    def session(self) -> Connection:
        return self._connection

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> "Result":
        bulk = BULK.get(statement)
        if bulk is not None:
            return self._hold(bulk, parameters)
        self._write()
        return self._send(statement, parameters)

    def put(self, entry: OutboxEntry, message: int | None) -> None:
        """Put an event into its lane; it gets its key at the end."""
        self._put.append((entry, message))

    def _hold(self, bulk: Bulk, row: Sequence[Any]) -> "Result":
        if any(_keep_order(other, bulk) for other in self._held):
            self._write()
        self._held.setdefault(bulk, []).append(row)
        return Results([])

    def _write(self) -> None:
        """Send what is held back."""
        held, self._held = self._held, {}
        for bulk, rows in sorted(held.items(), key=lambda one: not one[0].comes_first):
            self._send(bulk.statement, bulk.parameters(rows))
        put, self._put = self._put, []
        if put:
            rows = [
                (e.conversation, e.event_id, message, e.hold_until, e.body, e.behind)
                for e, message in put
            ]
            keys = self._send(PUT.statement, PUT.parameters(rows))
            self._keys.append((keys, [entry for entry, _ in put]))

    def _send(self, statement: str, parameters: Sequence[Any]) -> "Result":
        cursor = self._connection.cursor(binary=True)
        cursor.execute(translated(statement), parameters)
        return Result(cursor)

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> "Results":
        rows = list(parameters)
        bulk = deletion(statement, type(rows[0][0]).__name__) if rows else None
        if bulk is None:
            return Results([self.execute(statement, one) for one in rows])
        for row in rows:
            self._hold(bulk, row)
        return Results([])

    def end(self) -> None:
        """Send what is still held back, and give the events their keys."""
        self._write()
        for keys, entries in self._keys:
            for entry, (key, event_id) in zip(entries, keys, strict=True):
                assert event_id == entry.event_id, "keys come back in another order"
                entry.key = key
        self._keys.clear()


def _keep_order(one: Bulk, other: Bulk) -> bool:
    """Whether two kinds of changes have to be made in the order in which they came."""
    is_free = one.comes_first or other.comes_first
    return one.table == other.table and one != other and not is_free


class Results(Result):
    """The results of a statement that ran several times, which returned no rows."""

    __slots__ = ("_each",)

    def __init__(self, each: list[Result]) -> None:
        self._each = each
        self._rows, self._next = [], 0

    @property
    def rowcount(self) -> int:
        return sum(one.rowcount for one in self._each)
