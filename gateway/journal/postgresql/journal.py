"""The journal in PostgreSQL: one session writes, one accepts deliveries, one wakes other nodes, a few read."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeVar

import psycopg

from gateway.identifiers import Identifiers
from gateway.journal.errors import JournalUnavailable, JournalUnusable
from gateway.journal.frames import pack
from gateway.journal.operations import attachments
from gateway.journal.operations.recorder import Recorder
from gateway.journal.operations.transaction import Transaction
from gateway.journal.ownership import shard_of, shard_of_connector, shard_of_message
from gateway.journal.records import Accepted, Batch, IntakeRow, OutboxEntry, Recorded
from gateway.journal.stores.journal import StoredJournal
from gateway.observability.metrics import WAKES

from . import intake, nodes, schema
from .appender import Appender
from .between_nodes import BetweenNodes
from .database_outbox import DatabaseOutbox
from .fenced import FencedStore
from .foresight import foresee
from .intake import Floor, HandedOut, IntakeShards
from .locks import Locks, NotOwner
from .nodes import NodeReport
from .outcomes import in_words
from .readers import Readers
from .session import ADMINISTRATOR, APPENDER, READER, WAKER, WRITER, Database
from .shared_ownership import SharedOwnership
from .wakes import Wake, Wakes
from .writer import DURABLE, Writer

T = TypeVar("T")
R = TypeVar("R", bound=Recorded | None)

#: Seconds that the database may take to show that it works.
_HEALTH_SECONDS = 2.0
_NOTHING = Recorded()
#: Seconds between two looks whether deliveries are parsed.
_PAUSE = 0.1
#: Seconds between two looks for deliveries that were not announced.
_LOOK_EVERY = 1.0
#: Seconds that a predecessor may take to end: as long as for the data folder.
_PREDECESSOR_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is known of a database whose tables are up to date."""

    key: bytes
    unread_bytes: int
    #: This node's number, and the name of the channel for wakes.
    node: int
    channel: str


class PostgresqlJournal(BetweenNodes, FencedStore, StoredJournal):
    """The journal of one node; it reads the streams and forwards the lanes of the shards that it owns."""

    def __init__(self, database: Database, ready: _Ready, hold_ms: int) -> None:
        self._database = database
        self.hold_ms = hold_ms
        self.key = ready.key
        self.ids = Identifiers(ready.key)
        self.arrived = asyncio.Event()
        self._outbox = DatabaseOutbox()
        self._handed_out = HandedOut()
        self._floor = Floor()
        self._unread_bytes = ready.unread_bytes
        self._readers = Readers(partial(database.connect, READER))
        self._appender = Appender(partial(database.connect, APPENDER), self._stored)
        self._writer = Writer(
            partial(database.connect, WRITER),
            on_lost=self._lost,
            on_found=self.arrived.set,
            on_idle=self.arrived.set,
        )
        self._locks = Locks()
        self.ownership: SharedOwnership = SharedOwnership(
            ready.node, self._locks, lambda: self._writer.answered_from
        )
        self.ownership.workers.append(IntakeShards(self._handed_out, self.arrived))
        self._wakes = Wakes(database, ready.node, self._received)
        self._report = NodeReport(ready.node, self.ownership, self._wakes.notifier.say)
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls, url: str, *, hold_seconds: float, node: str = "", version: str = ""
    ) -> "PostgresqlJournal":
        """Open the journal and bring its tables up to date; raises JournalUnusable if that cannot be done."""
        database = Database(url, node)
        ready = await asyncio.to_thread(_made_ready, database, version)
        journal = cls(database, ready, round(hold_seconds * 1000))
        try:
            for role, start in (
                (WRITER, journal._writer.start),
                (APPENDER, journal._appender.start),
                (WAKER, partial(journal._wakes.start, channel=ready.channel)),
            ):
                start(await asyncio.to_thread(database.open, role))
            journal._writer.subscribers.append(journal._tell)
            first = journal._writer.submit_first
            if not await journal.ownership.begin(first, _PREDECESSOR_SECONDS):
                raise JournalUnusable(
                    f"gateway.node: another node is called {node!r}; give each node a name of its own, or end the other"
                )
        except BaseException:
            await journal.close()
            raise
        return journal

    def _lost(self, reason: str) -> None:
        del reason  # it is logged
        self.ownership.session_lost()

    async def close(self) -> None:
        await self._appender.close()
        await self._wakes.close()
        await self._writer.close()
        await asyncio.to_thread(self._readers.close)

    async def watch(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.ownership.run())
            group.create_task(self._report.run(self._read))
            group.create_task(self._look_at_intake())
            raise await self._writer.broken

    async def _look_at_intake(self) -> NoReturn:
        """Let the streams be read from time to time: a wake may have been lost."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            self.arrived.set()

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
        stream = shard_of_connector(delivery.connector)
        stored = self._appender.append(stream, pack(delivery))
        if not self.ownership.owns(stream):
            stored.add_done_callback(partial(self._tell_of_stream, stream))
        return stored

    def _tell_of_stream(self, stream: int, stored: "asyncio.Future[None]") -> None:
        if not stored.cancelled() and stored.exception() is None:
            self._wakes.collect().streams.add(stream)

    async def unread(self, after: int, limit: int) -> list[IntakeRow]:
        again = self._handed_out.after(after, limit)
        streams = sorted(self.ownership.shards)
        if len(again) == limit or not streams:
            return again
        beside = self._handed_out.ids
        wanted, floor = limit - len(again), self._floor.of(streams)
        found = await self._read(lambda c: intake.oldest(c, streams, beside, wanted, floor=floor))
        found = [delivery for delivery in found if self.ownership.owns(delivery.stream)]
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
        if self._handed_out.are_spoilt(batch.intake):
            raise NotOwner("another node reads a part of these deliveries by now")
        deliveries = self._handed_out.deliveries(batch.intake)
        streams = {delivery.stream for delivery in deliveries}

        def run(connection: Transaction) -> Recorded:
            self._locks.require(connection, *streams)
            foreseen = foresee(connection, self.ids, batch.readings)
            made = (connection, self.ids, self._outbox, self.hold_ms, self.informed, foreseen)
            recorded = Recorder(*made).record(batch)
            intake.remove(connection, deliveries)
            return recorded

        try:
            recorded = await self._announce(run)
        except NotOwner:
            # The parse worker must not come back with them again and again.
            self._handed_out.forget(streams - self.ownership.shards)
            raise
        self._handed_out.done(batch.intake)
        size = sum(len(delivery.frame) for delivery in deliveries)
        self._unread_bytes = max(0, self._unread_bytes - size)
        return recorded

    # other nodes --------------------------------------------------------------------------------

    def _tell(self, recorded: Recorded) -> None:
        """Tell other nodes what was recorded for their shards."""
        theirs = Recorded(
            entries=tuple(
                e for e in recorded.entries if not self.ownership.owns(shard_of(e.conversation))
            ),
            jobs=tuple(
                j for j in recorded.jobs if not self.ownership.owns(shard_of_message(j.message))
            ),
            new_parts=recorded.new_parts,
            new_reports=recorded.new_reports,
            erased=recorded.erased,
            retried=recorded.retried,
        )
        if theirs != _NOTHING and self.ownership.nodes > 1:
            self._wakes.collect().add(theirs)

    def _received(self, wake: Wake | None) -> None:
        """Take up what another node recorded for shards of this one; None says that wakes may have been missed."""
        WAKES.labels("received").inc()
        if wake is None:
            self._task(self.ownership.gained(self.ownership.shards))
            return
        if any(self.ownership.owns(stream) for stream in wake.streams):
            self.arrived.set()
        lanes = (lane for lane in wake.lanes if self.ownership.owns(shard_of(lane)))
        self._writer.announce_received(
            Recorded(
                entries=tuple(OutboxEntry(0, lane, "", None, None) for lane in lanes),
                erased=tuple(wake.erased),
                retried=tuple(wake.retried),
                new_parts=wake.texts,
                new_reports=wake.reports,
            )
        )
        messages = [m for m in wake.messages if self.ownership.owns(shard_of_message(m))]
        if messages:
            self._task(self._take_up(messages))

    async def _take_up(self, messages: list[int]) -> None:
        jobs = await self._read(partial(attachments.jobs_of, messages=messages))
        self._writer.announce_received(Recorded(jobs=tuple(jobs)))

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that looking will do later if it fails now."""
        task = asyncio.create_task(_without_fail(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # retention ----------------------------------------------------------------------------------

    async def intake_parsed(self) -> None:
        (newest,) = await self._read(
            lambda c: c.execute("SELECT coalesce(max(id), 0) FROM intake").fetchone()
        )

        def is_unparsed(connection: Transaction) -> bool:
            unparsed = "SELECT 1 FROM intake WHERE id <= ? LIMIT 1"
            return connection.execute(unparsed, (newest,)).fetchone() is not None

        while await self._read(is_unparsed):  # noqa: ASYNC110 - rare
            await asyncio.sleep(_PAUSE)

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


def _made_ready(database: Database, version: str) -> _Ready:
    """Bring the tables up to date, and give the node its number."""
    connection = database.open(ADMINISTRATOR)
    try:
        schema.migrate(connection)
        row = connection.execute(
            b"SELECT coalesce(sum(octet_length(delivery)), 0)::bigint, "
            b"('meta'::regclass)::oid::bigint FROM intake"
        ).fetchone()
        assert row is not None
        number = nodes.register(connection, database.node, version)
        return _Ready(schema.key(connection), int(row[0]), number, f"airlock_{row[1]}")
    except psycopg.Error as exc:
        raise JournalUnusable(
            f"gateway.journal: cannot use {database}: {in_words(exc)}; start Airlock again"
        ) from exc
    finally:
        connection.close()


async def _without_fail(work: Coroutine[Any, Any, None]) -> None:
    with suppress(JournalUnavailable):
        await work
