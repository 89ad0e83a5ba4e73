"""Reading batches entry by entry, so that a bad entry becomes one `Unknown` event and the others are still read."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from normalizer.events import AnyEvent, Attachment, Unknown, dump, load

Found = AnyEvent | Iterable[AnyEvent]

#: Timestamps from this number on are milliseconds: 10^12 ms is 2001, 10^12 s is the year 33658.
_MILLISECONDS = 1_000_000_000_000

_ISO = re.compile(
    r"(?P<until>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{5,8}(?:\.[0-9]{1,6})?)[0-9]*(?P<zone>[Zz]|[+-][0-9:]{2,6})?\Z"
)

#: Levels of nesting that are kept. JSON parsers stop between 200 (pydantic) and 1024, and events add some levels.
_MAX_DEPTH = 100
#: Many JSON parsers do not accept larger integers.
_INTEGER_LIMIT = 2**63


class Unreadable(ValueError):
    """An entry that the connector cannot read. The reason is for operators and must not quote what consumers wrote."""


_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError)


def read_each(read: Callable[[Any], Found], entries: Iterable[Any]) -> list[AnyEvent]:
    """Apply `read` to each entry. An entry that cannot be read becomes an `Unknown` event that keeps the entry.

    An entry is also unreadable if its event has a field of the wrong type, or an empty `id`, `account` or
    `party`: such an event would only fail later, far from the cause.
    """
    return [event for entry in entries for event in _read(lambda e: _validated(read(e)), entry)]


def open_each(
    opener: Callable[[Any], Iterable[AnyEvent]], envelopes: Iterable[Any]
) -> list[AnyEvent]:
    """Like `read_each`, for envelopes around entries: `opener` returns the events of the entries in one envelope."""
    return [event for envelope in envelopes for event in _read(opener, envelope)]


def attach_each(read: Callable[[Any], Attachment], files: Iterable[Any]) -> tuple[Attachment, ...]:
    """Apply `read` to each file of a message. A file that cannot be read becomes an `unsupported` attachment."""
    return tuple(_attached(read, file) for file in files)


def listed(raw: Mapping[str, Any], name: str) -> list[Any]:
    """The list at `raw[name]`, empty if absent or null. A single value that is not a list becomes a list of one."""
    return [] if raw.get(name) is None else entries(raw, name)


def entries(raw: Mapping[str, Any], name: str) -> list[Any]:
    """Like `listed`, for a required field: raises KeyError if it is absent or null."""
    found = raw[name]
    if found is None:
        raise KeyError(name)
    return found if isinstance(found, list) else [found]


def unknown(entry: Any, reason: str) -> Unknown:
    """An `Unknown` event for an entry. Its id is the entry's fingerprint, so a repeated entry has the same id."""
    kept = as_json(entry)
    return Unknown(id=f"unknown:{fingerprint(kept)}", reason=reason, raw=kept)


def id_of(value: Any) -> str:
    """An id as text; some platforms send numbers. Raises Unreadable for anything else, such as null or empty text."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise Unreadable("an id is neither text nor a number")
    return str(value)


def fingerprint(value: Any) -> str:
    """A stable id for a JSON value that has no id of its own."""
    canonical = orjson.dumps(as_json(value), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


def parse_timestamp(value: Any) -> datetime:
    """Convert a time to a datetime with a time zone; raise ValueError or TypeError for anything else.

    Platforms mix the formats: seconds or milliseconds since 1970, as a number or a decimal string, and ISO 8601 with
    any number of decimals. A time without a zone is UTC.
    """
    if isinstance(value, str) and (iso := _ISO.match(value)):
        # Digits beyond microseconds are cut off.
        found = datetime.fromisoformat(iso["until"] + (iso["zone"] or "").upper())
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    number = int(value)
    seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
    return datetime.fromtimestamp(seconds, UTC)


#: Alias, kept for existing plugins.
moment = parse_timestamp


def _read(read: Callable[[Any], Found], entry: Any) -> list[AnyEvent]:
    try:
        found = read(entry)
        return list(found) if isinstance(found, Iterable) else [found]
    except _UNREADABLE as exc:
        return [unknown(entry, _reason(exc))]


def _attached(read: Callable[[Any], Attachment], file: Any) -> Attachment:
    try:
        return read(file)
    except _UNREADABLE as exc:
        return Attachment("unsupported", details={"reason": _reason(exc)})


def _validated(found: Found) -> list[AnyEvent]:
    events = list(found) if isinstance(found, Iterable) else [found]
    for event in load(dump(events)):
        people = [] if event.party is None else [event.party.id, *event.party.aliases]
        if not all((event.id, event.account or isinstance(event, Unknown), *people)):
            raise Unreadable("an id, an account or a person's id is empty")
    return events


def as_json(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """Convert a value to JSON that every parser accepts: deep nesting is cut off, and other types become text."""
    match value:
        case dict() | list() if depth == 0:
            return "…"
        case dict():
            return {_printable(key): as_json(inner, depth - 1) for key, inner in value.items()}
        case list():
            return [as_json(inner, depth - 1) for inner in value]
        case None | bool() | float():
            return value
        case int() if abs(value) < _INTEGER_LIMIT:
            return value
        case _:
            return _printable(value)


def _printable(value: Any) -> str:
    return str(value).encode(errors="replace").decode()


def _reason(exc: Exception) -> str:
    match exc:
        case Unreadable():
            return str(exc)
        case KeyError(args=(str(name),)):
            return f"the field {name[:40]!r} is missing"
        case ValidationError():
            error = exc.errors(include_input=False, include_url=False)[0]
            # The first two elements are the index in the list and the event's type.
            return f"{'.'.join(map(str, error['loc'][2:]))}: {error['msg']}"
        case _:
            return f"{type(exc).__name__} while reading the entry"
