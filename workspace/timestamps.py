"""Timestamps in milliseconds since 1970."""

import time
from datetime import UTC, datetime


def now() -> int:
    return time.time_ns() // 1_000_000


def parse_timestamp(value: object, default: int) -> int:
    """Parse an RFC 3339 time to milliseconds. Returns `default` if there is none or it cannot be parsed."""
    if not isinstance(value, str):
        return default
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return default
    # Without an offset, the time would silently be taken as local time of this machine.
    return int(parsed.timestamp() * 1000) if parsed.tzinfo else default


def rfc3339(at: int) -> str:
    """Return a timestamp as people and programs read it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
