"""Consumers' names are looked up once, in the background, and failures hold up nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors import Call, Connector, Flow, Purpose, Rejected, Reply
from gateway.journal import JournalUnavailable, NameJournal, OutboxEntry, Recorded, Unnamed
from gateway.upkeep.consumer_names import ConsumerNames
from tests.gateway.notes import Notes, NotesConfig

NEWS = Recorded(entries=(OutboxEntry(1, 1, "e", None, b""),))


class Directory(Notes):
    """A platform with a call for names."""

    def profile(self, account: str, party: str) -> Generator[Call, Reply, str | None]:
        reply = yield Call("GET", f"{self.config.api}/{account}/{party}")
        return str(reply.content)


@dataclass
class Journal(NameJournal):
    """Conversations in memory, the newest first."""

    waiting: list[Unnamed]
    named: dict[str, str | None] = field(default_factory=dict)
    outages: int = 0

    async def unnamed(self, connector: str, limit: int) -> list[Unnamed]:
        assert connector == "shop"
        if self.outages:
            self.outages -= 1
            raise JournalUnavailable("the disk is full")
        return [one for one in self.waiting if one.conversation not in self.named][:limit]

    async def name_consumer(self, conversation: str, name: str | None) -> bool:
        assert conversation not in self.named, "a conversation is settled once"
        self.named[conversation] = name
        return True


@dataclass
class Platform:
    """Answers by consumer: a name, None, or an error."""

    answers: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)

    async def run(
        self, connector: Connector[Any], flow: Flow[str | None], purpose: Purpose
    ) -> str | None:
        del connector
        assert purpose == "profile"
        assert isinstance(flow, Generator)
        consumer = next(flow).url.rpartition("/")[2]
        self.asked.append(consumer)
        await asyncio.sleep(0)
        answer = self.answers[consumer]
        if isinstance(answer, Exception):
            raise answer
        return None if answer is None else str(answer)


def conversations(*consumers: str) -> list[Unnamed]:
    return [Unnamed(f"cnv_{consumer}", "page", consumer) for consumer in consumers]


@asynccontextmanager
async def running(
    journal: Journal, platform: Platform, kind: type[Notes] = Directory, **settings: Any
) -> AsyncIterator[ConsumerNames]:
    shop = kind(NotesConfig.model_validate({"api_url": "https://notes.example"}))
    timing = {"spacing": 0.0, "first_pause": 0.001, **settings}
    names = ConsumerNames(journal, {"shop": shop}, platform, **timing)
    task = asyncio.create_task(names.run())
    try:
        yield names
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


async def test_every_conversation_is_named_once() -> None:
    journal, platform = Journal(conversations("a", "b")), Platform({"a": "Ann", "b": " Ben "})
    async with running(journal, platform) as names:
        await eventually(lambda: len(journal.named) == 2)
        names.recorded(NEWS)
        await asyncio.sleep(0.02)
    assert journal.named == {"cnv_a": "Ann", "cnv_b": "Ben"}
    assert platform.asked == ["a", "b"]


async def test_a_new_conversation_is_named_without_waiting() -> None:
    journal, platform = Journal([]), Platform({"a": "Ann"})
    async with running(journal, platform) as names:
        await asyncio.sleep(0.01)
        journal.waiting = conversations("a")
        names.recorded(Recorded())
        await asyncio.sleep(0.01)
        assert platform.asked == []
        names.recorded(NEWS)
        await eventually(lambda: journal.named == {"cnv_a": "Ann"})


@pytest.mark.parametrize("answer", [None, "", "  ", Rejected("undeliverable"), Rejected("unknown")])
async def test_a_name_that_is_not_revealed_is_settled(answer: Any) -> None:
    journal, platform = Journal(conversations("a", "b")), Platform({"a": answer, "b": "Ben"})
    async with running(journal, platform):
        await eventually(lambda: len(journal.named) == 2)
    assert journal.named == {"cnv_a": None, "cnv_b": "Ben"}


@pytest.mark.parametrize(
    "failure",
    [
        Rejected("temporary", retry=True),
        Rejected("misconfigured", operator=True),
        TimeoutError(),
        RuntimeError("a bug"),
    ],
)
async def test_a_failed_look_up_waits_while_others_proceed(failure: Exception) -> None:
    now = [0.0]
    journal, platform = Journal(conversations("a", "b")), Platform({"a": failure, "b": "Ben"})
    async with running(journal, platform, clock=lambda: now[0]) as names:
        await eventually(lambda: "cnv_b" in journal.named)
        names.recorded(NEWS)
        await asyncio.sleep(0.02)
        assert platform.asked == ["a", "b"]
        now[0] = 90_000.0
        platform.answers = {"a": "Ann"}
        names.recorded(NEWS)
        await eventually(lambda: journal.named.get("cnv_a") == "Ann")


async def test_failures_in_a_row_pause_the_connector() -> None:
    busy = Rejected("rate_limited", retry=True, after=60)
    journal = Journal(conversations("a", "b"))
    platform = Platform(dict.fromkeys("ab", busy))
    async with running(journal, platform) as names:
        await eventually(lambda: platform.asked == ["a"])
        names.recorded(NEWS)
        await asyncio.sleep(0.05)
    assert platform.asked == ["a"]
    assert journal.named == {}


async def test_look_ups_keep_their_distance() -> None:
    journal, platform = Journal(conversations(*"abcd")), Platform(dict.fromkeys("abcd", "Ann"))
    async with running(journal, platform, spacing=10.0):
        await eventually(lambda: len(journal.named) == 1)
        await asyncio.sleep(0.02)
    assert platform.asked == ["a"]


async def test_an_outage_of_the_journal_only_delays_names() -> None:
    journal, platform = Journal(conversations("a"), outages=2), Platform({"a": "Ann"})
    async with running(journal, platform):
        await eventually(lambda: journal.named == {"cnv_a": "Ann"})


async def test_a_platform_without_the_call_is_never_asked() -> None:
    journal, platform = Journal(conversations("a")), Platform({})
    async with running(journal, platform, kind=Notes) as names:
        names.recorded(NEWS)
        await asyncio.sleep(0.02)
    assert (platform.asked, journal.named) == ([], {})


async def test_a_very_long_name_is_cut() -> None:
    journal, platform = Journal(conversations("a")), Platform({"a": "x" * 10_000})
    async with running(journal, platform):
        await eventually(lambda: "cnv_a" in journal.named)
    assert len(journal.named["cnv_a"] or "") == 200
