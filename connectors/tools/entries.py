"""How a connector reads a batch: every entry by itself, so that a bad one costs one `Unknown` event."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from normalizer.events import AnyEvent, Attachment, Unknown, dump, load

Found = AnyEvent | Iterable[AnyEvent]

#: Timestamps from here on are milliseconds: 10^12 ms is 2001, 10^12 s is the year 33658.
_MILLISECONDS = 1_000_000_000_000

#: How deep an entry is kept. Readers of JSON stop between 200 (pydantic) and 1024, and events add some levels.
_MAX_DEPTH = 100
#: Larger integers are no JSON to many readers.
_INTEGER_LIMIT = 2**63


class Unreadable(ValueError):
    """An entry a connector cannot read. The reason is for operators and quotes no customer's words."""


_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, OSError)


def read_each(read: Callable[[Any], Found], entries: Iterable[Any]) -> list[AnyEvent]:
    """`read` applied to each entry; an entry it cannot read becomes `Unknown` with the entry kept.

    An event with a field of the wrong type is unreadable too, and so is one whose `id`, `account` or `party`
    is empty: it would fail later, and further away.
    """
    return [event for entry in entries for event in _read(lambda e: _validated(read(e)), entry)]


def open_each(
    opener: Callable[[Any], Iterable[AnyEvent]], envelopes: Iterable[Any]
) -> list[AnyEvent]:
    """As `read_each`, for what only wraps entries: `opener` returns what `read_each` made of them."""
    return [event for envelope in envelopes for event in _read(opener, envelope)]


def attach_each(read: Callable[[Any], Attachment], files: Iterable[Any]) -> tuple[Attachment, ...]:
    """`read` applied to each file of a message; one it cannot read is `unsupported`, and the words stay."""
    return tuple(_attached(read, file) for file in files)


def listed(raw: Mapping[str, Any], name: str) -> list[Any]:
    """The list under `name`; none if absent; what is no list counts as its only entry."""
    return [] if raw.get(name) is None else entries(raw, name)


def entries(raw: Mapping[str, Any], name: str) -> list[Any]:
    """As `listed`, for what must be there."""
    found = raw[name]
    return found if isinstance(found, list) else [found]


def unknown(entry: Any, reason: str) -> Unknown:
    """An `Unknown` event whose id is the fingerprint of the entry, so that a repeat is the same fact."""
    kept = _as_json(entry)
    return Unknown(id=f"unknown:{fingerprint(kept)}", reason=reason, raw=kept)


def id_of(value: Any) -> str:
    """An id as text, which some platforms write as a number; raises Unreadable for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise Unreadable("an id that is neither text nor a number")
    return str(value)


def fingerprint(value: Any) -> str:
    """A stable id for a JSON value that brings none of its own."""
    canonical = orjson.dumps(_as_json(value), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


def parse_timestamp(value: Any) -> datetime:
    """Seconds or milliseconds since 1970, as a number or a decimal string, as platforms mix them."""
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
            raise Unreadable("an id, an account or a person's id that is empty")
    return events


def _as_json(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """`value` as JSON that any reader takes: what is too deep is cut off, what is no JSON becomes text."""
    match value:
        case dict() | list() if depth == 0:
            return "…"
        case dict():
            return {_printable(key): _as_json(inner, depth - 1) for key, inner in value.items()}
        case list():
            return [_as_json(inner, depth - 1) for inner in value]
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
            return f"lacks {name[:40]!r}"
        case ValidationError():
            error = exc.errors(include_input=False, include_url=False)[0]
            # The first two steps are the list and the event's type.
            return f"{'.'.join(map(str, error['loc'][2:]))}: {error['msg']}"
        case _:
            return f"{type(exc).__name__} while reading it"
