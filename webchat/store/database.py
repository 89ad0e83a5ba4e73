"""The web channel's SQLite file: one writer thread with group commit, and two reader threads.

A write is durable (fsynced) when its awaitable returns. Writes that wait at the same time share one commit; a write
that fails rolls back only its own changes.
"""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from .opening import TooNew, opening

T = TypeVar("T")

#: Enough that many consumers share an fsync, few enough that the first write returns soon.
_MAX_GROUP = 256
#: In order. The version of a file is the number of those that ran on it; a version adds one.
_SCHEMA = ("schema.sql", "tickets.sql")


class Connection(sqlite3.Connection):
    """A connection whose writes note whom they concern, so that no handler can forget to wake the streams or lanes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Consumers with a visible change, and lanes with a new delivery, since the last commit.
        self.changed: set[str] = set()
        self.queued: set[str] = set()
        #: Whether something was erased that the write-ahead log still holds.
        self.scrubs = False


#: Called in the event loop after a commit, with the consumers that changed and the lanes that have something to send.
OnCommit = Callable[[Collection[str], Collection[str]], None]


@dataclass(frozen=True, slots=True)
class _Write:
    change: Callable[[Connection], Any]
    future: "asyncio.Future[Any]"


_Outcome = tuple[_Write, Any, Exception | None]


class Database:
    """Call `open` before use and `close` afterwards."""

    def __init__(self, path: Path, on_commit: OnCommit) -> None:
        self._path = path
        self._on_commit = on_commit
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._reading = threading.local()
        self._readers: list[Connection] = []

    def open(self) -> None:
        """Open or create the file; raises `Unusable`."""
        self._loop = asyncio.get_running_loop()
        with opening(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._writer = connect(self._path)
            _create(self._writer, self._path.name)
        self._thread = threading.Thread(target=self._write_groups, name="webchat-writer")
        self._thread.start()
        self._pool = ThreadPoolExecutor(2, "webchat-reader", initializer=self._open_reader)

    async def close(self) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._pool.shutdown)
        for connection in (*self._readers, self._writer):
            connection.close()

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Run `change` in a transaction and return its result once the result is on disk."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Write(change, future))
        return await future

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run `query` on one consistent snapshot."""
        return await self._loop.run_in_executor(self._pool, self._read, query)

    def _open_reader(self) -> None:
        connection = connect(self._path)
        connection.execute("PRAGMA query_only = ON")
        self._reading.connection = connection
        self._readers.append(connection)

    def _read(self, query: Callable[[Connection], T]) -> T:
        connection: Connection = self._reading.connection
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.execute("COMMIT")

    def _write_groups(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, closing = self._gather(first)
            outcomes = self._commit(group)
            changed, queued = frozenset(self._writer.changed), frozenset(self._writer.queued)
            self._writer.changed.clear()
            self._writer.queued.clear()
            self._loop.call_soon_threadsafe(self._resolve, outcomes, changed, queued)
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

    def _commit(self, group: list[_Write]) -> list[_Outcome]:
        connection = self._writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._apply(write) for write in group]
            connection.execute("COMMIT")
            if connection.scrubs:
                # A reader may be in the way; the next commit tries again.
                row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                connection.scrubs = bool(row[0])
        except sqlite3.Error as exc:  # such as a full disk: every write of the group fails
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            return [(write, None, exc) for write in group]
        return outcomes

    def _apply(self, write: _Write) -> _Outcome:
        self._writer.execute("SAVEPOINT change")
        try:
            result = write.change(self._writer)
        except Exception as exc:  # noqa: BLE001  # raised again where this write is awaited
            self._writer.execute("ROLLBACK TO change")
            return write, None, exc
        finally:
            self._writer.execute("RELEASE change")
        return write, result, None

    def _resolve(
        self, outcomes: list[_Outcome], changed: Collection[str], queued: Collection[str]
    ) -> None:
        for write, result, exc in outcomes:
            if write.future.cancelled():
                continue
            if exc is None:
                write.future.set_result(result)
            else:
                write.future.set_exception(exc)
        self._on_commit(changed, queued)


def connect(path: Path) -> Connection:
    # Only our user may read consumers' messages. SQLite gives the database's rights to the files beside it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=10, factory=Connection
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Deleted content must not remain in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _create(connection: Connection, name: str) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > len(_SCHEMA):
        raise TooNew(
            f"{name} was written by a later version (format {found}; this version reads formats up to {len(_SCHEMA)}); "
            "start the later version, or restore a backup from before the upgrade"
        )
    for number, script in enumerate(_SCHEMA[found:], found + 1):
        schema = files("webchat.store").joinpath(script).read_text("utf-8")
        connection.executescript(f"BEGIN;\n{schema}\nPRAGMA user_version = {number};\nCOMMIT;")


def touch(db: Connection, consumer: str) -> int:
    """Count one more visible change of a consumer and return its number."""
    db.changed.add(consumer)
    row = db.execute(
        "UPDATE consumers SET revision = revision + 1 WHERE id = ? RETURNING revision", (consumer,)
    ).fetchone()
    return int(row["revision"])
