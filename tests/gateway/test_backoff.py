"""Waiting before another attempt: what a server asks for."""

from datetime import UTC, datetime

import pytest

from gateway.backoff import retry_after

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Sun, 22 Nov 2026 01:03:43 GMT", 100.0),
        ("Sun, 22 Nov 2026 02:03:43 +0100", 100.0),
        ("Sun, 22 Nov 2026 01:03:43", 100.0),
        ("Sun, 22 Nov 2026 01:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    "header", ["", "soon", "-5", "1.5", "1e9", "\u0663", "Sun, 99 Nov 2026 01:03:43 GMT"]
)
def test_an_unreadable_retry_after_is_ignored(header: str) -> None:
    assert retry_after(header, NOW) is None


@pytest.mark.parametrize("header", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 -2300"])
def test_an_absurd_retry_after_is_bounded(header: str) -> None:
    assert retry_after(header, NOW) == 999_999
