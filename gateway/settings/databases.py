"""Where the journal is kept: the word sqlite, or the URL of a PostgreSQL database, whose password stays hidden."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BeforeValidator, PlainSerializer, SecretStr, WithJsonSchema
from pydantic.dataclasses import dataclass

_SCHEMES = ("postgresql://", "postgres://")
_FORM = "postgresql://user:password@host/database"


@dataclass(frozen=True)
class DatabaseUrl:
    """The URL of a PostgreSQL database; `str()` leaves out what may hold a password."""

    url: SecretStr

    def __str__(self) -> str:
        parts = urlsplit(self.url.get_secret_value())
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def passwords(self) -> Iterator[str]:
        """Yield the password, as it is written and as it is meant, and the whole URL."""
        url = self.url.get_secret_value()
        yield url
        parts = urlsplit(url)
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        del user
        found = [password, unquote(password)]
        found += [
            value for name, value in parse_qsl(parts.query) if name in {"password", "sslpassword"}
        ]
        yield from (one for one in found if one)


def parse_journal(value: Any) -> "DatabaseUrl | str":
    """Accept `sqlite`, or the URL of a PostgreSQL database as libpq reads it; several hosts are separated by commas."""
    if isinstance(value, DatabaseUrl):
        return value
    if value == "sqlite":
        return "sqlite"
    if not isinstance(value, str) or not value.startswith(_SCHEMES):
        raise ValueError(f"must be sqlite, or {_FORM}")
    rest = value.partition("://")[2]
    if re.search(r"[\s\\#]|[^\x21-\x7e]", value):
        raise ValueError(
            f"must be {_FORM} without spaces, # and \\; write such characters of a password as %20, %23, %5C"
        )
    if rest.partition("?")[0].count("@") > 1 or re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        raise ValueError(f"must be {_FORM}; write @ and % of a password as %40 and %25")
    if not rest.partition("?")[0].rpartition("@")[2].partition("/")[2]:
        raise ValueError(f"must name a database: {_FORM}")
    return DatabaseUrl(SecretStr(value))


JournalPlace = Annotated[
    DatabaseUrl | Literal["sqlite"],
    BeforeValidator(parse_journal),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": "^(sqlite$|postgres(ql)?://)"}),
]
