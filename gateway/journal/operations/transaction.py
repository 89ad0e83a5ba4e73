"""Transaction: the part of a database connection that operations use."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows that the statement changed."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Transaction(Protocol):
    """Runs statements in one transaction; every engine adapts its connection to this protocol."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Rows: ...
    def executemany(self, statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows: ...
