"""Comparing proofs: constant time, every secret tried, no bytes that could raise."""

import hmac
from collections.abc import Iterable


def constant_time_equal(left: str | bytes, right: str | bytes) -> bool:
    """Whether two values are equal, in a time that tells nothing about where they differ."""
    return hmac.compare_digest(_bytes(left), _bytes(right))


def matches_any(expected: Iterable[str | bytes], given: str | bytes) -> bool:
    """Whether `given` is one of `expected`; all are compared, so that time does not tell which."""
    return any([constant_time_equal(one, given) for one in expected])  # noqa: C419 - a generator would stop at the first


#: The names that these two had at first.
same, any_same = constant_time_equal, matches_any


def _bytes(value: str | bytes) -> bytes:
    # compare_digest raises TypeError for a str beyond ASCII, and headers may hold any byte.
    return value.encode(errors="backslashreplace") if isinstance(value, str) else value
