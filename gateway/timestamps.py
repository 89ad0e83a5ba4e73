"""Timestamps: milliseconds since 1970 (UTC) in the journal, RFC 3339 in events."""

import time
from datetime import UTC, datetime
from functools import lru_cache


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def to_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def rfc3339(ms: int) -> str:
    """Return the timestamp in the form 2026-11-22T01:02:03.123Z."""
    seconds, rest = divmod(ms, 1000)
    return f"{_rfc3339_second(seconds)}.{rest:03d}Z"


@lru_cache(1024)
def _rfc3339_second(seconds: int) -> str:
    # Many events fall into the same second: without the cache, formatting was a tenth of recording a message.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
