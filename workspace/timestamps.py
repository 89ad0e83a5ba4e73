"""Times as the workspace keeps them: milliseconds since 1970."""

import time
from datetime import datetime


def now() -> int:
    return time.time_ns() // 1_000_000


def parse_timestamp(written: object, otherwise: int) -> int:
    """An RFC 3339 time as milliseconds; `otherwise` where there is none or it cannot be read."""
    if not isinstance(written, str):
        return otherwise
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError:
        return otherwise
    # A time without an offset would silently be read as this machine's local time.
    return int(parsed.timestamp() * 1000) if parsed.tzinfo else otherwise
