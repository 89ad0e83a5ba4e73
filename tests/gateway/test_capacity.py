"""Capacity: the flood of one connector closes that connector alone."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.http.health import _check_storage
from gateway.inbound.capacity import BACKLOG_LIMIT, GROWTH, CapacityGate
from gateway.journal import Batch, Reading
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.media.storage.filesystem import FileStore
from normalizer.events import Message, Party

GIB = 2**30


class Flooded:
    """A gate over a backlog and unparsed bytes that a test sets, by connector."""

    def __init__(self, folder: Path, connectors: Iterable[str], spare: int = 100 * GIB) -> None:
        self.events: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.counts = 0
        self.gate = CapacityGate(
            folder,
            backlog=self.events.total,
            unread=self.bytes.total,
            to_come=int,
            connectors=[*connectors],
            backlog_of_each=self.count,
        )
        self.gate._free_beyond_reserve = lambda: spare  # type: ignore[method-assign]

    async def count(self) -> Counter[str]:
        self.counts += 1
        return self.events

    def arrive(self, connector: str, size: int) -> None:
        self.bytes[connector] += size
        self.gate.accepted(connector, size)

    def parse(self, connector: str, size: int) -> None:
        self.bytes[connector] -= size
        self.gate.parsed(connector, size)

    async def refusals(self) -> set[str]:
        """Return the connectors whose deliveries are refused."""
        await self.gate._count()
        return {name for name in "abcd" if self.gate.refusal(name) is not None}


async def test_a_connectors_backlog_closes_that_connector_alone(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd")
    flooded.events["a"] = BACKLOG_LIMIT // 2
    assert await flooded.refusals() == set()
    flooded.events["a"] += 1
    assert await flooded.refusals() == {"a"}
    assert "of this connector" in str(flooded.gate.refusal("a"))


async def test_readiness_names_the_connector_that_is_closed(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd")
    store = FileStore(tmp_path / "media", is_full=lambda: False)
    assert (await _check_storage(flooded.gate, store)).state == "ok"
    flooded.events["a"] = BACKLOG_LIMIT // 2 + 1
    await flooded.refusals()
    check = await _check_storage(flooded.gate, store)
    assert check.state == "warn"
    assert check.detail.startswith(
        "deliveries are refused for a: too many events of this connector"
    )


async def test_every_further_flood_leaves_room_for_others(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd")
    for name, share in (("a", 2), ("b", 4), ("c", 8)):
        flooded.events[name] = BACKLOG_LIMIT // share
    assert "d" not in await flooded.refusals()


async def test_the_total_backlog_is_bounded_as_well(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd")
    flooded.events["gone"] = BACKLOG_LIMIT + 1
    assert await flooded.refusals() == set("abcd")


async def test_a_single_connector_may_use_the_whole_backlog(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "a")
    flooded.events["a"] = BACKLOG_LIMIT
    assert "a" not in await flooded.refusals()
    flooded.events["a"] += 1
    assert "a" in await flooded.refusals()


async def test_unparsed_deliveries_close_their_connector_alone(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd", spare=GIB)
    size = GIB // GROWTH // 2
    flooded.arrive("a", size + 1)
    assert await flooded.refusals() == {"a"}
    flooded.parse("a", 2)
    assert await flooded.refusals() == set()


async def test_deliveries_of_an_earlier_run_are_not_counted_twice(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd", spare=GIB)
    flooded.gate.parsed("a", GIB)
    flooded.arrive("a", GIB // GROWTH // 2 + 1)
    assert await flooded.refusals() == {"a"}


async def test_backlogs_are_counted_only_while_they_matter(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd")
    flooded.events["a"] = BACKLOG_LIMIT // 2
    await flooded.refusals()
    assert flooded.counts == 0
    flooded.events["a"] += 1
    await flooded.refusals()
    assert flooded.counts == 1


async def test_deliveries_between_two_counts_are_counted(tmp_path: Path) -> None:
    flooded = Flooded(tmp_path, "abcd")
    flooded.events["b"] = BACKLOG_LIMIT - 10
    await flooded.refusals()
    for _ in range(11):
        flooded.arrive("a", 1)
    assert flooded.gate.refusal("a") is not None
    assert flooded.gate.refusal("c") is None


async def test_watching_counts_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.inbound.capacity._COUNT_EVERY", 0.001)
    flooded = Flooded(tmp_path, "abcd")
    flooded.events["a"] = BACKLOG_LIMIT
    watching = asyncio.create_task(flooded.gate.watch())
    async with asyncio.timeout(20):
        while flooded.counts < 3:
            await asyncio.sleep(0.001)
    watching.cancel()


async def test_the_journal_counts_the_backlog_by_connector(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=0)
    messages = [("sms", "1"), ("sms", "2"), ("sms", "2"), ("apple", "3")]
    await journal.record(Batch((), tuple(reading(n, *of) for n, of in enumerate(messages))))
    assert await journal.backlog_of_connectors() == {"sms": 3, "apple": 1}
    await journal.close()


def reading(number: int, connector: str, consumer: str) -> Reading:
    message = Message(id=str(number), account="us", party=Party(consumer), text="hello")
    return Reading(connector, "notes", 1, message)
