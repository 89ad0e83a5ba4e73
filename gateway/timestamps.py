"""Time as the journal keeps it (milliseconds since 1970, UTC) and as events show it (RFC 3339)."""

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
    """2026-11-22T01:02:03.123Z"""
    seconds, rest = divmod(ms, 1000)
    return f"{_rfc3339_second(seconds)}.{rest:03d}Z"


@lru_cache(1024)
def _rfc3339_second(seconds: int) -> str:
    # Events come many to the second: formatting each anew was a tenth of recording a message.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
