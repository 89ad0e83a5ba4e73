"""How a connector reads a batch: every entry by itself, so that a bad one costs one `Unknown` event."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from normalizer.events import AnyEvent, Unknown

#: Timestamps from here on are milliseconds: 10^12 ms is 2001, 10^12 s is the year 33658.
_MILLISECONDS = 1_000_000_000_000

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def read_each(
    read: Callable[[Any], AnyEvent | Iterable[AnyEvent]], entries: Iterable[Any]
) -> list[AnyEvent]:
    """`read` applied to each entry; an entry it cannot read becomes `Unknown` with the entry kept."""
    return [event for entry in entries for event in _read(read, entry)]


def _read(read: Callable[[Any], AnyEvent | Iterable[AnyEvent]], entry: Any) -> Iterator[AnyEvent]:
    try:
        found = read(entry)
        events = list(found) if isinstance(found, Iterable) else [found]
    except _UNREADABLE as trouble:
        events = [unknown(entry, _why(trouble))]
    yield from events


def unknown(entry: Any, reason: str) -> Unknown:
    """An `Unknown` event whose id is the fingerprint of the entry, so that a repeat is the same fact."""
    return Unknown(id=fingerprint(entry), reason=reason, raw=entry)


def fingerprint(value: Any) -> str:
    """A stable id for a JSON value that brings none of its own."""
    canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=repr)
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


def moment(stamp: Any) -> datetime:
    """Seconds or milliseconds since 1970, as a number or a decimal string, as platforms mix them."""
    number = int(stamp)
    seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
    return datetime.fromtimestamp(seconds, UTC)


def _why(trouble: Exception) -> str:
    match trouble:
        case KeyError(args=(name,)):
            return f"lacks {name!r}"
        case _:
            return f"{type(trouble).__name__}: {trouble}"[:200]
