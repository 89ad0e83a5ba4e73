"""Retries honour Retry-After, and periodic work outlives outages."""

from datetime import UTC, datetime

import pytest
import structlog

from gateway.backoff import every, retry_after, retry_until_done

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


class Outage(Exception):
    """A service is unavailable."""


async def test_work_is_run_again_after_an_outage() -> None:
    results: list[Exception | int] = [Outage("away"), Outage("away"), 7]

    async def work() -> int:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    with structlog.testing.capture_logs() as logged:
        assert await retry_until_done(0.001, work, Outage, "work_waits") == 7
    assert [(line["event"], line["error"]) for line in logged] == [("work_waits", "away")] * 2


async def test_periodic_work_outlives_outages_but_not_other_errors() -> None:
    errors = [None, Outage("away"), None, ZeroDivisionError()]
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        error = errors.pop(0)
        if error is not None:
            raise error

    with pytest.raises(ZeroDivisionError):
        await every(0.001, work, Outage, "work_waits")
    assert runs == 4
