"""Group commit: whatever waits becomes one transaction, and everybody hears of it at once, after one fsync.

SQL runs on the event loop's own thread, into the write-ahead log and no further; the wait for the disk is a
thread's. While it waits, the next group gathers. A thread that ran the SQL too was measured slower: it and
the loop hand Python's one lock to and fro at every statement, and under load each waits its turn for
milliseconds.

The log is synced here and not by SQLite (`synchronous = NORMAL`), which makes a commit as durable as FULL
would: FULL is the same sync of the same file, in the thread that commits.
"""

import asyncio
import itertools
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from gateway.fault_points import passing
from gateway.metrics import JOURNAL_COMMITS

from . import schema
from .errors import JournalUnavailable
from .log_length import LogLength

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]
#: Intake rows that are on disk now: (number, deliveries).
Rows = list[tuple[int, bytes]]

log = structlog.get_logger(__name__)

#: Frames of one intake row: small enough that reading one row never holds the event loop for long.
_ROW_BYTES = 64 * 1024
#: Seconds for which the size of a group tells how pressed we are.
_LATELY = 0.05
#: Writes taken into one transaction at the most.
_GROUP = 1000
#: Commits after which the log is brought into the database. More means rarer pauses, and longer ones.
_COMMITS = 250


@dataclass(slots=True)
class _Write:
    done: "asyncio.Future[Any]"
    frame: bytes | None = None
    operation: "Operation[Any] | None" = None
    result: Any = None
    error: Exception | None = None


class GroupWriter:
    """Owns the writing connection. Every method may be called from the event loop's thread only."""

    def __init__(self, path: Path, on_intake: Callable[[Rows], None]) -> None:
        self._connection = schema.connect(str(path))
        schema.migrate(self._connection)
        self._checkpoints = schema.connect(str(path))
        (last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM intake").fetchone()
        self._numbers = itertools.count(last + 1)
        self._log = os.open(f"{path}-wal", os.O_RDONLY)
        (page_bytes,) = self._connection.execute("PRAGMA page_size").fetchone()
        self._length = LogLength(path, page_bytes)
        _sync_folder(path.parent)
        # What an earlier process wrote and could not sync any more is acted upon from now on.
        os.fdatasync(self._log)
        self._on_intake = on_intake
        self._loop = asyncio.get_running_loop()
        self._unsynced: queue.SimpleQueue[tuple[list[_Write], Rows] | None] = queue.SimpleQueue()
        self._waited_together = 0, 0.0
        self._commits = 0
        self._wipe = False
        self._disk = threading.Thread(target=self._sync, name="journal-sync", daemon=True)
        self._disk.start()
        self._waiting: list[_Write] = []
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        #: Ends with what broke, when the journal can no longer be written.
        self.broken: asyncio.Future[OSError] = self._loop.create_future()

    def waited_together(self) -> int:
        """How many deliveries waited for the latest commit that held any; 0 when that is a while ago."""
        count, when = self._waited_together
        return count if self._loop.time() - when < _LATELY else 0

    def append(self, frame: bytes) -> "asyncio.Future[None]":
        """A delivery for the intake; the future ends when it is on disk."""
        return self._wait(_Write(self._loop.create_future(), frame=frame))

    def submit(self, operation: "Operation[T]") -> "asyncio.Future[T]":
        """Run `operation` inside the next transaction; its changes are undone if it raises."""
        return self._wait(_Write(self._loop.create_future(), operation=operation))

    def wipe(self) -> None:
        """With the next commit, let the log hold nothing old any more."""
        self._wipe = True

    async def close(self) -> None:
        """Finish what waits, then close."""
        await self._idle.wait()
        self._unsynced.put(None)
        self._disk.join()
        os.close(self._log)
        self._checkpoints.close()
        self._connection.close()
        self._length.close()

    def _wait(self, write: _Write) -> "asyncio.Future[Any]":
        if self.broken.done():
            write.done.set_exception(JournalUnavailable(str(self.broken.result())))
            return write.done
        self._waiting.append(write)
        if not self._busy:
            self._busy = True
            self._idle.clear()
            # Not at once: what else this turn of the loop brings belongs to the same group.
            self._loop.call_soon(self._commit)
        return write.done

    def _commit(self) -> None:
        group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
        rows = self._transact(group)
        passing("after-commit")
        self._unsynced.put((group, rows))

    def _transact(self, group: list[_Write]) -> Rows:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            frames = [w.frame for w in group if w.frame is not None]
            if frames:
                self._waited_together = len(frames), self._loop.time()
            rows = self._append_frames(frames)
            for write in group:
                if write.operation is not None:
                    self._apply(write, write.operation)
            passing("before-commit")
            self._connection.execute("COMMIT")
        except sqlite3.Error as trouble:
            self._roll_back()
            self._fail(group, trouble)
            return []
        return rows

    def _append_frames(self, frames: list[bytes]) -> Rows:
        rows: Rows = []
        row: list[bytes] = []
        size = 0
        for frame in frames:
            if row and size + len(frame) > _ROW_BYTES:
                rows.append(self._insert_row(row))
                row, size = [], 0
            row.append(frame)
            size += len(frame)
        if row:
            rows.append(self._insert_row(row))
        return rows

    def _insert_row(self, frames: list[bytes]) -> tuple[int, bytes]:
        row = b"".join(frames)
        number = next(self._numbers)
        self._connection.execute("INSERT INTO intake VALUES (?, ?)", (number, row))
        return number, row

    def _apply(self, write: _Write, operation: "Operation[Any]") -> None:
        self._connection.execute("SAVEPOINT operation")
        try:
            write.result = operation(self._connection)
        except sqlite3.OperationalError:
            raise  # disk full, locked, I/O: the whole transaction is in doubt
        except Exception as trouble:  # noqa: BLE001 - it goes to the caller, whose mistake it is
            write.error = trouble
            self._connection.execute("ROLLBACK TO operation")
        self._connection.execute("RELEASE operation")

    def _roll_back(self) -> None:
        # A full disk may already have ended the transaction.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _fail(self, group: list[_Write], trouble: Exception) -> None:
        log.error("journal_write_failed", error=str(trouble), writes=len(group))
        for write in group:
            write.error = JournalUnavailable(str(trouble))

    def _sync(self) -> None:
        """The disk's thread: make durable, tell, and while nobody writes bring a long log into the database."""
        while (written := self._unsynced.get()) is not None:
            try:
                os.fdatasync(self._log)
            except OSError as trouble:
                self._loop.call_soon_threadsafe(self._break, written[0], trouble)
                return
            passing("after-sync")
            self._commits += 1
            JOURNAL_COMMITS.inc()
            if self._commits < _COMMITS and not self._wipe and not self._length.is_long():
                self._loop.call_soon_threadsafe(self._tell, *written, True)
                continue
            self._loop.call_soon_threadsafe(self._tell, *written, False)
            self._checkpoint()
            self._loop.call_soon_threadsafe(self._next)

    def _checkpoint(self) -> None:
        # The log is written again from its start afterwards. Cutting it short would be tidier, but then every
        # sync has to write down how it grows, which doubles its time.
        how = "TRUNCATE" if self._wipe else "RESTART"
        self._commits, self._wipe = 0, False
        passing("before-checkpoint")
        try:
            self._checkpoints.execute(f"PRAGMA wal_checkpoint({how})").fetchall()
            passing("after-checkpoint")
        except sqlite3.Error as trouble:
            log.error("journal_checkpoint_failed", error=str(trouble))

    def _tell(self, group: list[_Write], rows: Rows, next: bool) -> None:
        for write in group:
            if write.done.cancelled():
                continue
            if write.error is not None:
                write.done.set_exception(write.error)
            else:
                write.done.set_result(write.result)
        if rows:
            self._on_intake(rows)
        if next:
            self._next()

    def _break(self, group: list[_Write], trouble: OSError) -> None:
        """A failed sync may have lost what it was to keep: nobody can tell. Only a new start can.

        `_busy` stays, so that nothing is written any more; whoever waits hears it now.
        """
        self._fail(group + self._waiting, trouble)
        self._tell(group + self._waiting, [], False)
        self._idle.set()
        self.broken.set_result(trouble)

    def _next(self) -> None:
        if self._waiting:
            self._commit()
        else:
            self._busy = False
            self._idle.set()


def _sync_folder(folder: Path) -> None:
    """Make the names of the journal's files durable, once: SQLite does so only at its first own sync."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
