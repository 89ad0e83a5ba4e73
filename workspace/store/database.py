"""The workspace's own SQLite file: one writer thread with group commit, and two reader threads.

A write is durable (fsynced) when its awaitable returns. Each write is a function of a connection. Writes that wait at
the same time share one commit; a write that fails rolls back only its own changes.
"""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .migrations import migrate
from .opening import opening

T = TypeVar("T")

#: Enough that all gateway lanes share an fsync under load, few enough that the first write returns soon.
_MAX_GROUP = 256


@dataclass(frozen=True, slots=True)
class _Write:
    change: Callable[[sqlite3.Connection], Any]
    future: "asyncio.Future[Any]"


class Database:
    """Call `open` before use and `close` afterwards. `on_commit` runs in the event loop after each group."""

    def __init__(self, path: Path, on_commit: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._on_commit = on_commit
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._scrubs = False

    def open(self) -> None:
        """Open or create the file; raises `Unusable`."""
        self._loop = asyncio.get_running_loop()
        with opening(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._writer = connect(self._path)
            migrate(self._writer)
        self._thread = threading.Thread(target=self._write_groups, name="workspace-writer")
        self._thread.start()
        self._pool = ThreadPoolExecutor(2, "workspace-reader", initializer=self._open_reader)

    async def close(self) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._pool.shutdown)
        for connection in (*self._readers, self._writer):
            connection.close()

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` in a transaction and return its result once the result is on disk."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Write(change, future))
        return await future

    async def scrub(self) -> None:
        """Make sure that nothing deleted can be read in the write-ahead log any more."""
        await self.write(self._scrub_after_commit)

    def _scrub_after_commit(self, _connection: sqlite3.Connection) -> None:
        self._scrubs = True

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on one consistent snapshot."""
        # The words of what is read are in the language of the request.
        return await self._loop.run_in_executor(self._pool, copy_context().run, self._read, query)

    def _open_reader(self) -> None:
        connection = connect(self._path)
        connection.execute("PRAGMA query_only = ON")
        self._reading.connection = connection
        self._readers.append(connection)

    def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection = self._reading.connection
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.execute("COMMIT")

    def _write_groups(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, closing = self._gather(first)
            outcomes = self._commit(group)
            self._loop.call_soon_threadsafe(self._resolve, outcomes)
            if closing:
                return

    def _gather(self, first: _Write) -> tuple[list[_Write], bool]:
        group = [first]
        while len(group) < _MAX_GROUP:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                return group, False
            if following is None:
                return group, True
            group.append(following)
        return group, False

    def _commit(self, group: list[_Write]) -> list[tuple[_Write, Any, Exception | None]]:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._apply(write) for write in group]
            connection.execute("COMMIT")
            if self._scrubs:
                self._scrubs = False
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as exc:  # such as a full disk: every write of the group fails
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return [(write, None, exc) for write in group]
        return outcomes

    def _apply(self, write: _Write) -> tuple[_Write, Any, Exception | None]:
        self._writer.execute("SAVEPOINT change")
        try:
            result = write.change(self._writer)
        except Exception as exc:  # noqa: BLE001  # raised again where this write is awaited
            self._writer.execute("ROLLBACK TO change")
            return write, None, exc
        finally:
            self._writer.execute("RELEASE change")
        return write, result, None

    def _resolve(self, outcomes: list[tuple[_Write, Any, Exception | None]]) -> None:
        for write, result, exc in outcomes:
            if write.future.cancelled():
                continue
            if exc is None:
                write.future.set_result(result)
            else:
                write.future.set_exception(exc)
        self._on_commit()


def connect(path: Path) -> sqlite3.Connection:
    # Only our user may read customers' messages. SQLite gives the database's rights to the files beside it. An existing
    # one is not opened: closing it would end this process's locks on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Deleted content must not remain in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def next_revision(connection: sqlite3.Connection) -> int:
    """Count one more change and return its number."""
    (number,) = next_revisions(connection, 1)
    return number


def next_revisions(connection: sqlite3.Connection, count: int) -> range:
    """Count several changes and return their numbers."""
    row = connection.execute(
        "UPDATE counter SET revision = revision + ? RETURNING revision", (count,)
    )
    last = int(row.fetchone()[0])
    return range(last - count + 1, last + 1)


def revision(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT revision FROM counter").fetchone()[0])


def touch_message(connection: sqlite3.Connection, id: str) -> None:
    """Record that a line of the transcript has changed, so that pages reload it."""
    change = next_revision(connection)
    row = connection.execute(
        "UPDATE messages SET revision = ? WHERE id = ? RETURNING conversation", (change, id)
    ).fetchone()
    if row is not None:
        connection.execute(
            "UPDATE conversations SET revision = ? WHERE id = ?", (change, row["conversation"])
        )
