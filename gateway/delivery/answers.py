"""The core's answers to events."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import orjson

from gateway.backoff import retry_after

#: The status of a batch of which only a part is taken, and the most bytes of the answer that says so.
TAKEN_IN_PART = 207
MAX_ANSWER = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """The core's answer to an event.

    taken   the core has the event
    again   not now; retry after `after` seconds, if given
    gone    410: the core wants no more events

    Of several events, the first `first` are taken although the verdict is another.
    """

    verdict: Literal["taken", "again", "gone"]
    status: int | None = None
    after: float | None = None
    error: str = ""
    first: int = 0


def taken_in_part(body: bytes, count: int) -> Answer:
    """Read `{"taken": n}`: the core has the first n events, and not the one after them."""
    try:
        taken = orjson.loads(body)["taken"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        taken = None
    if not isinstance(taken, int) or isinstance(taken, bool) or not 0 <= taken <= count:
        return Answer("again", TAKEN_IN_PART, error='HTTP 207 without {"taken": n}')
    if taken == count:
        return Answer("taken", TAKEN_IN_PART)
    return Answer("again", TAKEN_IN_PART, error=f"HTTP 207, {taken} of {count} taken", first=taken)


def answer_of(status: int, retry_after_header: str) -> Answer:
    if 200 <= status < 300:
        return Answer("taken", status)
    if status == 410:
        return Answer("gone", status)
    return Answer(
        "again", status, retry_after(retry_after_header, datetime.now(UTC)), f"HTTP {status}"
    )
