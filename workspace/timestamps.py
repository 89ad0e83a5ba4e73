"""Times as the workspace keeps them: milliseconds since 1970."""

import time
from datetime import datetime


def now() -> int:
    return time.time_ns() // 1_000_000


def parse_timestamp(value: object, default: int) -> int:
    """An RFC 3339 time as milliseconds; `default` where there is none or it cannot be read."""
    if not isinstance(value, str):
        return default
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return default
    # A time without an offset would silently be read as this machine's local time.
    return int(parsed.timestamp() * 1000) if parsed.tzinfo else default
