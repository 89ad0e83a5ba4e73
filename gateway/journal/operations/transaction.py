"""Transaction: the part of a database connection that operations use."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

#: More rows than a journal can hold, for a LIMIT that limits nothing.
NO_LIMIT = 1 << 60


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement changed."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Transaction(Protocol):
    """Runs statements in one transaction; every engine adapts its connection to this protocol.

    Statements are what SQLite and PostgreSQL both understand: `?` for parameters, ON CONFLICT, RETURNING, CASE. A
    parameter whose type nothing else shows is CAST. An engine may have to write two things in another way: `x'…'` for
    constant bytes, and `/* lock c, s */` at the end of a query. The latter keeps other transactions from changing the
    rows of tables `c` and `s` until the end of this one; SQLite runs one transaction at a time.
    """

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Rows: ...
    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows: ...
