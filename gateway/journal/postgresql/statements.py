"""Statements of the operations in PostgreSQL's notation, translated once for each text."""

import re
from functools import lru_cache

#: A parameter, constant bytes, or any other text in quotes, which stays as it is.
_PARTS = re.compile(r"\?|\bx'(?P<bytes>[0-9a-f]*)'|'[^']*'")
#: What a lock of rows is written as (`operations/transaction.py`).
_LOCK = re.compile(r"/\* lock (\w+(?:, \w+)*) \*/")


@lru_cache(maxsize=1024)
def translated(statement: str) -> bytes:
    """Return the statement with `$1`, `$2`, … for each `?`, and bytes as PostgreSQL writes them."""
    number = 0

    def replacement(match: re.Match[str]) -> str:
        nonlocal number
        if match[0] == "?":
            number += 1
            return f"${number}"
        return match[0] if match["bytes"] is None else f"'\\x{match['bytes']}'::bytea"

    locking = _LOCK.sub(r"FOR NO KEY UPDATE OF \1", statement)
    return _PARTS.sub(replacement, locking).encode()
