"""Sizes (`25MB`), durations (`5m`), counts and flags in the notation of connectors.yaml."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_SIZES = {
    "": Decimal(1),
    "b": Decimal(1),
    "kb": Decimal(1000),
    "mb": Decimal(1000**2),
    "gb": Decimal(1000**3),
    "kib": Decimal(1024),
    "mib": Decimal(1024**2),
    "gib": Decimal(1024**3),
}
_DURATIONS = {
    "": Decimal(1),
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
_FLAGS = {"true": True, "false": False}

#: More digits than any real amount has, but few: int() and Decimal() are slow on very long numbers.
_AMOUNT = re.compile(r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(?P<unit>[A-Za-z]*)")
_WHOLE = re.compile(r"[0-9]{1,15}")


def size(value: Any) -> int:
    """Return the bytes of `25MB`, `30kB`, `4GiB` or a plain number."""
    amount = _amount(value, _SIZES)
    if amount is None or amount < 1:
        raise ValueError("must be a size such as 25MB, 30kB or 4GiB, or a number of bytes")
    return int(amount)


def duration(value: Any) -> float:
    """Return the seconds of `5m`, `30d`, `2s`, `500ms` or a plain number."""
    amount = _amount(value, _DURATIONS)
    if amount is None:
        raise ValueError("must be a duration such as 2s, 5m, 12h or 30d, or a number of seconds")
    return float(amount)


def count(value: Any) -> int:
    """Return a whole number of at least 1; numeric text (from the environment) is accepted, true and 1.5 are not."""
    text = "" if isinstance(value, bool | float) else str(value).strip()
    if not _WHOLE.fullmatch(text) or int(text) == 0:
        raise ValueError("must be a whole number of at least 1")
    return int(text)


def flag(value: Any) -> bool:
    """Return true or false; the text "true" or "false" (from the environment) is accepted, 1 is not."""
    answer = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
    if answer is None:
        raise ValueError("must be true or false")
    return answer


def _amount(value: Any, units: Mapping[str, Decimal]) -> Decimal | None:
    text = "" if isinstance(value, bool) else str(value).strip()
    parts = _AMOUNT.fullmatch(text)
    factor = units.get(parts["unit"].lower()) if parts else None
    return Decimal(parts["number"]) * factor if parts and factor else None


Size = Annotated[
    int,
    BeforeValidator(size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^[0-9.]+ ?([kKmMgG]i?)?[bB]?$"},
            ]
        }
    ),
]
Duration = Annotated[
    float,
    BeforeValidator(duration),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": "^[0-9.]+ ?(ms|[smhdw])?$"},
            ]
        }
    ),
]
Count = Annotated[int, BeforeValidator(count), WithJsonSchema({"type": "integer", "minimum": 1})]
Flag = Annotated[bool, BeforeValidator(flag), WithJsonSchema({"type": "boolean"})]
