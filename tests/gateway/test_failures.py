"""Trying all failures again means all of them, however many there are."""

from pathlib import Path
from typing import Any

from gateway.failures import Failures
from gateway.journal import Batch, Journal
from gateway.journal.frames import Accepted, pack
from gateway.journal.rows import Unreadable
from gateway.lanes import Lanes


class NothingRefused(Lanes):
    """Of a core that takes everything."""

    def __init__(self) -> None:
        pass

    def refused(self) -> list[dict[str, Any]]:
        return []


async def test_all_failures_are_tried_again_and_not_only_those_that_are_listed(
    tmp_path: Path,
) -> None:
    journal = await Journal.open(tmp_path, hold_seconds=2)
    frame = pack(Accepted("gone", 1, {}, {}, b"{}"))
    count = 1234
    unreadable = tuple(Unreadable("gone", at, "odd", frame) for at in range(count))
    await journal.record(Batch((), (), unreadable))
    failures = Failures(
        journal, {}, NothingRefused(), on_recorded=lambda _: None, on_job=lambda _: None
    )
    assert len(await failures.listed()) == 1000
    results = await failures.retry_all()
    # Their connector is still missing, so each stays a failure.
    assert [result["status"] for result in results] == ["failed"] * count
    assert results[0]["id"] == "delivery_1"
    await journal.close()
