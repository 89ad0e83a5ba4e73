"""Expired and erased data is gone from the journal and the disk, and the core is notified."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.inbound.parse_worker import read
from gateway.journal import Batch, Outcome
from gateway.journal.stores.journal import StoredJournal
from gateway.media.quarantine import Quarantine
from gateway.media.storage.filesystem import FileStore
from gateway.upkeep.retention import Retention, RetentionWorker
from normalizer.media import Rendition
from tests.gateway.engines import Engine, Sqlite
from tests.gateway.test_gateway import House, house, linked, photo, with_photo
from tests.gateway.test_journal import CONNECTORS, bodies, delivery, note, record
from tests.gateway.test_lanes import now

DAY = 86_400.0


def never_full() -> bool:
    return False


def nothing_in_progress(attachment: str) -> bool:
    del attachment
    return False


def rendition() -> Rendition:
    return Rendition("preview", "image/jpeg", 1, 1, b"bytes")


def empty(directory: Path) -> Quarantine:
    folder = directory / "quarantine"
    folder.mkdir()
    return Quarantine(folder, 1_000_000, never_full)


async def ready_photo(
    journal: StoredJournal,
    store: FileStore,
    id: str,
    at: int,
    details: dict[str, Any] | None = None,
) -> str:
    recorded = await record(journal, delivery(note(id, media=[["photo", "http://a"]]), at=at))
    (entry,), (job,) = recorded.entries, recorded.jobs
    attachment = (await journal.attachment(job.message, job.position)).id  # type: ignore[union-attr]
    (stored,) = await store.put(store.begin(attachment, is_first=True), [rendition()])
    await journal.freeze(entry.conversation, entry.key)
    await journal.finish(
        job.message,
        job.position,
        Outcome("ready", renditions={"preview": stored.view}, details=details),
    )
    return attachment


async def test_expired_media_are_deleted_and_announced(engine: Engine, tmp_path: Path) -> None:
    journal, store = (
        await engine.open(tmp_path),
        FileStore(tmp_path / "media", never_full),
    )
    attachment = await ready_photo(journal, store, "1", now())
    events: list[dict[str, Any]] = []
    journal.subscribe(lambda recorded: events.extend(bodies(recorded)))
    quarantine = empty(tmp_path)

    async def keep_media_for(seconds: float) -> None:
        retention = Retention(seconds, DAY, 7 * DAY)
        await RetentionWorker(journal, store, quarantine, retention, nothing_in_progress).round()

    await keep_media_for(DAY)
    assert not events
    time.sleep(0.25)
    await keep_media_for(0.2)
    assert [(e["type"], e["data"]["message"]["attachments"][0]["reason"]) for e in events] == [
        ("attachment.updated", "expired")
    ]
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
    view = (await journal.find_attachment(attachment)).view  # type: ignore[union-attr]
    assert (view["state"], view["renditions"]) == ("failed", {})
    await journal.close()


async def test_a_waveform_expires_with_its_sound(engine: Engine, tmp_path: Path) -> None:
    journal = await engine.open(tmp_path)
    store = FileStore(tmp_path / "media", never_full)
    details = {"waveform": [9] * 64, "voice": True}
    attachment = await ready_photo(journal, store, "1", now(), details)
    await journal.expire_media(now() + 1000)
    view: Any = (await journal.find_attachment(attachment)).view  # type: ignore[union-attr]
    assert view["voice"] is True
    assert "waveform" not in view
    await journal.close()


async def test_expired_texts_are_blanked_and_still_recognised_as_duplicates(
    engine: Engine, tmp_path: Path
) -> None:
    journal, store = (
        await engine.open(tmp_path),
        FileStore(tmp_path / "media", never_full),
    )
    recorded = await record(journal, delivery(note("1"), at=now() - 1000))
    id = bodies(recorded)[0]["data"]["message"]["id"]
    worker = RetentionWorker(
        journal, store, empty(tmp_path), Retention(DAY, 0.5, 7 * DAY), nothing_in_progress
    )
    await worker.round()
    message = await journal.message(id)
    assert message is not None
    assert (message["text"], message["transcript"]) == (None, "")
    assert (await record(journal, delivery(note("1")))).duplicates == 1
    await journal.close()


async def test_references_to_rejected_files_expire_with_the_text(
    engine: Engine, tmp_path: Path
) -> None:
    journal = await engine.open(tmp_path)
    media = [["document", "http://a/bill.pdf"]]
    recorded = await record(journal, delivery(note("1", media=media), at=now() - 1000))
    (job,) = recorded.jobs
    outcome = Outcome("rejected", "unsupported_type", kind="audio")
    assert await journal.finish(job.message, job.position, outcome)
    row = await journal.attachment(job.message, job.position)
    assert row is not None
    assert (row.kind, row.media["locator"]) == ("audio", {"url": "http://a/bill.pdf"})
    worker = RetentionWorker(
        journal,
        FileStore(tmp_path / "media", never_full),
        empty(tmp_path),
        Retention(DAY, 0.5, 7 * DAY),
        nothing_in_progress,
    )
    await worker.round()
    row = await journal.attachment(job.message, job.position)
    assert row is not None
    assert row.media is None
    assert not await journal.retry(job.message, job.position)
    await journal.close()


@pytest.mark.sqlite
async def test_expired_texts_leave_the_files_of_an_open_journal(tmp_path: Path) -> None:
    journal, store = (
        await Sqlite().open(tmp_path),
        FileStore(tmp_path / "media", never_full),
    )
    secret = "a very private sentence " * 400
    await journal.append(delivery(note("1", text=secret), at=now() - 1000))
    (row,) = await journal.unread(-1, 10)
    readings = [r for accepted in row.deliveries for r in read(accepted, CONNECTORS)]
    (entry,) = (await journal.record(Batch((row.id,), tuple(readings)))).entries
    await journal.mark_delivered([(entry.conversation, entry.key)])
    worker = RetentionWorker(
        journal, store, empty(tmp_path), Retention(DAY, 0.5, 7 * DAY), nothing_in_progress
    )
    assert _holds(tmp_path, b"a very private sentence")
    await worker.round()
    async with asyncio.timeout(10):
        while _holds(tmp_path, b"a very private sentence"):
            await asyncio.sleep(0.01)
    await journal.close()


@pytest.mark.sqlite
async def test_an_erased_conversation_leaves_the_files_of_an_open_journal(
    tmp_path: Path,
) -> None:
    journal, store = (
        await Sqlite().open(tmp_path),
        FileStore(tmp_path / "media", never_full),
    )
    secret = "a very private sentence " * 400
    (events, *_) = bodies(
        await record(journal, delivery(*(note(str(n), text=secret) for n in range(60))))
    )
    worker = RetentionWorker(
        journal, store, empty(tmp_path), Retention(DAY, DAY, 7 * DAY), nothing_in_progress
    )
    assert _holds(tmp_path, b"a very private sentence")
    assert await worker.erase(events["subject"])
    async with asyncio.timeout(10):
        while _holds(tmp_path, b"a very private sentence"):
            await asyncio.sleep(0.01)
    await journal.close()


def _holds(folder: Path, text: bytes) -> bool:
    return any(text in file.read_bytes() for file in folder.iterdir() if file.is_file())


async def test_files_listed_before_a_crash_are_deleted_later(
    engine: Engine, tmp_path: Path
) -> None:
    journal, store = (
        await engine.open(tmp_path),
        FileStore(tmp_path / "media", never_full),
    )
    await ready_photo(journal, store, "1", now())
    conversation = bodies(await record(journal, delivery(note("2"))))[0]["data"]["conversation"][
        "id"
    ]
    await journal.erase(conversation)  # … and the process ends before the files are deleted
    assert await journal.files_to_delete()
    worker = RetentionWorker(
        journal, store, empty(tmp_path), Retention(DAY, DAY, 7 * DAY), nothing_in_progress
    )
    await worker.round()
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
    assert not await journal.files_to_delete()
    await journal.close()


async def test_an_erased_conversation_leaves_no_trace(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home:
        conversation, url = await linked(home)
        secret = "a very private sentence"
        await home.send({"id": "9", "from": "ann", "text": secret, "name": "Ann Private"})
        await home.core.until(3)  # the name is announced, too
        status, _ = await home.call("DELETE", f"/v1/conversations/{conversation}")
        assert status == 204
        async with home.http.get(url) as response:
            assert response.status == 404
        assert (await home.call("GET", f"/v1/conversations/{conversation}/messages"))[0] == 404
        assert (await home.call("DELETE", f"/v1/conversations/{conversation}"))[0] == 404
        await repeat(home)
        assert (await home.call("GET", f"/v1/conversations/{conversation}/messages"))[0] == 404
    assert not [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
    for file in tmp_path.iterdir():
        if file.is_file():
            content = file.read_bytes()
            assert secret.encode() not in content, file.name
            assert b"Ann Private" not in content, file.name


async def repeat(home: House) -> None:
    """Send the erased message again, and a new one after it."""
    home.files["1"] = photo()
    await home.send(with_photo(home), {"id": "10", "from": "bob", "text": "new"})
    events = await home.core.until(4)
    assert events[-1]["data"]["message"]["platform_id"] == "10"


async def test_a_deleted_message_is_announced_and_its_content_removed(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as home:
        home.files["1"] = photo()
        secret = "sent to the wrong number"
        await home.send(with_photo(home, text=secret))
        (event,) = await home.core.until(1)
        conversation, message = event["subject"], event["data"]["message"]
        assert message["attachments"][0]["state"] == "ready"
        await home.send({"id": "2", "from": "ann", "takes_back": "1"})
        events = {event["type"]: event["data"] for event in (await home.core.until(3))[1:]}
        assert events.keys() == {"message.deleted", "attachment.updated"}
        assert events["message.deleted"]["message"]["id"] == message["id"]
        (attachment,) = events["attachment.updated"]["message"]["attachments"]
        assert (attachment["state"], attachment["reason"]) == ("failed", "gone")
        assert attachment["renditions"] == {}
        await home.send(with_photo(home, text=secret))  # a late repeat by the platform
        _, listed = await home.call("GET", f"/v1/conversations/{conversation}/messages")
        assert secret not in str(listed)
        async with asyncio.timeout(20):
            while [path for path in (tmp_path / "media").rglob("*") if path.is_file()]:
                await asyncio.sleep(0.05)
        assert len(await home.core.until(3)) == 3
