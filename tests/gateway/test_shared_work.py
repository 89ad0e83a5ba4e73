"""Texts and files of a shard are one node's work, and hand over without being done twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.journal import ALL_SHARDS, JournalUnavailable, Shards
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.media.attempt import AttemptFailed
from gateway.media.crash_count import FATAL_ATTEMPTS, CrashCount
from gateway.media.worker import MediaWorker
from tests.gateway.ownership import Owned
from tests.gateway.test_journal import delivery, note, record
from tests.gateway.test_send_worker import Setup, running_setup

NONE: Shards = frozenset()


#: The ownership that a test decides is put into the engine for files; the other one has its own.
an_ownership_of_its_own = pytest.mark.sqlite

# texts -------------------------------------------------------------------------------------------


@asynccontextmanager
async def texts(
    folder: Path, owned: Owned, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Setup]:
    monkeypatch.setattr(SqliteJournal, "ownership", owned)
    async with running_setup(folder) as found:
        owned.workers.append(found.sending)
        yield found


@an_ownership_of_its_own
async def test_a_text_is_sent_by_the_owner_of_its_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = Owned(NONE)
    async with texts(tmp_path, owned, monkeypatch) as setup:
        await setup.write("msg_a")
        await asyncio.sleep(0)
        assert setup.platform.sent == []
        await owned.gain(ALL_SHARDS)
        assert await setup.until_reported(1) == [("sent", None)]


@an_ownership_of_its_own
async def test_a_text_whose_request_is_in_flight_is_settled_after_the_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = Owned()
    async with texts(tmp_path, owned, monkeypatch) as setup:
        entered, leave = asyncio.Event(), asyncio.Event()
        run = setup.sending._fetcher.run

        async def slow(*arguments: Any) -> Any:
            entered.set()
            await leave.wait()
            return await run(*arguments)

        monkeypatch.setattr(setup.sending._fetcher, "run", slow)
        await setup.write("msg_a")
        await setup.write("msg_b")
        await entered.wait()
        releasing = asyncio.create_task(setup.sending.release(ALL_SHARDS))
        await asyncio.sleep(0)
        leave.set()
        await releasing
        owned.lose(ALL_SHARDS)
        assert await setup.until_reported(1) == [("sent", None)]
        assert [text.text for text in setup.platform.sent] == ["text of msg_a"]


async def test_a_text_is_not_sent_twice_when_the_journal_fails_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.replies.send_worker._PAUSE", 0.01)
    async with running_setup(tmp_path) as setup:
        settle, failures = setup.journal.settle_part, [JournalUnavailable("away")] * 2

        async def failing(*arguments: Any, **more: Any) -> None:
            if failures:
                raise failures.pop()
            await settle(*arguments, **more)

        monkeypatch.setattr(setup.journal, "settle_part", failing)
        await setup.write("msg_a")
        assert await setup.until_reported(1) == [("sent", None)]
        assert len(setup.platform.sent) == 1


@an_ownership_of_its_own
async def test_a_paused_node_gives_a_text_back_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = Owned()
    async with texts(tmp_path, owned, monkeypatch) as setup:
        owned.is_certain = False
        postponed = asyncio.Event()
        postpone = setup.journal.postpone_part

        async def noted(*arguments: Any) -> None:
            await postpone(*arguments)
            postponed.set()

        monkeypatch.setattr(setup.journal, "postpone_part", noted)
        await setup.write("msg_a")
        await postponed.wait()
        assert setup.platform.sent == []
        owned.is_certain = True
        assert await setup.until_reported(1) == [("sent", None)]
        assert len(setup.platform.sent) == 1


# files -------------------------------------------------------------------------------------------


class Source:
    """Originals that are never there; `fetching` holds the attachments that are being fetched."""

    def __init__(self) -> None:
        self.fetching: set[str] = set()

    def first_host(self, *_: Any) -> str:
        return "media.example"

    @asynccontextmanager
    async def original(
        self, _connector: Any, row: Any, _arriving: Any, **_more: Any
    ) -> AsyncIterator[Any]:
        self.fetching.add(row.id)
        try:
            await asyncio.Event().wait()
            yield None
        finally:
            self.fetching.discard(row.id)


class Files:
    """A store that nothing reaches."""

    def begin(self, *_arguments: Any, **_more: Any) -> None:
        return None


class Sanitizer:
    async def scanner_error(self) -> None:
        return None


@asynccontextmanager
async def files(folder: Path, *shards: Shards) -> AsyncIterator[tuple[SqliteJournal, Any]]:
    journal = await SqliteJournal.open(folder, hold_seconds=2)
    nodes = []
    for owned in map(Owned, shards):
        journal.ownership = owned
        source = Source()
        worker = MediaWorker(
            journal,
            {"desk": cast("Any", SimpleNamespace())},
            cast("Any", source),
            cast("Any", Sanitizer()),
            cast("Any", Files()),
            keep_photos=None,
            parallel=8,
        )
        owned.workers.append(worker)
        journal.subscribe(worker.recorded)
        nodes.append((owned, source, asyncio.create_task(worker.run())))
    try:
        yield journal, nodes
    finally:
        for _, _, task in nodes:
            task.cancel()
            await asyncio.wait([task])
        await journal.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_file_is_fetched_by_its_owner_and_handed_over(tmp_path: Path) -> None:
    async with files(tmp_path, ALL_SHARDS, NONE) as (journal, (first, second)):
        await record(journal, delivery(note("1", media=[["photo", "https://media.example/1"]])))
        await until(lambda: first[1].fetching)
        assert not second[1].fetching
        first[0].lose(ALL_SHARDS)
        await second[0].gain(ALL_SHARDS)
        await until(lambda: second[1].fetching and not first[1].fetching)


async def test_a_file_comes_back_to_a_node_that_had_lost_it(tmp_path: Path) -> None:
    async with files(tmp_path, ALL_SHARDS) as (journal, ((owned, source, _),)):
        await record(journal, delivery(note("1", media=[["photo", "https://media.example/1"]])))
        await until(lambda: source.fetching)
        await owned.workers[0].release(ALL_SHARDS)
        assert not source.fetching
        await owned.gain(ALL_SHARDS)
        await until(lambda: source.fetching)


async def test_a_file_lost_before_its_turn_and_regained_is_fetched(tmp_path: Path) -> None:
    async with files(tmp_path, ALL_SHARDS) as (journal, ((owned, source, running),)):
        running.cancel()
        await asyncio.wait([running])
        await record(journal, delivery(note("1", media=[["photo", "https://media.example/1"]])))
        # The file as it was stays in the line, due in the same millisecond.
        await owned.workers[0].release(ALL_SHARDS)
        await owned.gain(ALL_SHARDS)
        again = asyncio.create_task(owned.workers[0].run())
        await until(lambda: source.fetching or again.done())
        again.cancel()
        await asyncio.wait([again])
        assert again.cancelled()


class Counted:
    """A journal that counts the attempts for files, as PostgreSQL's does."""

    def __init__(self) -> None:
        self.ownership = Owned()
        self.attempts: Counter[int] = Counter()

    async def begin(self, message: int, _position: int, *, again: bool) -> int:
        if self.attempts[message] and not again:
            return 0
        self.attempts[message] += 1
        return self.attempts[message]

    async def take_back(self, message: int, _position: int) -> None:
        self.attempts[message] -= 1


def attachment(message: int) -> Any:
    return SimpleNamespace(message=message, position=0, id=f"att_{message}")


async def test_a_file_that_ends_three_nodes_fails_at_the_fourth() -> None:
    journal: Any = Counted()
    for _ in range(FATAL_ATTEMPTS):
        async with CrashCount(journal).attempt(attachment(1)):
            pass
    with pytest.raises(AttemptFailed, match="decoder_crashed"):
        async with CrashCount(journal).attempt(attachment(1)):
            pass


async def test_files_of_a_dead_node_are_decoded_one_at_a_time() -> None:
    journal: Any = Counted()
    for message in (1, 2):
        async with CrashCount(journal).attempt(attachment(message)):
            pass
    node = CrashCount(journal)
    async with node.attempt(attachment(1)):
        second = asyncio.create_task(node.attempt(attachment(2)).__aenter__())
        await asyncio.sleep(0.01)
        async with node.attempt(attachment(3)):
            assert (journal.attempts[2], second.done()) == (1, False)
    await second
    assert journal.attempts[2] == 2


async def test_an_attempt_that_moved_is_not_counted_as_a_crash() -> None:
    journal: Any = Counted()
    for _ in range(FATAL_ATTEMPTS + 2):
        node = CrashCount(journal)
        for _again in range(2):
            async with node.attempt(attachment(1)):
                pass
        await node.survived([(1, 0)])
    assert journal.attempts[1] == 0


async def test_a_node_that_survives_a_loss_takes_back_what_it_counted(tmp_path: Path) -> None:
    async with files(tmp_path, ALL_SHARDS) as (journal, ((owned, source, _),)):
        await record(journal, delivery(note("1", media=[["photo", "https://media.example/1"]])))
        await until(lambda: source.fetching)
        (worker,) = owned.workers
        taken_back: list[Any] = []
        worker._crashes.survived = lambda keys: _noted(taken_back, keys)
        owned.lose(ALL_SHARDS)
        await worker.pick_up(NONE)
        assert len(taken_back) == 1


async def _noted(noted: list[Any], keys: Any) -> None:
    noted += keys
