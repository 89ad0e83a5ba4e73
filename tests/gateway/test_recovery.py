"""Bugs and bad timing that once blocked a message, a file or the gateway do not affect anything else."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors import AnyEvent, Delivery, Download, Flow, MediaRef, Message
from gateway.fault_points import NoSuchStep, armed
from gateway.inbound.parse_worker import read, record_one_by_one
from gateway.journal import Batch, Reading, Recorded
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.upkeep import data_lock
from gateway.upkeep.reconciler import Reconciler
from tests.gateway.engines import Engine
from tests.gateway.notes import Notes, notes
from tests.gateway.test_gateway import house, photo, with_photo
from tests.gateway.test_journal import announced, bodies, delivery, note, record
from tests.gateway.test_lanes import forwarding, idle, ok, sequences


class BuggyNotes(Notes):
    """A connector with bugs: it returns events that the journal cannot store, and fails for some files."""

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return list(self._each(delivery))

    def _each(self, delivery: Delivery) -> Iterator[AnyEvent]:
        for event in super().parse(delivery):
            assert isinstance(event, Message)
            if event.text == "half a letter":
                yield Message(id=event.id, account="us", party=event.party, text="\ud83d")
            else:
                yield event

    def media(self, ref: MediaRef) -> Flow[Download]:
        if "missing" in ref.locator["url"]:
            raise KeyError("a field that this reply never had")
        return super().media(ref)


def buggy_notes() -> BuggyNotes:
    return BuggyNotes(notes().config)


async def test_an_event_that_cannot_be_recorded_does_not_affect_others(
    engine: Engine, tmp_path: Path
) -> None:
    journal = await engine.open(tmp_path)
    entries = (note("1"), note("2", text="half a letter"), note("3"), note("4", "bob"))
    await journal.append(delivery(*entries))
    (row,) = await journal.unread(-1, 8)
    readings = tuple(read(delivery(*entries), {"desk": buggy_notes()}))
    with pytest.raises(TypeError):
        await journal.record(_batch(row.id, readings))
    seen = announced(journal)
    await record_one_by_one(journal, _batch(row.id, readings))
    events = [body for recorded in seen for body in bodies(recorded)]
    assert [e["data"]["message"]["platform_id"] for e in events if "message" in e["data"]] == [
        "1",
        "3",
        "4",
    ]
    assert [e["type"] for e in events].count("event.unrecognised") == 1
    seen.clear()
    await record_one_by_one(journal, _batch(row.id, readings))
    assert [entry for recorded in seen for entry in recorded.entries] == []
    assert sum(recorded.duplicates for recorded in seen) == 4
    assert await journal._read(lambda c: c.execute("SELECT count(*) FROM intake").fetchone()) == (
        0,
    )
    await journal.close()


def _batch(row: int, readings: tuple[Reading, ...]) -> Batch:
    return Batch((row,), readings)


async def test_the_gateway_survives_bugs_of_a_connector(tmp_path: Path) -> None:
    async with house(tmp_path, connector=buggy_notes()) as home:
        home.files["2b"] = photo()
        await home.send({"id": "1", "from": "ann", "text": "half a letter"})
        await home.send(
            {"id": "2", "from": "ann", "media": [["photo", f"{home.media_url}/missing"]]},
            with_photo(home, "2b"),
            {"id": "3", "from": "ann", "text": "words"},
        )
        # The file for which the connector fails is retried once, then it has failed. Each file's latest state counts.
        ends: dict[str, str] = {}
        async with asyncio.timeout(20):
            while ends != {"2": "decoder_crashed", "2b": "ready"}:
                await asyncio.sleep(0.02)
                events = await home.core.until(4)
                ends = {
                    event["data"]["message"]["platform_id"]: attachment["reason"]
                    or attachment["state"]
                    for event in events
                    for attachment in event["data"].get("message", {}).get("attachments", ())
                }
        types = [event["type"] for event in events if event["type"] != "attachment.updated"]
        assert sorted(types) == ["event.unrecognised"] + ["message.received"] * 3


async def test_events_of_an_earlier_run_are_sent_before_newer_ones(
    tmp_path: Path,
) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    await record(journal, delivery(*(note(f"old{n}") for n in range(40))))
    await journal.close()
    async with forwarding(tmp_path, ok, begin=False) as (journal, lanes, core):
        # These events arrive before the lanes of the earlier run are known.
        await record(journal, delivery(note("new"), note("b", "bob")))
        running = asyncio.create_task(lanes.run())
        events = await core.until(42)
        assert sequences(events, "ann") == list(range(1, 42))
        await idle(lanes, journal)
        running.cancel()


async def test_erasing_the_probing_conversation_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    down = True

    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        return web.Response(status=503 if down else 200)

    async with forwarding(tmp_path, answer) as (journal, lanes, core):
        recorded = await record(journal, delivery(*(note(str(n), f"s{n}") for n in range(12))))
        async with asyncio.timeout(10):
            while lanes.core_state != "down":
                await asyncio.sleep(0.01)
        lanes.recorded(Recorded(erased=tuple(e.conversation for e in recorded.entries[:11])))
        down = False
        (event,) = await core.until(1)
        assert event["data"]["message"]["platform_id"] == "11"
        async with asyncio.timeout(20):
            while lanes.waiting:
                await asyncio.sleep(0.01)


async def test_retry_after_zero_does_not_cause_a_busy_loop(tmp_path: Path) -> None:
    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        return web.Response(status=503, headers={"retry-after": "0"})

    async with forwarding(tmp_path, answer) as (journal, _lanes, core):
        await record(journal, delivery(note("1")))
        async with asyncio.timeout(20):
            while not core.events:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert len(core.events) <= 6


async def test_the_reconciler_picks_up_forgotten_events(tmp_path: Path) -> None:
    async with forwarding(tmp_path, ok) as (journal, lanes, core):
        await asyncio.sleep(0.1)
        await record(journal, delivery(note("1"), note("2")))  # not announced to the lanes
        reconciler = asyncio.create_task(Reconciler([lanes.pick_up], seconds=0.05).run())
        events = await core.until(2)
        assert sequences(events, "ann") == [1, 2]
        await asyncio.sleep(0.2)
        await idle(lanes, journal)
        assert len(core.events) == 2
        reconciler.cancel()


async def test_files_of_an_earlier_attempt_are_removed_on_rejection(tmp_path: Path) -> None:
    async with house(tmp_path, hold_seconds=0.1) as home:
        released = asyncio.Event()

        async def slow(request: web.Request) -> web.Response:
            await released.wait()
            return web.Response(body=b"<html>something else by now</html>" * 9)

        home.files["1"] = slow
        await home.send(with_photo(home))
        (event,) = await home.core.until(1)
        attachment = event["data"]["message"]["attachments"][0]["id"]
        stem = attachment.removeprefix("att_")
        left = tmp_path / "media" / stem[:2] / stem
        left.mkdir(parents=True)
        (left / "preview.jpg").write_bytes(b"whole, from before a crash")
        (left / ".thumbnail.jpg.part").write_bytes(b"half")
        released.set()
        _, update = await home.core.until(2)
        assert update["data"]["message"]["attachments"][0]["state"] == "rejected"
        assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


async def test_a_photo_erased_while_fetched_leaves_no_file(tmp_path: Path) -> None:
    async with house(tmp_path, hold_seconds=0.1) as home:
        released, asked = asyncio.Event(), asyncio.Event()

        async def slow(request: web.Request) -> web.Response:
            asked.set()
            await released.wait()
            return web.Response(body=photo())

        home.files["1"] = slow
        await home.send(with_photo(home))
        (event,) = await home.core.until(1)
        await asked.wait()
        assert (await home.call("DELETE", f"/v1/conversations/{event['subject']}"))[0] == 204
        journal = home.gateway._journal
        # The file stays listed while its attachment is in progress, so that a crash would not orphan it.
        assert len(await journal.files_to_delete()) == 1
        released.set()
        async with asyncio.timeout(20):
            while "airlock_attachments_pending 0.0" not in await home.metrics():
                await asyncio.sleep(0.02)
        assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []
        async with asyncio.timeout(20):
            while await journal.files_to_delete():
                await asyncio.sleep(0.05)


async def test_a_second_process_waits_for_the_data_folder(
    tmp_path: Path,
) -> None:
    holding = await data_lock.claim(tmp_path, patience=0)
    with pytest.raises(data_lock.FolderInUse, match="another Airlock process is using"):
        await data_lock.claim(tmp_path, patience=0.1)
    begun = time.monotonic()
    asyncio.get_running_loop().call_later(0.3, _close, holding)
    _close(await data_lock.claim(tmp_path, patience=20))
    assert time.monotonic() - begun >= 0.25


def _close(descriptor: int) -> None:
    os.close(descriptor)


def test_an_unknown_fault_point_lists_the_known_ones() -> None:
    armed({})("after-append")
    armed({"AIRLOCK_FAULT_POINT": "after-append"})("after-commit")
    for wrong in ("after-lunch", "after-append:often"):
        with pytest.raises(NoSuchStep, match="accepted-before-append"):
            armed({"AIRLOCK_FAULT_POINT": wrong})
