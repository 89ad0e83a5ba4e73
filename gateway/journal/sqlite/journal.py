"""The journal in one SQLite file: writes in group commits, reads on a separate connection."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gateway.events.messages import ReceivedMessage
from gateway.events.types import ConversationSummary
from gateway.identifiers import Identifiers
from gateway.journal.errors import JournalUnavailable
from gateway.journal.frames import pack, unpack
from gateway.journal.interface import Journal
from gateway.journal.operations import (
    agent_texts,
    attachments,
    conversations,
    files,
    outbox,
    receipts,
    retention,
)
from gateway.journal.operations.recorder import Recorder
from gateway.journal.records import (
    NO_CAUSE,
    Accepted,
    AgentText,
    AttachmentRow,
    Batch,
    Cause,
    IntakeRow,
    Job,
    OutboxEntry,
    Outcome,
    Part,
    Recipient,
    Recorded,
    Situation,
    Unnamed,
)
from gateway.observability.system_errors import folder_error

from . import free_pages, schema
from .failure_store import FailureStore
from .group_commit import GroupWriter, Rows
from .intake_cache import IntakeCache
from .opening import opening
from .report_store import ReportStore

T = TypeVar("T")


class SqliteJournal(FailureStore, ReportStore, Journal):
    """The journal of one process; `data_lock` makes sure that no other process uses the file."""

    def __init__(self, path: Path, hold_ms: int) -> None:
        self._hold_ms = hold_ms
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
        self._outbox = outbox.Outbox(self._read_connection)

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
            made = (connection, self.ids, self._outbox, self._hold_ms, self.informed)
            return Recorder(*made).record(batch)

        recorded = await self._writer.announce(run)
        for number in batch.intake:
            self._unread_bytes -= self._unread_sizes.pop(number, 0)
        return recorded

    # attachments --------------------------------------------------------------------------------

    async def pending(self, limit: int | None = None, after: int = -1) -> list[Job]:
        return await self._read(partial(attachments.pending, limit=limit, after=after))

    async def attachment(self, message: int, position: int) -> AttachmentRow | None:
        return await self._read(partial(attachments.load, message=message, position=position))

    async def find_attachment(self, id: str) -> AttachmentRow | None:
        return await self._read(partial(attachments.find, id=id))

    async def postpone(self, message: int, position: int, due: int, reason: str) -> None:
        await self._writer.submit(
            partial(
                attachments.postpone, message=message, position=position, due=due, reason=reason
            )
        )

    async def name_attachment(self, message: int, position: int, name: str) -> None:
        await self._writer.submit(
            partial(attachments.give_name, message=message, position=position, name=name)
        )

    async def finish(self, message: int, position: int, outcome: Outcome) -> bool:
        finished = await self._writer.announce(
            lambda c: attachments.finish(
                c, self.ids, self._outbox, message, position, outcome, self.informed
            )
        )
        return finished is not None

    async def retry(self, message: int, position: int) -> bool:
        retried = await self._writer.announce(
            partial(attachments.retry, message=message, position=position)
        )
        return retried is not None

    # outbox -------------------------------------------------------------------------------------

    # These reads go through the writer: their results are in the order of its writes, and durable.

    async def lanes(self) -> dict[int, int]:
        return await self._writer.submit(outbox.lanes)

    async def next_entries(self, lane: int, after: int, limit: int) -> list[OutboxEntry]:
        return await self._writer.submit(
            partial(outbox.next_entries, lane=lane, after=after, limit=limit)
        )

    async def freeze(self, lane: int, entry: int) -> OutboxEntry:
        return await self._writer.submit(partial(attachments.freeze, lane=lane, entry=entry))

    def mark_delivered(self, entries: Iterable[tuple[int, int]]) -> "asyncio.Future[None]":
        return self._writer.submit(partial(outbox.mark_delivered, entries=entries))

    async def backlog(self) -> int:
        return await self._read(outbox.size)

    async def backlog_of_connectors(self) -> dict[str, int]:
        return await self._read(outbox.size_of_connectors)

    async def oldest_event_at(self) -> int | None:
        return await self._read(outbox.oldest_event_at)

    # agents' texts ------------------------------------------------------------------------------

    async def situation(self, conversation: str) -> Situation | None:
        return await self._read(partial(agent_texts.situation, conversation=conversation))

    async def agent_text(self, id: str) -> dict[str, Any] | None:
        return await self._read(partial(agent_texts.find, id=id))

    async def accept_text(self, new: AgentText) -> bool:
        recorded = await self._writer.announce(partial(agent_texts.accept, new=new))
        return recorded.new_parts

    async def open_parts(self) -> list[Part]:
        return await self._read(agent_texts.open_parts)

    async def trying(self, text: int, position: int) -> Recipient | None:
        return await self._writer.submit(
            partial(agent_texts.trying, outgoing=text, position=position)
        )

    async def part_is_open(self, text: int, position: int) -> bool:
        return await self._read(partial(agent_texts.is_open, outgoing=text, position=position))

    async def postpone_part(self, text: int, position: int, due: int) -> None:
        await self._writer.submit(
            partial(agent_texts.postpone, outgoing=text, position=position, due=due)
        )

    async def settle_part(
        self,
        text: int,
        position: int,
        state: str,
        *,
        platform_id: str | None = None,
        cause: Cause = NO_CAUSE,
    ) -> None:
        await self._writer.announce(
            lambda c: receipts.ReceiptTracker(c, self.ids, self._outbox).settle(
                text, position, state, platform_id=platform_id, cause=cause
            )
        )

    # conversations ------------------------------------------------------------------------------

    async def assign(self, conversation: str, agents: tuple[str, ...]) -> bool:
        return await self._writer.submit(
            partial(conversations.assign, id=conversation, agents=agents)
        )

    async def agents_of(self, conversation: str) -> tuple[str, ...] | None:
        return await self._read(partial(conversations.agents_of, id=conversation))

    async def conversation(self, id: str) -> ConversationSummary | None:
        return await self._read(partial(conversations.find, id=id))

    async def conversations(
        self,
        *,
        connector: str | None = None,
        consumer: str | None = None,
        before: str | None = None,
        limit: int,
    ) -> list[ConversationSummary]:
        return await self._read(
            partial(
                conversations.listed,
                connector=connector,
                consumer=consumer,
                before=before,
                limit=limit,
            )
        )

    async def unnamed(self, connector: str, limit: int) -> list[Unnamed]:
        return await self._read(partial(conversations.unnamed, connector=connector, limit=limit))

    async def name_consumer(self, conversation: str, name: str | None) -> bool:
        recorded = await self._writer.announce(
            lambda c: conversations.name_consumer(c, self.ids, self._outbox, conversation, name)
        )
        return bool(recorded.entries)

    async def message(self, id: str) -> dict[str, Any] | None:
        return await self._read(partial(conversations.message, id=id))

    async def messages(
        self, conversation: str, after: int, limit: int
    ) -> list[ReceivedMessage] | None:
        return await self._read(
            partial(conversations.messages, id=conversation, after=after, limit=limit)
        )

    async def message_origin(self, id: str) -> tuple[str, str, str, str] | None:
        return await self._read(partial(conversations.origin, id=id))

    async def quotable(self, conversation: str, message: str) -> str | None:
        return await self._read(
            partial(conversations.quotable, conversation=conversation, id=message)
        )

    async def latest_message(self, conversation: str) -> tuple[str, str, str] | None:
        return await self._read(partial(conversations.latest, id=conversation))

    async def record_view(
        self,
        *,
        at: int,
        agent: str,
        attachment: str,
        rendition: str,
        conversation: str,
        part: str | None,
    ) -> None:
        await self._writer.submit(
            partial(
                conversations.record_view,
                at=at,
                agent=agent,
                attachment=attachment,
                rendition=rendition,
                conversation=conversation,
                part=part,
            )
        )

    # retention ----------------------------------------------------------------------------------

    async def expire_media(self, before: int) -> int:
        expired = await self._writer.announce(
            lambda c: retention.expire_media(c, self.ids, self._outbox, before)
        )
        return len(expired.entries)

    async def expire_photos_beyond(self, message: int, keep: int) -> None:
        await self._writer.announce(
            lambda c: retention.expire_photos_beyond(c, self.ids, self._outbox, message, keep)
        )

    async def expire_texts(self, texts_before: int, memory_before: int) -> int:
        return await self._writer.submit(
            lambda c: retention.expire_texts(c, texts_before, memory_before)
        )

    async def erase(self, conversation: str) -> bool:
        def erase(connection: sqlite3.Connection) -> Recorded | None:
            # Inside the transaction, so that no earlier commit fulfils it.
            self._writer.scrub()
            return retention.erase(connection, conversation, self.informed)

        return await self._writer.announce(erase) is not None

    async def files_to_delete(self) -> list[str]:
        return await self._read(files.files_to_delete)

    async def files_deleted(self, attachments: list[str]) -> None:
        await self._writer.submit(partial(files.files_deleted, attachments=attachments))

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
