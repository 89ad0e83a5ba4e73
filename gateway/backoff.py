"""Retries: delays between attempts, Retry-After, and work that outlives an outage."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypeVar

import structlog

T = TypeVar("T")

#: Exceptions that mean that a service is temporarily unavailable.
Outage = type[Exception] | tuple[type[Exception], ...]

log = structlog.get_logger(__name__)

#: Seconds. A Retry-After beyond this is a mistake of the server that sent it.
_MAX_RETRY_AFTER = 999_999.0


def delay(attempt: int, *, base: float, ceiling: float) -> float:
    """Return the seconds before retry `attempt` (1, 2, …): exponential from `base` to `ceiling`, with equal jitter.

    Half of the delay is fixed, so that a retry is never immediate; half is random, so that many retries spread out.
    """
    longest = min(ceiling, base * 2.0 ** min(attempt - 1, 30))
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - spreads load, protects nothing


def retry_after(header: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, as a number or a date (RFC 9110, section 10.2.3).

    None if the header is absent or unreadable.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(0.0, (date - now).total_seconds()), _MAX_RETRY_AFTER)


async def every(
    seconds: float, work: Callable[[], Awaitable[object]], outage: Outage, event: str
) -> NoReturn:
    """Run `work` after every pause of so many seconds, forever. An outage is logged as `event` and only delays it."""
    while True:
        await asyncio.sleep(seconds)
        await retry_until_done(seconds, work, outage, event)


async def retry_until_done(
    seconds: float, work: Callable[[], Awaitable[T]], outage: Outage, event: str
) -> T:
    """Return the result of `work`. If there is an outage, log it as `event`, sleep, and run `work` again."""
    while True:
        try:
            return await work()
        except outage as exc:
            log.error(event, error=str(exc))
            await asyncio.sleep(seconds)
