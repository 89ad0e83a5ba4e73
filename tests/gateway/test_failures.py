"""Unreadable deliveries are replayed on request, and stay failures until that succeeds."""

from pathlib import Path
from typing import Any

from connectors import AnyEvent, Delivery, unknown
from gateway.delivery.lanes import Lanes
from gateway.journal import Batch
from gateway.journal.records import Accepted, Unreadable
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.upkeep.failures import Failures
from tests.gateway.notes import Notes, NotesConfig
from tests.gateway.test_gateway import house


class LanesWithoutFailures(Lanes):
    """The lanes of a core that accepts every event."""

    def __init__(self) -> None:
        pass

    def refused(self) -> list[dict[str, Any]]:
        return []


class OlderNotes(Notes):
    """An older version, which cannot parse the deliveries of the next one."""

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return [unknown(delivery.content, "a note of a kind that is not known")]


async def test_an_unreadable_delivery_can_be_replayed_after_an_upgrade(tmp_path: Path) -> None:
    older = OlderNotes(NotesConfig(type="notes", api_url="http://127.0.0.1:9"))
    async with house(tmp_path, connector=older) as home:
        await home.send({"id": "1", "from": "ann", "text": "hello"})
        (event,) = await home.core.until(1)
        assert event["type"] == "event.unrecognised"
        (failure,) = (await home.call("GET", "/v1/failures"))[1]["failures"]
        path = f"/v1/failures/{failure['id']}"
        assert "hello" in str((await home.call("GET", path))[1])
        _, answer = await home.call("POST", f"{path}/retry")
        assert answer["results"][0]["status"] == "failed"
        assert len((await home.call("GET", "/v1/failures"))[1]["failures"]) == 1
    async with house(tmp_path) as home:
        _, answer = await home.call("POST", f"{path}/retry")
        assert answer["results"][0]["status"] == "done"
        (event,) = await home.core.until(1)
        assert event["data"]["message"]["text"] == "hello"
        assert (await home.call("GET", "/v1/failures"))[1]["failures"] == []
        assert (await home.call("POST", f"{path}/retry"))[0] == 404


async def test_retry_all_includes_failures_beyond_the_listed_ones(
    tmp_path: Path,
) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    accepted = Accepted("gone", 1, {}, {}, b"{}")
    count = 1234
    unreadable = tuple(Unreadable(accepted, "odd") for _ in range(count))
    await journal.record(Batch((), (), unreadable))
    failures = Failures(journal, {}, LanesWithoutFailures())
    assert len(await failures.listed()) == 1000
    results = await failures.retry_all()
    # Their connector is still missing, so each stays a failure.
    assert [result["status"] for result in results] == ["failed"] * count
    assert results[0]["id"] == "delivery_1"
    await journal.close()
