"""Trials: what `parse` makes of a recording in which one value is another one.

The kit does not know the platform. It learns what each value of a delivery does by changing it: a value that appears
in an event's text is a text, one that appears in its id is an id, one that changes which events come chooses a type.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson

from connectors.contract import Connector
from connectors.recordings import Recording
from normalizer.events import AnyEvent, Echo, Edit, Message, dump

from .paths import Path, changed, opened

#: In place of a word and of words. No platform sends them.
WORD = "zq4711"
WORDS = "zq4711 words"
#: In place of the name of a type.
NO_TYPE = "zzz"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


@dataclass(frozen=True, slots=True)
class Trial:
    """One value of a recording, and the events with another value (`fresh`) in its place."""

    path: Path
    value: Any
    fresh: Any
    events: tuple[AnyEvent, ...]

    @property
    def name(self) -> str:
        """The name of the field, without the positions in lists."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")

    @property
    def words(self) -> frozenset[str]:
        """The words in the names along the path: `sourceId` has source and id."""
        return words_in(*(part for part in self.path if isinstance(part, str)))

    @property
    def dumped(self) -> str:
        return dump(list(self.events)).decode()

    @property
    def is_seen(self) -> bool:
        """Whether the value reaches an event."""
        return str(self.fresh) in self.dumped


@lru_cache(maxsize=1024)
def words_in(*names: str) -> frozenset[str]:
    return frozenset(word.lower() for name in names for word in _PARTS.findall(name))


def leaves(content: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is neither an object nor a list, with its path."""
    match opened(content):
        case dict() as content:
            for name, inner in content.items():
                yield from leaves(inner, (*path, name))
        case list() as content:
            for at, inner in enumerate(content):
                yield from leaves(inner, (*path, at))
        case _:
            yield path, content


def trials(connector: Connector[Any], recording: Recording) -> tuple[Trial, ...]:
    """A trial for each value of the recording."""
    return _trials(connector, recording.name, orjson.dumps([recording.content, *_rest(recording)]))


@lru_cache(maxsize=512)
def _trials(connector: Connector[Any], name: str, key: bytes) -> tuple[Trial, ...]:
    content, headers, query = orjson.loads(key)
    recording = Recording(name, content, headers=headers, query=query)
    found = []
    for path, value in leaves(content):
        fresh = fresh_value(value)
        if fresh is not None:
            events = parse_with(connector, recording, path, fresh)
            found.append(Trial(path, value, fresh, events))
    return tuple(found)


def parse_with(
    connector: Connector[Any], recording: Recording, path: Path, value: Any
) -> tuple[AnyEvent, ...]:
    """The events of a recording with another value at `path`."""
    return parse(connector, replace(recording, content=changed(recording.content, path, value)))


def parse(connector: Connector[Any], recording: Recording) -> tuple[AnyEvent, ...]:
    return tuple(connector.parse(recording.delivery(connector)))


def fresh_value(value: Any) -> Any:
    """Another value of the same form; None for a value that has no other."""
    match value:
        case None | bool() | "":
            return None
        case int():
            return value + 1
        case float():
            return value + 0.5
        case str() if value.isascii() and value.isdigit():
            return str(int(value) + 1).zfill(len(value))
        case str() if _TIME.match(value):
            return None
        case str() if "://" in value:
            return f"{value}-{WORD}"
        case str() if value.startswith("+") and value[1:].isdigit():
            return f"+{int(value[1:]) + 1}"
        case str():
            return WORDS if " " in value else WORD
    return None


def text_of(event: AnyEvent) -> str:
    """What an event shows to people."""
    return getattr(event, "text", None) or ""


def is_blank(event: AnyEvent) -> bool:
    """Whether an event of the consumer or of the business says nothing at all."""
    if not isinstance(event, Message | Echo | Edit):
        return False
    chosen = getattr(event, "choice", None)
    return not (text_of(event).strip() or event.attachments or chosen)


def shape(path: Path) -> str:
    """A path without positions: values at the same place of other recordings have the same shape."""
    return "/".join(part for part in path if isinstance(part, str))


def _rest(recording: Recording) -> tuple[Any, Any]:
    return dict(recording.headers), dict(recording.query)
