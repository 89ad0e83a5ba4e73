"""Comparison of signatures and tokens: in constant time, with every secret, and without raising on any bytes."""

import hmac
from collections.abc import Iterable


def constant_time_equal(left: str | bytes, right: str | bytes) -> bool:
    """Whether two values are equal. The time taken does not reveal where they differ."""
    return hmac.compare_digest(_bytes(left), _bytes(right))


def matches_any(expected: Iterable[str | bytes], given: str | bytes) -> bool:
    """Whether `given` equals one of `expected`. All are compared, so the time taken does not reveal which one."""
    return any([constant_time_equal(one, given) for one in expected])  # noqa: C419 - a generator would stop early


#: Aliases, kept for existing plugins.
same, any_same = constant_time_equal, matches_any


def _bytes(value: str | bytes) -> bytes:
    # compare_digest raises TypeError for a non-ASCII str, and a header may contain any byte.
    return value.encode(errors="backslashreplace") if isinstance(value, str) else value
