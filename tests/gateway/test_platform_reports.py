"""Platforms are informed of outcomes, erasures and closings: durably, again after failures, and only if they want it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors import (
    Attachment,
    Call,
    Capabilities,
    Closed,
    Connector,
    Flow,
    MediaRef,
    Purpose,
    Rejected,
    Reply,
    offers,
)
from connectors import Outcome as Reported
from gateway.fetching import Ambiguous
from gateway.identifiers import attachment_id
from gateway.journal import Job, Outcome
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.media.consumer_links import ConsumerLinks, Grant
from gateway.problems import Problem
from gateway.replies.accept import Replies
from gateway.replies.accept import Reply as AgentReply
from gateway.timestamps import now_ms
from gateway.upkeep.platform_reports import PlatformReports, informed
from tests.gateway.notes import Notes, notes
from tests.gateway.people import ACCOUNT, about, message, tell

READY = Outcome(
    "ready", width=3, height=4, kind="photo", renditions={"thumbnail": {}, "preview": {}}
)


Calls = Generator[Call, Reply, None]


class Informing(Notes):
    """A platform that wants to know everything. Its calls show what it is informed of."""

    capabilities = Capabilities(offers(yes=("text", "photo", "outcome", "forget", "send_close")))

    def tell_outcome(self, out: Reported) -> Calls:
        yield Call("POST", "outcome", json=out)

    def forget(self, account: str, to: str) -> Calls:
        yield Call("DELETE", "forget", json=(account, to))

    def tell_closed(self, account: str, to: str) -> Calls:
        yield Call("POST", "closed", json=(account, to))


class FakeFetcher:
    """Collects calls, and raises what `failures` holds first."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.failures: list[Exception] = []

    async def run(self, connector: Connector[Any], flow: Flow[None], purpose: Purpose) -> None:
        del connector
        assert purpose == "send"
        (call,) = flow  # type: ignore[misc]  # a generator of one call
        if self.failures:
            raise self.failures.pop(0)
        self.calls.append(call)


LINKS = ConsumerLinks(bytes(32), "https://gateway.example")
CONNECTORS = {"desk": Informing(notes().config)}


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(folder, hold_seconds=2)
    journal.informed = informed(CONNECTORS)
    try:
        yield journal
    finally:
        await journal.close()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    async with opened(tmp_path) as found:
        yield found


@asynccontextmanager
async def reporting(journal: SqliteJournal, fetcher: FakeFetcher) -> AsyncIterator[None]:
    reports = PlatformReports(journal, CONNECTORS, fetcher, LINKS.seal, first_pause=0.02)
    journal.subscribe(reports.recorded)
    task = asyncio.create_task(reports.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def all_taken(journal: SqliteJournal) -> None:
    async with asyncio.timeout(10):
        while await journal.next_report("desk") is not None:
            await asyncio.sleep(0.01)


async def photo(journal: SqliteJournal, id: str = "1") -> Job:
    file = Attachment("photo", MediaRef({"url": "http://a"}))
    recorded = await tell(journal, message(id, "ann", attachments=(file,)))
    (job,) = recorded.jobs
    return job


def conversation(journal: SqliteJournal) -> str:
    return journal.ids.conversation("desk", ACCOUNT, "ann")


async def test_the_outcome_of_a_file_is_reported(journal: SqliteJournal) -> None:
    fetcher = FakeFetcher()
    async with reporting(journal, fetcher):
        job = await photo(journal)
        await journal.finish(job.message, job.position, READY)
        await until(lambda: bool(fetcher.calls))
        await all_taken(journal)
    assert [call.json for call in fetcher.calls] == [
        Reported(
            ACCOUNT,
            "ann",
            "1",
            0,
            "ready",
            "photo",
            width=3,
            height=4,
            renditions=("preview", "thumbnail"),
            grant=fetcher.calls[0].json.grant,
        )
    ]
    shown = attachment_id(journal.ids.message("desk", "1"), 0)
    assert LINKS.open(fetcher.calls[0].json.grant) == Grant("desk", shown, "ann")


async def test_a_file_refused_at_intake_is_reported(journal: SqliteJournal) -> None:
    fetcher = FakeFetcher()
    async with reporting(journal, fetcher):
        await tell(journal, message("1", "ann", attachments=(Attachment("photo", refused="gone"),)))
        await until(lambda: bool(fetcher.calls))
    (call,) = fetcher.calls
    assert (call.json.state, call.json.reason) == ("failed", "gone")


async def test_a_report_is_repeated_until_the_platform_takes_it(journal: SqliteJournal) -> None:
    fetcher = FakeFetcher()
    fetcher.failures = [
        Rejected("temporary", retry=True),
        Rejected("unauthorized", operator=True),
        Ambiguous("no response"),
        RuntimeError("a bug of the connector"),
    ]
    async with reporting(journal, fetcher):
        job = await photo(journal)
        await journal.finish(job.message, job.position, READY)
        await until(lambda: bool(fetcher.calls))
        await all_taken(journal)
    assert fetcher.failures == []


async def test_a_report_refused_for_good_is_not_repeated(journal: SqliteJournal) -> None:
    fetcher = FakeFetcher()
    fetcher.failures = [Rejected("undeliverable")]
    job = await photo(journal)
    await journal.finish(job.message, job.position, READY)
    async with reporting(journal, fetcher):
        await all_taken(journal)
    assert fetcher.calls == []


async def test_reports_survive_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        job = await photo(journal)
        await journal.finish(job.message, job.position, READY)
        assert await journal.close_conversation(conversation(journal))
        assert await journal.erase(conversation(journal))
    fetcher = FakeFetcher()
    async with opened(tmp_path) as journal, reporting(journal, fetcher):
        await until(lambda: bool(fetcher.calls))
        await all_taken(journal)
    # What was to be reported of an erased conversation is erased, too.
    assert [(call.url, call.json) for call in fetcher.calls] == [("forget", (ACCOUNT, "ann"))]


async def test_a_newer_outcome_replaces_one_that_was_not_taken(journal: SqliteJournal) -> None:
    job = await photo(journal)
    await journal.finish(job.message, job.position, Outcome("failed", "unreachable"))
    assert await journal.retry(job.message, job.position)
    await journal.finish(job.message, job.position, READY)
    fetcher = FakeFetcher()
    async with reporting(journal, fetcher):
        await all_taken(journal)
    assert [call.json.state for call in fetcher.calls] == ["ready"]


async def test_closing_is_reported_once_and_refuses_texts(journal: SqliteJournal) -> None:
    await tell(journal, message("1", "ann"), at=now_ms())
    fetcher: Any = FakeFetcher()
    replies = Replies(journal, CONNECTORS, fetcher)
    async with reporting(journal, fetcher):
        for _ in range(2):
            assert await replies.close(conversation(journal))
            await all_taken(journal)
    assert [(call.url, call.json) for call in fetcher.calls] == [("closed", (ACCOUNT, "ann"))]
    found = await journal.conversation(conversation(journal))
    assert found is not None
    assert found["state"] == "closed"
    with pytest.raises(Problem):
        await Replies(journal, {"desk": Sending(notes().config)}, fetcher).accept(
            conversation(journal), "k", AgentReply(text="hi", agent="anna")
        )
    await tell(journal, message("2", "ann"))
    found = await journal.conversation(conversation(journal))
    assert found is not None
    assert found["state"] == "open"


class Sending(Notes):
    capabilities = Capabilities(offers(yes=("send_text",)), max_text=100)


async def test_a_closing_waits_for_texts_that_were_written_before(journal: SqliteJournal) -> None:
    await tell(journal, message("1", "ann"), at=now_ms())
    fetcher: Any = FakeFetcher()
    replies = Replies(journal, {"desk": Sending(notes().config)}, fetcher)
    await replies.accept(conversation(journal), "k", AgentReply(text="bye", agent="anna"))
    await replies.close(conversation(journal))
    (part,) = await journal.open_parts()
    with capture_logs() as logged:
        async with reporting(journal, fetcher):
            await until(lambda: bool(logged))
            assert fetcher.calls == []
            await journal.trying(part.outgoing, part.position)
            await journal.settle_part(part.outgoing, part.position, "sent", platform_id="p1")
            await until(lambda: bool(fetcher.calls))
    assert logged[0]["reason"] == "text_waiting"


async def test_a_consumer_who_writes_again_withdraws_the_closing(journal: SqliteJournal) -> None:
    await tell(journal, message("1", "ann"))
    await journal.close_conversation(conversation(journal))
    await tell(journal, message("2", "ann"))
    assert await journal.next_report("desk") is None


async def test_an_unknown_conversation_is_not_closed(journal: SqliteJournal) -> None:
    fetcher: Any = FakeFetcher()
    replies = Replies(journal, CONNECTORS, fetcher)
    for change in (replies.close, replies.reopen):
        with pytest.raises(Problem) as problem:
            await change("conv_unknown")
        assert problem.value.status == 404


async def test_reopening_withdraws_the_closing_and_takes_texts(journal: SqliteJournal) -> None:
    await tell(journal, message("1", "ann"), at=now_ms())
    fetcher: Any = FakeFetcher()
    replies = Replies(journal, {"desk": Sending(notes().config)}, fetcher)
    conversation_id = conversation(journal)
    await replies.reopen(conversation_id)
    await replies.close(conversation_id)
    await replies.reopen(conversation_id)
    assert await journal.next_report("desk") is None
    await replies.accept(conversation_id, "k", AgentReply(text="hi", agent="anna"))


async def test_what_the_consumer_closed_is_not_reopened(journal: SqliteJournal) -> None:
    await tell(journal, message("1", "ann"), at=now_ms())
    await tell(journal, Closed(id="closed", **about("ann")))
    fetcher: Any = FakeFetcher()
    replies = Replies(journal, CONNECTORS, fetcher)
    await replies.close(conversation(journal))
    with pytest.raises(Problem) as problem:
        await replies.reopen(conversation(journal))
    assert (problem.value.status, problem.value.reason) == (409, "closed")


async def test_platforms_that_want_no_reports_get_none(journal: SqliteJournal) -> None:
    journal.informed = informed({"desk": notes()})
    job = await photo(journal)
    await journal.finish(job.message, job.position, READY)
    await journal.close_conversation(conversation(journal))
    await journal.erase(conversation(journal))
    assert await journal.next_report("desk") is None


async def test_old_reports_are_given_up(journal: SqliteJournal) -> None:
    job = await photo(journal)
    await journal.finish(job.message, job.position, READY)
    assert await journal.expire_reports(now_ms() - 60_000) == 0
    assert await journal.expire_reports(now_ms() + 60_000) == 1
    assert await journal.next_report("desk") is None


async def test_platforms_do_not_wait_for_each_other(journal: SqliteJournal) -> None:
    postponed = now_ms() + 60_000
    job = await photo(journal)
    await journal.finish(job.message, job.position, READY)
    (report,) = await journal.due_reports("desk", now_ms(), 10)
    await journal.postpone_report(report.key, postponed)
    assert await journal.due_reports("desk", now_ms(), 10) == []
    assert await journal.due_reports("other", postponed, 10) == []
    assert await journal.next_report("desk") == postponed
    (report,) = await journal.due_reports("desk", postponed, 10)
    assert report.attempts == 1
