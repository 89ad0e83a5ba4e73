"""Time as the journal keeps it (milliseconds since 1970, UTC) and as events show it (RFC 3339)."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def to_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def rfc3339(ms: int) -> str:
    """2026-11-22T01:02:03.123Z"""
    return from_ms(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
