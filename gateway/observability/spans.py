"""Spans: what happened to a message, and when. `traces` exports them; without it, none is made."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """What happened, from `start` to `end` (ms). Without `parent`, it is the root of its trace.

    `id` is its span's id; "" for any. `error` says why it failed. Nothing in here is personal data.
    """

    name: str
    trace: str
    start: int
    end: int
    id: str = ""
    parent: str = ""
    is_call: bool = False
    error: str = ""
    attributes: dict[str, str | int] = field(default_factory=dict)


AddSpan = Callable[[Span], None]
