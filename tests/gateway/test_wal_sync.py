"""The journal's log is synced by the kernel or in a thread, and the result is reported on the event loop."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.journal import JournalUnavailable
from gateway.journal.sqlite import wal_sync
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.journal.sqlite.wal_sync import KernelSync, OnSynced, ThreadSync, WalSync
from tests.gateway.test_journal import delivery, note, record

KINDS = (KernelSync, ThreadSync)


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "log", os.O_CREAT | os.O_RDWR)
    yield opened
    os.close(opened)


async def synced(kind: Callable[[int, OnSynced], WalSync], descriptor: int) -> OSError | None:
    results: asyncio.Queue[OSError | None] = asyncio.Queue()
    sync = kind(descriptor, results.put_nowait)
    try:
        for _ in range(5):
            os.write(descriptor, b"words")
            sync.begin()
            error = await asyncio.wait_for(results.get(), 60)
            if error is not None:
                return error
        assert results.empty()
    finally:
        sync.close()
    return None


@pytest.mark.parametrize("kind", KINDS)
async def test_each_sync_is_reported_once(kind: type[WalSync], descriptor: int) -> None:
    assert await synced(kind, descriptor) is None


async def test_a_thread_reports_a_disk_failure(
    descriptor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", failing)
    error = await synced(ThreadSync, descriptor)
    assert error is not None
    assert error.errno == errno.EIO


class FailsAfterTrial(KernelSync):
    """A kernel that reports errno 5 (Input/output error) after the trial."""

    trial_done = False

    def _call(self, number: int, *arguments: object) -> None:
        super()._call(number, *arguments)
        if number == self._getevents:
            self._event.result = -errno.EIO if self.trial_done else 0
            self.trial_done = True


async def test_the_kernel_reports_a_disk_failure(descriptor: int) -> None:
    error = await synced(FailsAfterTrial, descriptor)
    assert error is not None
    assert error.errno == errno.EIO


async def test_a_file_that_cannot_be_synced_is_refused_at_once(tmp_path: Path) -> None:
    read, write = os.pipe()
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            wal_sync.wal_sync(write, lambda _: None)
    finally:
        os.close(read)
        os.close(write)


async def test_a_thread_syncs_if_the_kernel_cannot(
    descriptor: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wal_sync, "_CALLS", {})
    sync = wal_sync.wal_sync(descriptor, lambda _: None)
    sync.close()
    assert isinstance(sync, ThreadSync)
    assert "journal_syncs_in_a_thread" in capsys.readouterr().out


async def test_nothing_is_accepted_after_a_failed_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal_sync, "KernelSync", FailsAfterTrial)
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    for _ in range(2):
        with pytest.raises(JournalUnavailable):
            await journal.append(delivery(note("1")))
    await journal.close()
    monkeypatch.undo()
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    assert len((await record(journal, delivery(note("2")))).entries) == 1
    await journal.close()
