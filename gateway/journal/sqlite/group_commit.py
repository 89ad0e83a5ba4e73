"""Group commit: all writes that wait become one transaction, and all of them complete after one fsync.

SQL runs on the thread of the event loop and writes only to the write-ahead log. A thread waits for the disk (see
`wal_sync`) while the next group collects. A separate thread for SQL was measured to be slower: it and the
event loop exchange Python's global lock at every statement, and under load each waits milliseconds for it.

The log is synced here and not by SQLite (`synchronous = NORMAL`). A commit is then as durable as with FULL, which is
the same sync of the same file in the committing thread.
"""

import asyncio
import itertools
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from gateway.fault_points import fault_point
from gateway.journal.errors import JournalUnavailable
from gateway.journal.folder_sync import sync_folder
from gateway.journal.records import Recorded
from gateway.observability.metrics import JOURNAL_COMMITS

from . import schema
from .checkpoints import Checkpoints
from .wal_sync import WalSync

T = TypeVar("T")
R = TypeVar("R", bound=Recorded | None)
Operation = Callable[[sqlite3.Connection], T]
#: Durable intake rows: (number, deliveries).
Rows = list[tuple[int, bytes]]

log = structlog.get_logger(__name__)

#: Maximum bytes of deliveries in one intake row, so that parsing a row never blocks the event loop for long.
_ROW_BYTES = 16 * 1024
#: Minimum seconds between two commits: each costs as much as accepting two deliveries.
_MIN_INTERVAL = 0.0015
#: Maximum writes in one transaction.
_MAX_GROUP = 1000


@dataclass(slots=True)
class _Write:
    done: "asyncio.Future[Any]"
    frame: bytes | None = None
    operation: "Operation[Any] | None" = None
    announces: bool = False
    result: Any = None
    error: Exception | None = None


class GroupWriter:
    """Owns the writing connection. All methods are called from the thread of the event loop."""

    def __init__(self, path: Path, on_intake: Callable[[Rows], None]) -> None:
        self._connection = schema.connect(str(path))
        schema.migrate(self._connection)
        self._checkpoints = Checkpoints(path)
        # A process that was killed may have left erased data in the log.
        self._checkpoints.scrub()
        (last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM intake").fetchone()
        self._numbers = itertools.count(last + 1)
        self._log = os.open(f"{path}-wal", os.O_RDONLY)
        # SQLite syncs the names of its files only at its own first sync.
        sync_folder(path.parent)
        # This also syncs data that an earlier process wrote but did not sync, before it is used.
        self._sync = WalSync(self._log, self._synced)
        self._on_intake = on_intake
        #: Each is called with the result of a transaction, once that is durable.
        self.subscribers: list[Callable[[Recorded], None]] = []
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Write] = []
        #: Committed writes that are not synced yet.
        self._unsynced: tuple[list[_Write], Rows] = ([], [])
        #: Bytes of deliveries that are not synced yet.
        self.pending_bytes = 0
        self._busy = False
        self._last_commit_at = 0.0
        self._idle = asyncio.Event()
        self._idle.set()
        #: Completes with an error once the journal can no longer be used.
        self.broken: asyncio.Future[Exception] = self._loop.create_future()

    def append(self, frame: bytes) -> "asyncio.Future[None]":
        """Add a delivery to the intake; the future completes once it is durable."""
        return self._enqueue(_Write(self._loop.create_future(), frame=frame))

    def submit(self, operation: "Operation[T]") -> "asyncio.Future[T]":
        """Run `operation` in the next transaction; its changes are undone if it raises.

        It may run twice, and the first run is undone, if another operation of the same transaction raises.
        """
        return self._enqueue(_Write(self._loop.create_future(), operation=operation))

    def announce(self, operation: "Operation[R]") -> "asyncio.Future[R]":
        """Run `operation` like `submit`, and announce its result, if any, before the future completes."""
        return self._enqueue(
            _Write(self._loop.create_future(), operation=operation, announces=True)
        )

    def scrub(self) -> None:
        """Remove all old content from the log after the next commit."""
        self._checkpoints.scrub()

    def bytes_to_come(self) -> int:
        """Return the bytes of disk that the data in the log may still need."""
        return self._checkpoints.bytes_to_come()

    async def close(self) -> None:
        """Finish the writes that wait, then close."""
        await self._idle.wait()
        self._sync.close()
        os.close(self._log)
        self._checkpoints.close()
        self._connection.close()
        self._checkpoints.close_wal_size()

    def _enqueue(self, write: _Write) -> "asyncio.Future[Any]":
        if self.broken.done():
            write.done.set_exception(JournalUnavailable(str(self.broken.result())))
            return write.done
        self._waiting.append(write)
        self.pending_bytes += len(write.frame or b"")
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._commit_soon()
        return write.done

    def _commit_soon(self) -> None:
        """Schedule a commit, late enough that other writes of this turn of the event loop join it."""
        wait = self._last_commit_at + _MIN_INTERVAL - self._loop.time()
        if wait > 0:
            self._loop.call_later(wait, self._commit)
        else:
            self._loop.call_soon(self._commit)

    def _commit(self) -> None:
        self._last_commit_at = self._loop.time()
        group, self._waiting = self._waiting[:_MAX_GROUP], self._waiting[_MAX_GROUP:]
        rows = self._commit_group(group)
        fault_point("after-commit")
        self._unsynced = group, rows
        try:
            self._sync.begin()
        except OSError as exc:
            self._break(group, exc)

    def _commit_group(self, group: list[_Write]) -> Rows:
        try:
            try:
                return self._run_transaction(group, _run)
            except sqlite3.OperationalError:
                raise  # disk full, locked, I/O: the whole transaction is in doubt
            except Exception:  # noqa: BLE001 - an operation raised; the next run isolates it
                self._roll_back()
                return self._run_transaction(group, self._run_isolated)
        except sqlite3.Error as exc:
            self._roll_back()
            self._fail(group, exc)
            return []

    def _run_transaction(
        self, group: list[_Write], run: Callable[[sqlite3.Connection, _Write], None]
    ) -> Rows:
        self._connection.execute("BEGIN IMMEDIATE")
        frames = [w.frame for w in group if w.frame is not None]
        rows = self._append_frames(frames)
        for write in group:
            if write.operation is not None:
                run(self._connection, write)
        fault_point("before-commit")
        self._connection.execute("COMMIT")
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

    def _run_isolated(self, connection: sqlite3.Connection, write: _Write) -> None:
        """Run an operation, and undo only its changes if it raises.

        Operations do not run like this by default: SQLite then copies every page that they touch, which was measured
        to be a fifth of the cost of recording a message.
        """
        connection.execute("SAVEPOINT operation")
        try:
            _run(connection, write)
        except sqlite3.OperationalError:
            raise
        except Exception as exc:  # noqa: BLE001 - passed on to the caller
            write.error = exc
            connection.execute("ROLLBACK TO operation")
        connection.execute("RELEASE operation")

    def _roll_back(self) -> None:
        # A full disk may already have ended the transaction.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _fail(self, group: list[_Write], error: Exception) -> None:
        log.error("journal_write_failed", error=str(error), writes=len(group))
        for write in group:
            write.error = JournalUnavailable(str(error))

    def _synced(self, error: OSError | None) -> None:
        group, rows = self._unsynced
        self._unsynced = [], []
        if error is not None:
            self._break(group, error)
            return
        fault_point("after-sync")
        JOURNAL_COMMITS.inc()
        self._checkpoints.committed(idle=not self._waiting)
        self._complete(group, rows)
        if self._checkpoints.needs_pause():
            threading.Thread(target=self._checkpoint, name="journal-checkpoint").start()
        else:
            self._next()

    def _checkpoint(self) -> None:
        """Finish a checkpoint in a thread, while writing pauses."""
        try:
            self._checkpoints.finish()
        finally:
            self._loop.call_soon_threadsafe(self._next)

    def _complete(self, group: list[_Write], rows: Rows) -> None:
        for write in group:
            self.pending_bytes -= len(write.frame or b"")
            if write.announces and write.error is None and write.result is not None:
                self._announce(write.result)
            if write.done.cancelled():
                continue
            if write.error is not None:
                write.done.set_exception(write.error)
            else:
                write.done.set_result(write.result)
        if rows:
            self._on_intake(rows)

    def _announce(self, recorded: Recorded) -> None:
        for receiver in self.subscribers:
            try:
                receiver(recorded)
            except Exception as exc:  # noqa: BLE001 - ends the process, which then restarts from the journal
                if not self.broken.done():
                    self.broken.set_result(exc)

    def _break(self, group: list[_Write], error: OSError) -> None:
        """Stop writing after a failed sync, and fail the writes that wait.

        The sync may have lost data, and only a restart shows whether it did. `_busy` stays set, so that nothing is
        written any more.
        """
        self._fail(group + self._waiting, error)
        self._complete(group + self._waiting, [])
        self._idle.set()
        if not self.broken.done():
            self.broken.set_result(error)

    def _next(self) -> None:
        if self._waiting:
            self._commit_soon()
        else:
            self._busy = False
            self._idle.set()


def _run(connection: sqlite3.Connection, write: _Write) -> None:
    assert write.operation is not None
    write.result = write.operation(connection)
