"""PostgresqlTransaction: the operations' view of a session."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .session import Connection
from .statements import translated


class Result:
    """The rows of a statement."""

    __slots__ = ("_next", "_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows, self.rowcount, self._next = rows, rowcount, 0

    def fetchone(self) -> Any:
        if self._next == len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[Any]:
        start, self._next = self._next, len(self._rows)
        return self._rows[start:]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class PostgresqlTransaction:
    """Runs the operations' statements in the transaction of a session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Result:
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(translated(statement), parameters)
            rows = cursor.fetchall() if cursor.description is not None else []
            return Result(rows, cursor.rowcount)

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Result:
        many = list(parameters)
        if not many:
            return Result([], 0)
        if len(many) == 1:
            return self.execute(statement, many[0])
        with self._connection.cursor() as cursor:
            cursor.executemany(translated(statement), many)
            return Result([], cursor.rowcount)
