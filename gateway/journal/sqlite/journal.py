"""The journal's face: durable writes through one group-committing thread, reads beside it."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gateway.identifiers import Identifiers
from gateway.journal.errors import JournalUnavailable
from gateway.journal.frames import pack
from gateway.journal.operations import (
    agent_texts,
    attachments,
    conversations,
    failures,
    outbox,
    receipts,
    retention,
)
from gateway.journal.operations.recorder import Recorder
from gateway.journal.records import Accepted, AttachmentRow, Batch, Entry, Job, Outcome, Recorded

from . import schema
from .group_commit import GroupWriter, Rows
from .intake_cache import Fresh

T = TypeVar("T")


class Journal:
    """What was accepted, in one SQLite file. Made by `Journal.open`, used from one event loop.

    A write returns when it is on disk, or raises `JournalUnavailable` and has not happened.
    """

    def __init__(self, path: Path, hold_ms: int) -> None:
        self._hold_ms = hold_ms
        self._fresh = Fresh()
        #: Set whenever deliveries wait to be read.
        self.arrived = asyncio.Event()
        self._writer = GroupWriter(path, self._took_in)
        self._reading = schema.connect(str(path), read_only=True)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="journal-read")
        key = self._reading.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()[0]
        self.key: bytes = key
        #: Bytes of each intake row that has yet to be read, by the row's number.
        self._unread: dict[int, int] = dict(
            self._reading.execute("SELECT id, length(deliveries) FROM intake").fetchall()
        )
        self._newest: int = max(self._unread, default=-1)
        self._unread_bytes = sum(self._unread.values())
        self.ids = Identifiers(key)
        self._outbox = outbox.Outbox(self._reading)

    @classmethod
    async def open(cls, directory: Path, *, hold_seconds: float) -> "Journal":
        """Open or create `journal.db` in `directory`; raises JournalUnavailable where that cannot be done."""
        try:
            return cls(directory / "journal.db", round(hold_seconds * 1000))
        except sqlite3.Error as trouble:
            raise JournalUnavailable(f"{directory / 'journal.db'}: {trouble}") from trouble

    async def close(self) -> None:
        self._reader.shutdown()
        self._reading.close()
        await self._writer.close()

    async def watch(self) -> None:
        """Raise JournalUnavailable when the journal can no longer be written: the process must start anew."""
        raise JournalUnavailable(f"a sync failed: {await self._writer.broken}")

    # deliveries ---------------------------------------------------------------------------------

    def append(self, delivery: Accepted) -> "asyncio.Future[None]":
        """Keep a proven delivery; the future ends when it is on disk."""
        return self._writer.append(pack(delivery))

    async def unread(self, after: int, limit: int) -> Rows:
        """Intake rows after row `after`, in order of acceptance; what just came is still in memory."""
        if after >= self._newest:
            return []
        fresh = self._fresh.after(after, limit)
        if fresh is not None:
            return fresh
        return await self.read(
            lambda c: c.execute(
                "SELECT id, deliveries FROM intake WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
            ).fetchall()
        )

    def _took_in(self, rows: Rows) -> None:
        self._newest = rows[-1][0]
        for number, row in rows:
            self._unread[number] = len(row)
            self._unread_bytes += len(row)
        self._fresh.add(rows)
        self.arrived.set()

    @property
    def unread_bytes(self) -> int:
        """Bytes of deliveries that have yet to be read, those included that are just being accepted."""
        return self._unread_bytes + self._writer.coming_in

    def to_come(self) -> int:
        """Bytes of the disk that what is written already may still take."""
        return self._writer.to_come()

    async def record(self, batch: Batch) -> Recorded:
        """Take what was read from intake rows, and remove the rows."""
        recorded = await self._writer.submit(
            lambda c: Recorder(c, self.ids, self._outbox, self._hold_ms).record(batch)
        )
        for number in batch.intake:
            self._unread_bytes -= self._unread.pop(number, 0)
        return recorded

    # attachments --------------------------------------------------------------------------------

    async def pending(self, limit: int, after: int = -1) -> list[Job]:
        return await self.read(partial(attachments.pending, limit=limit, after=after))

    async def attachment(self, message: int, position: int) -> AttachmentRow | None:
        return await self.read(partial(attachments.load, message=message, position=position))

    async def find_attachment(self, id: str) -> AttachmentRow | None:
        return await self.read(partial(attachments.find, id=id))

    async def postpone(self, message: int, position: int, due: int, reason: str) -> None:
        await self._writer.submit(
            partial(
                attachments.postpone, message=message, position=position, due=due, reason=reason
            )
        )

    async def name_attachment(self, message: int, position: int, name: str) -> None:
        """A pending attachment's name, where only the look-up told it."""
        await self._writer.submit(
            partial(attachments.give_name, message=message, position=position, name=name)
        )

    async def finish(self, message: int, position: int, outcome: Outcome) -> Recorded | None:
        """End an attachment, and tell the core, in one transaction; None if it was not pending any more."""
        return await self._writer.submit(
            lambda c: attachments.finish(c, self.ids, self._outbox, message, position, outcome)
        )

    async def retry(self, message: int, position: int) -> Job | None:
        return await self._writer.submit(
            partial(attachments.retry, message=message, position=position)
        )

    async def settle(self, failure: str, reason: str | None) -> None:
        """A failed delivery was read again: wholly (None), or it still holds something unreadable."""
        await self._writer.submit(partial(failures.settle, id=failure, reason=reason))

    # forwarding ---------------------------------------------------------------------------------

    # Asked through the writer: its answers come in the order of its writes, and when they come, all they
    # tell is on disk. An event must not go out that a power cut could still take back.

    async def lanes(self) -> dict[int, int]:
        return await self._writer.submit(outbox.lanes)

    async def next_entries(self, conversation: int, after: int, limit: int) -> list[Entry]:
        return await self._writer.submit(
            partial(outbox.next_entries, conversation=conversation, after=after, limit=limit)
        )

    async def freeze(self, conversation: int, entry: int) -> Entry:
        """A held message waits no longer: its event goes out with its media as they are."""
        return await self._writer.submit(
            partial(attachments.freeze, conversation=conversation, entry=entry)
        )

    def taken(self, entries: Iterable[tuple[int, int]]) -> "asyncio.Future[None]":
        """The core took these events: (conversation, key)."""
        return self._writer.submit(partial(outbox.taken, entries=entries))

    async def backlog(self) -> int:
        return await self.read(outbox.size)

    async def answers(self) -> None:
        """Raise JournalUnavailable if the journal cannot be read, or not be written."""
        await self.read(lambda c: c.execute("SELECT 1 FROM meta").fetchone())
        await self._writer.submit(lambda _: None)

    # agents' texts ------------------------------------------------------------------------------

    async def situation(self, conversation: str) -> agent_texts.Situation | None:
        return await self.read(partial(agent_texts.situation, conversation=conversation))

    async def agent_text(self, id: str) -> dict[str, Any] | None:
        return await self.read(partial(agent_texts.find, id=id))

    async def message_origin(self, id: str) -> tuple[str, str, str, str] | None:
        """Connector, account, consumer and platform id of a consumer's message."""
        return await self.read(partial(conversations.origin, id=id))

    async def quotable(self, conversation: str, message: str) -> str | None:
        """The platform's id of a message of this conversation."""
        return await self.read(
            partial(conversations.quotable, conversation=conversation, id=message)
        )

    async def latest_message(self, conversation: str) -> tuple[str, str, str] | None:
        """Account, consumer and platform id of the consumer's latest message."""
        return await self.read(partial(conversations.latest, id=conversation))

    async def accept_text(self, new: agent_texts.NewText) -> bool:
        return await self._writer.submit(partial(agent_texts.accept, new=new))

    async def open_parts(self) -> list[agent_texts.Part]:
        return await self.read(agent_texts.open_parts)

    async def trying(self, text: int, position: int) -> bool:
        """A part is about to be given to the platform; False if it is settled already."""
        return await self._writer.submit(
            partial(agent_texts.trying, outgoing=text, position=position)
        )

    async def part_is_open(self, text: int, position: int) -> bool:
        """Whether nobody knows yet what became of a part."""
        return await self.read(partial(agent_texts.is_open, outgoing=text, position=position))

    async def postpone_part(self, text: int, position: int, due: int) -> None:
        await self._writer.submit(
            partial(agent_texts.postpone, outgoing=text, position=position, due=due)
        )

    async def opt_out(self, text: int) -> None:
        await self._writer.submit(partial(agent_texts.opt_out, outgoing=text))

    async def settle_part(
        self, text: int, position: int, state: str, **more: str | None
    ) -> Recorded:
        """A part reached a state; the event that tells the core is part of the same transaction."""
        return await self._writer.submit(
            lambda c: receipts.Progress(c, self.ids, self._outbox).settle(
                text, position, state, **more
            )
        )

    # conversations ------------------------------------------------------------------------------

    async def assign(self, conversation: str, agents: tuple[str, ...]) -> bool:
        return await self._writer.submit(
            partial(conversations.assign, id=conversation, agents=agents)
        )

    async def agents_of(self, conversation: str) -> tuple[str, ...] | None:
        return await self.read(partial(conversations.agents_of, id=conversation))

    async def message(self, id: str) -> dict[str, Any] | None:
        return await self.read(partial(conversations.message, id=id))

    async def messages(
        self, conversation: str, after: int, limit: int
    ) -> list[dict[str, Any]] | None:
        return await self.read(
            partial(conversations.messages, id=conversation, after=after, limit=limit)
        )

    async def record_view(self, **view: Any) -> None:
        await self._writer.submit(partial(conversations.record_view, **view))

    # what goes ----------------------------------------------------------------------------------

    async def expire_media(self, before: int) -> Recorded:
        """End ready media older than `before` (ms); call again while it returns any."""
        return await self._writer.submit(
            lambda c: retention.expire_media(c, self.ids, self._outbox, before)
        )

    async def expire_photos_beyond(self, message: int, keep: int) -> Recorded:
        """End the oldest photos of a message's conversation, as many as are more than `keep`."""
        return await self._writer.submit(
            lambda c: retention.expire_photos_beyond(c, self.ids, self._outbox, message, keep)
        )

    async def expire_words(self, words_before: int, memory_before: int) -> int:
        """Blank old messages and forget old facts; call again while it returns more than 0."""
        return await self._writer.submit(
            lambda c: retention.expire_words(c, words_before, memory_before)
        )

    async def erase(self, conversation: str) -> int | None:
        """Remove a conversation and return its lane; None if it is unknown. Its files are doomed."""

        def erase(connection: sqlite3.Connection) -> int | None:
            # Here, where no other commit can use it up.
            self._writer.wipe()
            return retention.erase(connection, conversation)

        return await self._writer.submit(erase)

    async def doomed(self) -> list[str]:
        """Attachments whose files must go; call again, after `swept`, while it returns any."""
        return await self.read(retention.doomed)

    async def swept(self, attachments: list[str]) -> None:
        """The files of these are gone."""
        await self._writer.submit(partial(retention.swept, attachments=attachments))

    async def shrink(self, spare: int) -> bool:
        """Give some of the free pages beyond `spare` bytes back to the disk; True while there are more."""

        def step(connection: sqlite3.Connection) -> bool:
            more = retention.shrink(connection, spare)
            if not more:
                # Files are cut when the log is brought into the database.
                self._writer.wipe()
            return more

        if not await self.read(partial(retention.has_spare, spare=spare)):
            return False
        return await self._writer.submit(step)

    async def scour(self) -> None:
        """What was removed or blanked leaves the files: with the pages that are free now, and from the log."""
        for _ in range(await self.read(retention.steps)):
            await self._writer.submit(partial(retention.shrink, spare=0))
        await self._writer.submit(lambda _: self._writer.wipe())

    # --------------------------------------------------------------------------------------------

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on the reading connection; all its statements see the journal at one moment."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reader, self._at_one_moment, query)
        except sqlite3.OperationalError as trouble:
            raise JournalUnavailable(str(trouble)) from trouble

    def _at_one_moment(self, query: Callable[[sqlite3.Connection], T]) -> T:
        self._reading.execute("BEGIN")
        try:
            return query(self._reading)
        finally:
            self._reading.execute("ROLLBACK")
