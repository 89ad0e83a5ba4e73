"""The one thread that writes: it takes whatever waits, makes it one transaction, and tells everybody at once.

While a commit waits for the disk the next group gathers, so that the cost of an fsync is shared by all that
arrived meanwhile (group commit). Results go back to the event loop once for each group, not once for each
request: that hand-over costs as much as the SQL.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from .errors import JournalUnavailable

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

log = structlog.get_logger(__name__)

#: Frames of one intake row: small enough that reading one row never holds the event loop for long.
_ROW_BYTES = 256 * 1024
#: Writes taken into one transaction at the most.
_GROUP = 2000


@dataclass(slots=True)
class _Write:
    done: "asyncio.Future[Any]"
    frame: bytes | None = None
    operation: "Operation[Any] | None" = None
    result: Any = None
    error: Exception | None = None


class GroupWriter:
    """Owns the writing connection. Every method may be called from the event loop's thread only."""

    def __init__(self, connection: sqlite3.Connection, on_intake: Callable[[], None]) -> None:
        self._connection = connection
        self._on_intake = on_intake
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def append(self, frame: bytes) -> "asyncio.Future[None]":
        """A delivery for the intake; the future ends when it is on disk."""
        write = _Write(self._loop.create_future(), frame=frame)
        self._waiting.put(write)
        return write.done

    def submit(self, operation: "Operation[T]") -> "asyncio.Future[T]":
        """Run `operation` inside the next transaction; its changes are undone if it raises."""
        write = _Write(self._loop.create_future(), operation=operation)
        self._waiting.put(write)
        return write.done

    async def close(self) -> None:
        """Finish what waits, then end the thread."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        open = True
        while open:
            group, open = self._gather()
            if group:
                self._commit(group)
                self._loop.call_soon_threadsafe(self._tell, group)

    def _gather(self) -> tuple[list[_Write], bool]:
        group: list[_Write] = []
        write = self._waiting.get()
        while write is not None:
            group.append(write)
            if len(group) >= _GROUP:
                return group, True
            try:
                write = self._waiting.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _commit(self, group: list[_Write]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._append_frames([write.frame for write in group if write.frame is not None])
            for write in group:
                if write.operation is not None:
                    self._apply(write, write.operation)
            self._connection.execute("COMMIT")
        except sqlite3.Error as trouble:
            self._roll_back()
            log.error("journal_write_failed", error=str(trouble), writes=len(group))
            for write in group:
                write.error = JournalUnavailable(str(trouble))

    def _append_frames(self, frames: list[bytes]) -> None:
        row: list[bytes] = []
        size = 0
        for frame in frames:
            if row and size + len(frame) > _ROW_BYTES:
                self._insert_row(row)
                row, size = [], 0
            row.append(frame)
            size += len(frame)
        if row:
            self._insert_row(row)

    def _insert_row(self, frames: list[bytes]) -> None:
        self._connection.execute("INSERT INTO intake (deliveries) VALUES (?)", (b"".join(frames),))

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

    def _tell(self, group: list[_Write]) -> None:
        appended = False
        for write in group:
            appended = appended or (write.frame is not None and write.error is None)
            if write.done.cancelled():
                continue
            if write.error is not None:
                write.done.set_exception(write.error)
            else:
                write.done.set_result(write.result)
        if appended:
            self._on_intake()
