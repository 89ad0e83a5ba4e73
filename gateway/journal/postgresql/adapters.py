"""How Python's values travel to PostgreSQL: one type for each, so that a statement is prepared once."""

import struct
from collections.abc import Iterable
from typing import Any

from psycopg import postgres, pq
from psycopg.adapt import AdaptersMap, Buffer, Dumper
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrDumperUnknown

#: PostgreSQL stores no NUL in a text. The symbol for it stays readable.
_NUL, _SYMBOL = "\0", "\N{SYMBOL FOR NULL}"


class Bigints(list[int | None]):
    """An array of whole numbers."""


class Texts(list[str | None]):
    """An array of texts."""


class Byteas(list[bytes | None]):
    """An array of bytes."""


#: The array that is meant, by the name of its elements' type.
ARRAYS = {"bigint": Bigints, "text": Texts, "bytea": Byteas}


class _TextDumper(StrDumperUnknown):
    """Text of which the server finds out the type, as it does with a constant."""

    def dump(self, obj: Any) -> Buffer | None:
        return super().dump(stored(obj))


def stored(text: str) -> str:
    """Return a text as PostgreSQL stores it."""
    return text.replace(_NUL, _SYMBOL) if _NUL in text else text


class _ArrayDumper(Dumper):
    """An array in the binary format: dimensions, whether any is NULL, type; size and first index; the elements."""

    format = pq.Format.BINARY
    element = 0

    def dump(self, obj: Any) -> Buffer | None:
        head = struct.pack("!IIIII", 1, None in obj, self.element, len(obj), 1)
        return head + b"".join(self._elements(obj))

    def _elements(self, obj: Any) -> Iterable[bytes]:
        raise NotImplementedError


_NULL = struct.pack("!i", -1)
_LENGTH = struct.Struct("!i")
_BIGINT = struct.Struct("!iq")


class _BigintsDumper(_ArrayDumper):
    oid, element = 1016, 20

    def _elements(self, obj: Bigints) -> Iterable[bytes]:
        return [_NULL if one is None else _BIGINT.pack(8, one) for one in obj]


class _TextsDumper(_ArrayDumper):
    oid, element = 1009, 25

    def _elements(self, obj: Texts) -> Iterable[bytes]:
        return map(_sized, (None if one is None else stored(one).encode() for one in obj))


class _ByteasDumper(_ArrayDumper):
    oid, element = 1001, 17

    def _elements(self, obj: Byteas) -> Iterable[bytes]:
        return map(_sized, obj)


def _sized(element: bytes | None) -> bytes:
    return _NULL if element is None else _LENGTH.pack(len(element)) + element


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(postgres.adapters)
    adapters.register_dumper(int, Int8BinaryDumper)
    adapters.register_dumper(bool, Int8BinaryDumper)
    adapters.register_dumper(str, _TextDumper)
    adapters.register_dumper(Bigints, _BigintsDumper)
    adapters.register_dumper(Texts, _TextsDumper)
    adapters.register_dumper(Byteas, _ByteasDumper)
    return adapters


class _Context:
    """What psycopg takes adapters from."""

    adapters = _adapters()
    connection = None


ADAPTERS = _Context()
