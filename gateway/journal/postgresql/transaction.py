"""PostgresqlTransaction: the operations' view of a session.

In a pipeline, a statement is sent at once and its result awaited only when somebody looks at it. So statements on whose
results nothing depends, such as those that only write rows, cost no round trips.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import psycopg

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
        #: Run before the commit: what needs results that nobody has to wait for until then.
        self.at_end: list[Callable[[], None]] = []

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Result:
        cursor = self._connection.cursor(binary=True)
        cursor.execute(translated(statement), parameters)
        return Result(cursor)

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> "Results":
        return Results([self.execute(statement, one) for one in parameters])

    def end(self) -> None:
        """Do what had to wait for the end."""
        waiting, self.at_end = self.at_end, []
        for work in waiting:
            work()


class Results(Result):
    """The results of a statement that ran several times, which returned no rows."""

    __slots__ = ("_each",)

    def __init__(self, each: list[Result]) -> None:
        self._each = each
        self._rows, self._next = [], 0

    @property
    def rowcount(self) -> int:
        return sum(one.rowcount for one in self._each)
