"""The journal keeps deliveries, numbers messages once, and records each fact together with its event."""

import asyncio
import contextlib
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.inbound.parse_worker import ParseWorker, read
from gateway.intake_priority import IntakePriority
from gateway.journal import Batch, Job, JournalUnavailable, Outcome, Recorded
from gateway.journal.frames import pack, unpack
from gateway.journal.operations.retention import erase
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import Accepted
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.journal.stores.journal import StoredJournal
from tests.gateway.engines import Engine
from tests.gateway.notes import notes

CONNECTORS = {"desk": notes()}


@pytest.fixture
async def journal(engine: Engine, tmp_path: Path) -> AsyncIterator[StoredJournal]:
    opened = await engine.open(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = await SqliteJournal.open(tmp_path, hold_seconds=2)
    yield opened
    await opened.close()


def delivery(*entries: dict[str, Any], at: int = 1_000) -> Accepted:
    return Accepted("desk", at, {}, {}, orjson.dumps({"notes": entries}))


def note(id: str, sender: str = "ann", **more: Any) -> dict[str, Any]:
    return {"id": id, "from": sender, "text": f"text of {id}", **more}


async def record(journal: StoredJournal, *deliveries: Accepted) -> Recorded:
    readings = [r for accepted in deliveries for r in read(accepted, CONNECTORS)]
    return await journal.record(Batch((), tuple(readings)))


async def finish(journal: StoredJournal, job: Job, outcome: Outcome) -> Recorded:
    """End a pending attachment and return what the journal announced."""
    seen = announced(journal)
    assert await journal.finish(job.message, job.position, outcome)
    (recorded,) = seen
    return recorded


def announced(journal: StoredJournal) -> list[Recorded]:
    """Return a list that collects what the journal announces from now on."""
    seen: list[Recorded] = []
    journal.subscribe(seen.append)
    return seen


def bodies(recorded: Recorded) -> list[dict[str, Any]]:
    return [orjson.loads(entry.body) for entry in recorded.entries if entry.body is not None]


def test_packed_deliveries_can_be_unpacked() -> None:
    first = Accepted("desk", 12, {"a": "b"}, {"q": "ü"}, b"\x00\xff body")
    second = Accepted("other", 13, {}, {}, b"")
    assert list(unpack(pack(first) + pack(second))) == [first, second]


@pytest.mark.sqlite
async def test_a_delivery_is_on_disk_before_append_returns(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    await journal.append(delivery(note("1")))
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as other:
        (row,) = other.execute("SELECT deliveries FROM intake").fetchone()
    assert next(unpack(row)) == delivery(note("1"))
    await journal.close()


async def test_many_deliveries_share_a_commit_and_keep_their_order(journal: StoredJournal) -> None:
    wanted = [delivery(note(str(n)), at=n) for n in range(500)]
    await asyncio.gather(*(journal.append(d) for d in wanted))
    rows = await journal.unread(-1, 10_000)
    assert [accepted for row in rows for accepted in row.deliveries] == wanted
    assert len(rows) < 100


async def test_a_failed_removal_of_events_does_not_hold_up_later_ones(
    journal: StoredJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = await record(journal, delivery(note("1"), note("2", "bob")))
    taken = [(entry.conversation, entry.key) for entry in recorded.entries]
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(JournalUnavailable("database is locked"))
    with monkeypatch.context() as locked:
        locked.setattr(journal, "_submit", lambda _: failed)
        with pytest.raises(JournalUnavailable):
            await journal.mark_delivered(taken)
    await journal.mark_delivered(taken)
    assert await journal.backlog() == 0


async def test_messages_are_numbered_without_gaps_in_each_conversation(
    journal: StoredJournal,
) -> None:
    recorded = await record(
        journal,
        delivery(note("1"), note("2", "bob"), note("3")),
        delivery(note("4", "bob"), note("5")),
    )
    seen = [
        (e["data"]["conversation"]["consumer"]["id"], e["data"]["message"]["sequence"])
        for e in bodies(recorded)
    ]
    assert seen == [("ann", 1), ("bob", 1), ("ann", 2), ("bob", 2), ("ann", 3)]


async def test_a_repeated_message_produces_one_event(
    journal: StoredJournal,
) -> None:
    first = await record(journal, delivery(note("1"), note("1")))
    second = await record(journal, delivery(note("1"), note("2")))
    assert [e["data"]["message"]["platform_id"] for e in bodies(first) + bodies(second)] == [
        "1",
        "2",
    ]
    assert (first.duplicates, second.duplicates) == (1, 1)
    assert bodies(second)[0]["data"]["message"]["sequence"] == 2


async def test_a_bad_entry_becomes_one_unrecognised_event(journal: StoredJournal) -> None:
    recorded = await record(journal, delivery(note("1"), {"id": "x"}, note("2")))
    assert [e["type"] for e in bodies(recorded)] == [
        "message.received",
        "event.unrecognised",
        "message.received",
    ]
    assert bodies(recorded)[1]["data"]["reason"] == "the field 'from' is missing"


async def test_a_body_that_is_not_json_becomes_one_unrecognised_event(
    journal: StoredJournal,
) -> None:
    recorded = await record(journal, Accepted("desk", 5, {}, {}, b"{broken"))
    assert [e["type"] for e in bodies(recorded)] == ["event.unrecognised"]


async def test_a_held_message_contains_the_outcomes_of_its_media(
    journal: StoredJournal,
) -> None:
    media = [["photo", "http://a/1"], ["video", "http://a/2"]]
    recorded = await record(journal, delivery(note("1", media=media)))
    (entry,) = recorded.entries
    assert entry.body is None
    assert entry.hold_until == 3_000
    one, two = recorded.jobs
    ready = Outcome("ready", width=3, height=2, renditions={"preview": {"bytes": 7}})
    assert await finish(journal, one, ready) == Recorded()
    ended = await finish(journal, two, Outcome("failed", "gone"))
    (frozen,) = ended.frozen
    event = orjson.loads(frozen.body or b"")
    assert event["id"] == frozen.event_id == entry.event_id
    states = [(a["kind"], a["state"], a["reason"]) for a in event["data"]["message"]["attachments"]]
    assert states == [("photo", "ready", None), ("video", "failed", "gone")]
    assert event["data"]["message"]["transcript"] == "[photo message]\n[video message]"


async def test_media_that_end_after_delivery_are_announced_by_an_update(
    journal: StoredJournal,
) -> None:
    recorded = await record(journal, delivery(note("1", media=[["photo", "http://a/1"]])))
    (entry,), (job,) = recorded.entries, recorded.jobs
    sent = await journal.freeze(entry.conversation, entry.key)
    assert orjson.loads(sent.body or b"")["data"]["message"]["attachments"][0]["state"] == "pending"
    again = await journal.freeze(entry.conversation, entry.key)
    assert again.body == sent.body
    ended = await finish(journal, job, Outcome("ready", renditions={}))
    (update,) = bodies(ended)
    assert update["type"] == "attachment.updated"
    assert [a["state"] for a in update["data"]["message"]["attachments"]] == ["ready"]
    assert not await journal.finish(job.message, job.position, Outcome("failed", "gone"))


async def test_a_retry_produces_a_second_update_with_another_id(journal: StoredJournal) -> None:
    recorded = await record(journal, delivery(note("1", media=[["photo", "http://a/1"]])))
    (entry,), (job,) = recorded.entries, recorded.jobs
    await journal.freeze(entry.conversation, entry.key)
    first = await finish(journal, job, Outcome("failed", "gone"))
    assert await journal.retry(job.message, job.position)
    assert not await journal.retry(job.message, job.position)
    second = await finish(journal, job, Outcome("ready", renditions={}))
    assert first.entries[0].event_id != second.entries[0].event_id
    assert [
        b["data"]["message"]["attachments"][0]["state"] for b in bodies(first) + bodies(second)
    ] == ["failed", "ready"]


async def test_a_failed_write_does_not_affect_its_group(
    journal: StoredJournal,
) -> None:
    good = journal.append(delivery(note("1")))
    bad = journal.finish(99, 0, Outcome("ready", renditions={object(): 1}))
    with pytest.raises(TypeError):
        await bad
    await good
    assert len(await journal.unread(-1, 10)) == 1


@pytest.mark.sqlite
async def test_a_full_disk_refuses_only_the_current_delivery(
    sqlite_journal: SqliteJournal, tmp_path: Path
) -> None:
    await sqlite_journal.append(delivery(note("0")))
    (pages,) = await sqlite_journal._writer.submit(
        lambda c: c.execute("PRAGMA page_count").fetchone()
    )
    await sqlite_journal._writer.submit(
        lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone()
    )
    with pytest.raises(JournalUnavailable):
        await sqlite_journal.append(delivery(note("1", text="x" * 100_000)))
    await sqlite_journal._writer.submit(
        lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone()
    )
    await sqlite_journal.append(delivery(note("2")))
    rows = await sqlite_journal.unread(-1, 10)
    assert [accepted for row in rows for accepted in row.deliveries] == [
        delivery(note("0")),
        delivery(note("2")),
    ]


async def test_deliveries_left_by_a_crash_are_parsed_after_restart(
    engine: Engine, tmp_path: Path
) -> None:
    journal = await engine.open(tmp_path)
    await journal.append(delivery(note("1")))
    await journal.close()
    journal = await engine.open(tmp_path)
    seen: asyncio.Queue[Recorded] = asyncio.Queue()
    journal.subscribe(seen.put_nowait)
    reading = asyncio.create_task(ParseWorker(journal, CONNECTORS, IntakePriority()).run())
    recorded = await seen.get()
    assert [e["data"]["message"]["platform_id"] for e in bodies(recorded)] == ["1"]
    async with asyncio.timeout(10):
        while await journal.unread(-1, 10):
            await asyncio.sleep(0.01)
    reading.cancel()
    await journal.close()


async def test_ids_are_the_same_after_a_restart(engine: Engine, tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        journal = await engine.open(tmp_path)
        ids.append(journal.ids.message("desk", "1"))
        await journal.close()
    assert ids[0] == ids[1]


async def test_a_consumer_with_two_ids_has_one_conversation(
    journal: StoredJournal,
) -> None:
    recorded = await record(
        journal,
        delivery(
            note("1", "4915"),
            note("2", "US.1", aliases=["4915"]),
            note("3", "US.1"),
            note("4", "4915"),
        ),
        delivery(note("5", "US.2", aliases=["4916"]), note("6", "4916"), note("7", "US.2")),
    )
    seen = [
        (e["subject"], e["data"]["message"]["sequence"])
        for e in bodies(recorded)
        if e["type"] == "message.received"
    ]
    assert [sequence for _, sequence in seen] == [1, 2, 3, 4, 1, 2, 3]
    assert len({subject for subject, _ in seen}) == 2


async def test_a_read_of_several_statements_sees_one_snapshot(
    journal: StoredJournal,
) -> None:
    (event,) = bodies(await record(journal, delivery(note("1"))))
    begun, erased = threading.Event(), threading.Event()

    def ask(connection: Transaction) -> list[str]:
        seen = []
        for _ in range(2):
            (id,) = connection.execute("SELECT platform_id FROM message").fetchone()
            seen.append(id)
            begun.set()
            erased.wait(10)
        return seen

    asking = asyncio.create_task(journal._read(ask))
    await asyncio.to_thread(begun.wait, 10)
    await journal.erase(event["subject"])
    erased.set()
    assert await asking == ["1", "1"]
    assert await journal._read(ask) == ["", ""]


@pytest.mark.sqlite
async def test_an_interrupted_erasure_leaves_no_text_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    journal = await SqliteJournal.open(tmp_path / "house", hold_seconds=2)
    (event,) = bodies(await record(journal, delivery(note("1"))))
    # Like `erase`, but the process ends before the log is scrubbed.
    await journal._writer.submit(lambda c: erase(c, event["subject"]))
    shutil.copytree(tmp_path / "house", tmp_path / "left")
    await journal.close()
    assert _holds(tmp_path / "left", b"text of 1")
    journal = await SqliteJournal.open(tmp_path / "left", hold_seconds=2)
    await journal.expire_texts(0, 0)
    async with asyncio.timeout(10):
        while _holds(tmp_path / "left", b"text of 1"):
            await asyncio.sleep(0.01)
    await journal.close()


def _holds(folder: Path, text: bytes) -> bool:
    return any(text in file.read_bytes() for file in folder.iterdir())


async def test_unread_bytes_are_counted_across_a_restart(engine: Engine, tmp_path: Path) -> None:
    journal = await engine.open(tmp_path)
    await journal.append(delivery(note("1")))
    size = journal.unread_bytes
    assert size > 0
    await journal.close()
    journal = await engine.open(tmp_path)
    assert journal.unread_bytes == size
    (row,) = await journal.unread(-1, 10)
    await journal.record(Batch((row.id,), ()))
    assert journal.unread_bytes == 0
    await journal.close()


@pytest.mark.sqlite
async def test_a_locked_journal_fails_its_health_check(
    sqlite_journal: SqliteJournal, tmp_path: Path
) -> None:
    await sqlite_journal.check_health()
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnavailable, match="locked"):
            await sqlite_journal.check_health()
    await sqlite_journal.check_health()
