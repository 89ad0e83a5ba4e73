"""Retry-After: seconds, or a date that is compared with the reply's own clock."""

from datetime import timedelta

import pytest

from connectors import Reply, by_status, retry_after

from .accounts import NOW

DATE = "Sun, 22 Nov 2026 01:02:03 GMT"
LATER = "Sun, 22 Nov 2026 01:03:33 GMT"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("77", 77),
        (" 77 ", 77),
        ("1.5", 1.5),
        ("0", 0),
        (LATER, 90),
        ("Sunday, 22-Nov-26 01:03:33 GMT", 90),
        ("Sun Nov 22 01:03:33 2026", 90),
        ("Sun, 22 Nov 2026 01:00:00 GMT", 0),
        ("Sun, 22 Nov 9999 01:00:00 GMT", 999_999),
        ("9" * 15, 999_999),
        ("9" * 400, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("nan", None),
        ("\u0667", None),
        ("Sun, 99 Nov 2026 01:03:33 GMT", None),
    ],
)
def test_the_pause_is_read_in_every_form(header: str, seconds: float | None) -> None:
    reply = Reply(429, {"retry-after": header, "date": DATE}, None)
    assert retry_after(reply) == seconds
    assert by_status(reply).after == seconds


def test_a_date_is_compared_with_our_clock_if_the_reply_has_none() -> None:
    reply = Reply(503, {"retry-after": LATER}, None, received_at=NOW + timedelta(seconds=30))
    assert retry_after(reply) == 60
    assert retry_after(Reply(503, {"retry-after": LATER}, None)) is None
