"""Log lines that every delivery leaves. They hold ids and numbers of ours alone, so that nothing has to be masked.

A line of the ordinary log passes two dozen patterns that look for secrets, which costs more than accepting a delivery.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TextIO

import orjson
import structlog
from structlog.contextvars import bound_contextvars


@dataclass(slots=True)
class _Output:
    """Where lines go: to `stream` as JSON, or through the ordinary log. `enabled` follows the level."""

    stream: TextIO | None = None
    enabled: bool = True
    node: str | None = None


_output = _Output()
_log = structlog.get_logger(__name__)


def direct_to(stream: TextIO | None, *, enabled: bool, node: str | None = None) -> None:
    """Write lines to `stream` as JSON; through the ordinary log if it is None. Every line names the `node`, if any."""
    _output.stream, _output.enabled, _output.node = stream, enabled, node


def note(event: str, fields: Mapping[str, str | int | float | bool | None]) -> None:
    """Write a line at the level `info`. `fields` hold ids and numbers of ours; empty ones are left out."""
    if not _output.enabled:
        return
    known = {key: value for key, value in fields.items() if value is not None and value != ""}
    if _output.stream is None:
        _log.info(event, **known)
        return
    named = {"node": _output.node} if _output.node else {}
    line: dict[str, Any] = {"time": _now(), "level": "info", "event": event, **named, **known}
    # What cannot be logged must not fail a delivery that is on disk.
    with suppress(OSError, ValueError):
        _output.stream.write(orjson.dumps(line).decode() + "\n")
        _output.stream.flush()


@contextmanager
def naming(**ids: str) -> Iterator[None]:
    """Name these ids in every line of the ordinary log that is written inside; empty ones are left out."""
    with bound_contextvars(**{name: id for name, id in ids.items() if id}):
        yield


def _now() -> str:
    seconds, part = divmod(time.time(), 1)
    return f"{_to_the_second(seconds)}.{int(part * 1e6):06d}Z"


@lru_cache(maxsize=1)
def _to_the_second(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
