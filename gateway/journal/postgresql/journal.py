"""The journal in PostgreSQL: one session writes, one accepts deliveries, a few read."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import psycopg

from gateway.identifiers import Identifiers
from gateway.journal.errors import JournalUnavailable, JournalUnusable
from gateway.journal.frames import pack
from gateway.journal.operations.recorder import Recorder
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import Accepted, Batch, IntakeRow, Recorded
from gateway.journal.stores.journal import StoredJournal

from . import intake, schema
from .appender import Appender
from .claims import claim, claim_within
from .database_outbox import DatabaseOutbox
from .foresight import foresee
from .intake import STREAMS, Floor, HandedOut, stream_of
from .outcomes import in_words
from .readers import Readers
from .session import ADMINISTRATOR, APPENDER, READER, WRITER, Connection, Database, Role
from .writer import DURABLE, Writer

T = TypeVar("T")
R = TypeVar("R", bound=Recorded | None)

#: Seconds that the database may take to show that it works.
_HEALTH_SECONDS = 2.0
#: Seconds that a predecessor may take to end: as long as for the data folder.
_PREDECESSOR_SECONDS = 15.0


class PostgresqlJournal(StoredJournal):
    """The journal of one node, which owns all streams and lanes."""

    def __init__(self, database: Database, key: bytes, hold_ms: int, unread_bytes: int) -> None:
        self._database = database
        self._hold_ms = hold_ms
        self.key = key
        self.ids = Identifiers(key)
        self.arrived = asyncio.Event()
        self._outbox = DatabaseOutbox()
        self._handed_out = HandedOut()
        self._floor = Floor()
        self._unread_bytes = unread_bytes
        #: The streams that this node reads.
        self.streams: Sequence[int] = range(STREAMS)
        #: Called with the reason when the writer's session, and so all that it owned, is lost.
        self.on_lost: Callable[[str], None] = _ignore
        self._readers = Readers(partial(database.connect, READER))
        self._appender = Appender(partial(database.connect, APPENDER), self._stored)
        self._writer = Writer(
            self._writing_session,
            on_lost=self._lost,
            on_found=self.arrived.set,
            on_idle=self.arrived.set,
        )

    @classmethod
    async def open(cls, url: str, *, hold_seconds: float, node: str = "") -> "PostgresqlJournal":
        """Open the journal and bring its tables up to date; raises JournalUnusable if that cannot be done."""
        database = Database(url, node)
        key, unread_bytes = await asyncio.to_thread(_made_ready, database)
        journal = cls(database, key, round(hold_seconds * 1000), unread_bytes)
        writing = await asyncio.to_thread(_opened, database, WRITER)
        try:
            await asyncio.to_thread(claim_within, writing, _PREDECESSOR_SECONDS)
            accepting = await asyncio.to_thread(_opened, database, APPENDER)
        except BaseException:
            writing.close()
            raise
        journal._writer.start(writing)
        journal._appender.start(accepting)
        return journal

    def _writing_session(self) -> Connection:
        connection = self._database.connect(WRITER)
        try:
            claim(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _lost(self, reason: str) -> None:
        self.on_lost(reason)

    async def close(self) -> None:
        await self._appender.close()
        await self._writer.close()
        await asyncio.to_thread(self._readers.close)

    async def watch(self) -> None:
        raise await self._writer.broken

    def subscribe(self, receiver: Callable[[Recorded], None]) -> None:
        self._writer.subscribers.append(receiver)

    async def check_health(self) -> None:
        try:
            async with asyncio.timeout(_HEALTH_SECONDS):
                await self._read(lambda c: c.execute("SELECT 1 FROM meta").fetchone())
                await self._submit(lambda c: c.execute(DURABLE))
        except TimeoutError:
            reason = f"PostgreSQL did not answer within {_HEALTH_SECONDS:.0f} s"
            raise JournalUnavailable(reason) from None

    # intake -------------------------------------------------------------------------------------

    def append(self, delivery: Accepted) -> "asyncio.Future[None]":
        return self._appender.append(stream_of(delivery.connector), pack(delivery))

    async def unread(self, after: int, limit: int) -> list[IntakeRow]:
        again = self._handed_out.after(after, limit)
        if again and len(again) == limit:
            return again
        beside = self._handed_out.ids
        wanted, floor = limit - len(again), self._floor.of(self.streams)
        found = await self._read(
            lambda c: intake.oldest(c, self.streams, beside, wanted, floor=floor)
        )
        self._floor.found(found)
        return again + self._handed_out.add(found, limit - len(again))

    def _stored(self, size: int) -> None:
        self._unread_bytes += size
        self.arrived.set()

    @property
    def unread_bytes(self) -> int:
        return self._unread_bytes + self._appender.pending_bytes

    def bytes_to_come(self) -> int:
        return 0  # the journal is on another disk

    async def record(self, batch: Batch) -> Recorded:
        deliveries = self._handed_out.deliveries(batch.intake)

        def run(connection: Transaction) -> Recorded:
            foreseen = foresee(connection, self.ids, batch.readings)
            made = (connection, self.ids, self._outbox, self._hold_ms, self.informed, foreseen)
            recorded = Recorder(*made).record(batch)
            intake.remove(connection, deliveries)
            return recorded

        recorded = await self._announce(run)
        self._handed_out.done(batch.intake)
        size = sum(len(delivery.frame) for delivery in deliveries)
        self._unread_bytes = max(0, self._unread_bytes - size)
        return recorded

    # retention ----------------------------------------------------------------------------------

    async def shrink(self, spare: int) -> bool:
        del spare
        return False  # autovacuum makes the room of removed rows usable again

    async def scrub_free_pages(self) -> None:
        """Do nothing: what was removed stays in pages until VACUUM, and in the log and backups until those end."""

    # --------------------------------------------------------------------------------------------

    def _submit(self, operation: Callable[[Transaction], T]) -> "asyncio.Future[T]":
        return self._writer.submit(operation)

    def _announce(self, operation: Callable[[Transaction], R]) -> "asyncio.Future[R]":
        return self._writer.announce(operation)

    async def _read(self, query: Callable[[Transaction], T]) -> T:
        return await self._readers.run(query)


def _made_ready(database: Database) -> tuple[bytes, int]:
    """Bring the tables up to date; return the journal's key, and the bytes of deliveries that wait to be parsed."""
    connection = database.open(ADMINISTRATOR)
    try:
        schema.migrate(connection)
        row = connection.execute(
            b"SELECT coalesce(sum(octet_length(delivery)), 0)::bigint FROM intake"
        ).fetchone()
        return schema.key(connection), 0 if row is None else int(row[0])
    except psycopg.Error as exc:
        raise JournalUnusable(
            f"gateway.journal: cannot use {database}: {in_words(exc)}; start Airlock again"
        ) from exc
    finally:
        connection.close()


def _opened(database: Database, role: Role) -> Connection:
    return database.open(role)


def _ignore(reason: str) -> None:
    """Nobody has to know."""
