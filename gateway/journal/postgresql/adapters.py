"""How Python's values travel to PostgreSQL: one type for each, so that a statement is prepared once."""

from typing import Any

from psycopg import postgres
from psycopg.adapt import AdaptersMap, Buffer
from psycopg.types.numeric import Int8BinaryDumper
from psycopg.types.string import StrDumperUnknown

#: PostgreSQL stores no NUL in a text. The symbol for it stays readable.
_NUL, _SYMBOL = "\0", "\N{SYMBOL FOR NULL}"


class _TextDumper(StrDumperUnknown):
    """Text of which the server finds out the type, as it does with a constant."""

    def dump(self, obj: Any) -> Buffer | None:
        return super().dump(stored(obj))


def stored(text: str) -> str:
    """Return a text as PostgreSQL stores it."""
    return text.replace(_NUL, _SYMBOL) if _NUL in text else text


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(postgres.adapters)
    adapters.register_dumper(int, Int8BinaryDumper)
    adapters.register_dumper(bool, Int8BinaryDumper)
    adapters.register_dumper(str, _TextDumper)
    return adapters


class _Context:
    """What psycopg takes adapters from."""

    adapters = _adapters()
    connection = None


ADAPTERS = _Context()
