"""Copying a journal from one engine to the other, and proving that the copy is the same.

Every table is compared row by row: the number of rows, and a digest of all of their values in the order of the key, of
what was read here and of what was read back there. The copy is one transaction: it is complete, or there is nothing.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .errors import JournalUnusable
from .records import Accepted

Row = Sequence[Any]
Columns = tuple[str, ...]
#: Called with the name of a table and the number of its rows, once it is copied and compared.
OnCopied = Callable[[str, int], None]

#: Accepted deliveries are kept in another way by each engine, and copied one by one.
INTAKE = "intake"


class Side(ABC):
    """One journal of the two, opened by nobody else. All calls are in one transaction until `commit`."""

    @abstractmethod
    def tables(self) -> Mapping[str, Columns]:
        """The columns of each table but the intake, in the order of their names."""

    @abstractmethod
    def rows(self, table: str, columns: Columns) -> Iterator[Row]:
        """All rows of a table in the order of its key, texts byte by byte."""

    @abstractmethod
    def deliveries(self) -> Iterator[Accepted]:
        """All deliveries of the intake in the order of acceptance."""

    @abstractmethod
    def write(self, table: str, columns: Columns, rows: Iterable[Row]) -> None:
        """Put rows into a table, in place of those that it has."""

    @abstractmethod
    def write_deliveries(self, deliveries: Iterable[Accepted]) -> None:
        """Put deliveries into the intake, in their order."""

    @abstractmethod
    def stored(self, value: Any) -> Any:
        """Return a value as this side stores it."""

    @abstractmethod
    def commit(self) -> None:
        """Make what was written durable; numbers are given out after those that were copied."""


class _Digest:
    """Counts and digests rows on their way."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.blake2b(digest_size=32)

    def of(self, rows: Iterable[Row], stored: Callable[[Any], Any]) -> Iterator[Row]:
        for row in rows:
            kept = [stored(value) for value in row]
            self._hash.update(b"".join(map(_encoded, kept)))
            self.rows += 1
            yield kept

    def result(self) -> tuple[int, str]:
        return self.rows, self._hash.hexdigest()


def copy(source: Side, target: Side, on_copied: OnCopied) -> None:
    """Copy everything, compare, and commit; raises JournalUnusable if the copy differs, and commits nothing."""
    theirs = target.tables()
    for table, columns in source.tables().items():
        common = tuple(name for name in columns if name in theirs.get(table, ()))
        missing = set(columns) - set(common)
        if missing:
            _complain(f"the target has no {table}.{', '.join(sorted(missing))}")
        written, found = _Digest(), _Digest()
        target.write(table, common, written.of(source.rows(table, common), target.stored))
        _read_all(found.of(target.rows(table, common), _as_it_is))
        _compare(table, written, found, on_copied)
    written, found = _Digest(), _Digest()
    target.write_deliveries(_deliveries(written.of(_rows(source.deliveries()), _as_it_is)))
    _read_all(found.of(_rows(target.deliveries()), _as_it_is))
    _compare(INTAKE, written, found, on_copied)
    target.commit()


def _compare(table: str, written: _Digest, found: _Digest, on_copied: OnCopied) -> None:
    if written.result() != found.result():
        _complain(f"{table} differs: {written.rows} rows were written, {found.rows} read back")
    on_copied(table, written.rows)


def _complain(difference: str) -> None:
    raise JournalUnusable(
        f"gateway.journal: the copy would not be the same, so nothing was copied: {difference}"
    )


def _rows(deliveries: Iterable[Accepted]) -> Iterator[Row]:
    for one in deliveries:
        yield (one,)


def _deliveries(rows: Iterable[Row]) -> Iterator[Accepted]:
    for (one,) in rows:
        yield one


def _read_all(rows: Iterable[Row]) -> None:
    for _ in rows:
        pass


def _as_it_is(value: Any) -> Any:
    return value


def _encoded(value: Any) -> bytes:
    """Return a value with its type and its length, so that no two rows look alike."""
    match value:
        case str():
            text = value.encode()
        case bytes() | memoryview():
            text = bytes(value)
        case _:
            text = repr(value).encode()
    return b"%s %d " % (type(value).__name__.encode(), len(text)) + text
