"""The journal in one SQLite file: writes in group commits, reads on a separate connection."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.identifiers import Identifiers
from gateway.journal.errors import JournalUnavailable
from gateway.journal.frames import pack, unpack
from gateway.journal.operations.recorder import Recorder
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import Accepted, Batch, IntakeRow, Recorded
from gateway.journal.stores.journal import StoredJournal
from gateway.observability.system_errors import folder_error

from . import free_pages, schema
from .counting_outbox import CountingOutbox
from .group_commit import GroupWriter, Rows
from .intake_cache import IntakeCache
from .opening import opening

T = TypeVar("T")
R = TypeVar("R", bound=Recorded | None)

#: Seconds between two looks whether deliveries are parsed.
_PAUSE = 0.02


class SqliteJournal(StoredJournal):
    """The journal of one process; `data_lock` makes sure that no other process uses the file."""

    def __init__(self, path: Path, hold_ms: int) -> None:
        self.hold_ms = hold_ms
        self._cache = IntakeCache()
        self.arrived = asyncio.Event()
        self._writer = GroupWriter(path, self._intake_committed)
        self._read_connection = schema.connect(str(path), read_only=True)
        self._read_executor = ThreadPoolExecutor(1, thread_name_prefix="journal-read")
        self.key = schema.key(self._read_connection)
        #: The size of each intake row that has yet to be parsed, by the row's number.
        self._unread_sizes: dict[int, int] = dict(
            self._read_connection.execute("SELECT id, length(deliveries) FROM intake").fetchall()
        )
        self._newest: int = max(self._unread_sizes, default=-1)
        self._unread_bytes = sum(self._unread_sizes.values())
        self.ids = Identifiers(self.key)
        self._outbox = CountingOutbox(self._read_connection)

    @classmethod
    async def open(cls, directory: Path, *, hold_seconds: float) -> "SqliteJournal":
        """Open or create `journal.db` in `directory`; raises JournalUnusable if that cannot be done."""
        with opening(directory / "journal.db") as path:
            return cls(path, round(hold_seconds * 1000))

    async def close(self) -> None:
        self._read_executor.shutdown()
        self._read_connection.close()
        await self._writer.close()

    async def watch(self) -> None:
        broken = await self._writer.broken
        if isinstance(broken, OSError):
            reason = f"gateway.data: the journal cannot be synced: {folder_error(broken)}"
            raise JournalUnavailable(reason) from broken
        raise broken

    def subscribe(self, receiver: Callable[[Recorded], None]) -> None:
        self._writer.subscribers.append(receiver)

    async def check_health(self) -> None:
        await self._read(lambda c: c.execute("SELECT 1 FROM meta").fetchone())
        await self._writer.submit(lambda _: None)

    # intake -------------------------------------------------------------------------------------

    def append(self, delivery: Accepted) -> "asyncio.Future[None]":
        return self._writer.append(pack(delivery))

    async def unread(self, after: int, limit: int) -> list[IntakeRow]:
        if after >= self._newest:
            return []
        cached = self._cache.after(after, limit)
        if cached is not None:
            rows = cached
        else:
            rows = await self._read(
                lambda c: c.execute(
                    "SELECT id, deliveries FROM intake WHERE id > ? ORDER BY id LIMIT ?",
                    (after, limit),
                ).fetchall()
            )
        return [IntakeRow(id, tuple(unpack(deliveries))) for id, deliveries in rows]

    def _intake_committed(self, rows: Rows) -> None:
        self._newest = rows[-1][0]
        for number, row in rows:
            self._unread_sizes[number] = len(row)
            self._unread_bytes += len(row)
        self._cache.add(rows)
        self.arrived.set()

    @property
    def unread_bytes(self) -> int:
        return self._unread_bytes + self._writer.pending_bytes

    def bytes_to_come(self) -> int:
        return self._writer.bytes_to_come()

    async def record(self, batch: Batch) -> Recorded:
        def run(connection: sqlite3.Connection) -> Recorded:
            made = (connection, self.ids, self._outbox, self.hold_ms, self.informed)
            recorded = Recorder(*made).record(batch)
            connection.executemany(
                "DELETE FROM intake WHERE id = ?", [(id,) for id in batch.intake]
            )
            return recorded

        recorded = await self._writer.announce(run)
        for number in batch.intake:
            self._unread_bytes -= self._unread_sizes.pop(number, 0)
        return recorded

    # retention ----------------------------------------------------------------------------------

    async def intake_parsed(self) -> None:
        newest = self._newest
        while any(number <= newest for number in self._unread_sizes):  # noqa: ASYNC110 - rare
            await asyncio.sleep(_PAUSE)

    def _scrub_after_commit(self) -> None:
        # Called inside the transaction, so that no earlier commit fulfils it.
        self._writer.scrub()

    def _erase(
        self, connection: Transaction, conversation: str, request_id: str
    ) -> Recorded | None:
        # Inside the transaction, so that no earlier commit fulfils it.
        self._writer.scrub()
        return super()._erase(connection, conversation, request_id)

    async def shrink(self, spare: int) -> bool:
        def step(connection: sqlite3.Connection) -> bool:
            more = free_pages.shrink(connection, spare)
            if not more:
                # SQLite truncates the file at a checkpoint.
                self._writer.scrub()
            return more

        if not await self._read(partial(free_pages.has_spare, spare=spare)):
            return False
        return await self._writer.submit(step)

    async def scrub_free_pages(self) -> None:
        for _ in range(await self._read(free_pages.count_steps)):
            await self._writer.submit(partial(free_pages.shrink, spare=0))
        await self._writer.submit(lambda _: self._writer.scrub())

    # --------------------------------------------------------------------------------------------

    def _submit(self, operation: Callable[[Transaction], T]) -> "asyncio.Future[T]":
        return self._writer.submit(operation)

    def _announce(self, operation: Callable[[Transaction], R]) -> "asyncio.Future[R]":
        return self._writer.announce(operation)

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on the reading connection; all its statements see the same snapshot of the journal."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._read_executor, self._at_one_moment, query)
        except sqlite3.OperationalError as exc:
            raise JournalUnavailable(str(exc)) from exc

    def _at_one_moment(self, query: Callable[[sqlite3.Connection], T]) -> T:
        self._read_connection.execute("BEGIN")
        try:
            return query(self._read_connection)
        finally:
            self._read_connection.execute("ROLLBACK")
