"""The journal's log is synced in a thread, and the result is reported on the event loop."""

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal import JournalUnavailable
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.journal.sqlite.wal_sync import WalSync
from tests.gateway.test_journal import delivery, note, record


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "log", os.O_CREAT | os.O_RDWR)
    yield opened
    os.close(opened)


def fail(_: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


async def test_each_sync_is_reported_once(descriptor: int) -> None:
    results: asyncio.Queue[OSError | None] = asyncio.Queue()
    sync = WalSync(descriptor, results.put_nowait)
    for _ in range(5):
        os.write(descriptor, b"words")
        sync.begin()
        assert await asyncio.wait_for(results.get(), 60) is None
    sync.close()
    assert results.empty()


async def test_a_disk_failure_is_reported(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    results: asyncio.Queue[OSError | None] = asyncio.Queue()
    sync = WalSync(descriptor, results.put_nowait)
    monkeypatch.setattr(os, "fdatasync", fail)
    sync.begin()
    error = await asyncio.wait_for(results.get(), 60)
    sync.close()
    assert error is not None
    assert error.errno == errno.EIO


async def test_a_file_that_cannot_be_synced_is_refused_at_once() -> None:
    read, write = os.pipe()
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            WalSync(write, lambda _: None)
    finally:
        os.close(read)
        os.close(write)


@pytest.mark.sqlite
async def test_nothing_is_accepted_after_a_failed_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    monkeypatch.setattr(os, "fdatasync", fail)
    for _ in range(2):
        with pytest.raises(JournalUnavailable):
            await journal.append(delivery(note("1")))
    await journal.close()
    monkeypatch.undo()
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    assert len((await record(journal, delivery(note("2")))).entries) == 1
    await journal.close()
