"""The outbox, in any engine."""

import asyncio
from collections.abc import Iterable
from functools import partial
from threading import Lock

from gateway.journal.interface import OutboxJournal
from gateway.journal.operations import attachments, outbox
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import OutboxEntry

from .store import Store


class _Marks:
    """Events to remove with one operation: all that the core takes until the writer begins."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: list[tuple[int, int]] = []
        self._is_open = True

    def add(self, entries: Iterable[tuple[int, int]]) -> bool:
        """Add events; False if the writer has begun."""
        with self._lock:
            if self._is_open:
                self._entries.extend(entries)
            return self._is_open

    def remove(self, connection: Transaction) -> None:
        """Remove the events. It may run again, with the same ones."""
        with self._lock:
            self._is_open = False
        outbox.mark_delivered(connection, self._entries)


class OutboxStore(Store, OutboxJournal):
    """The part of the journal that keeps events for the core."""

    _marks: tuple[_Marks, "asyncio.Future[None]"] | None = None

    # These reads go through the writer: their results are in the order of its writes, and durable.

    async def next_entries(self, lane: int, after: int, limit: int) -> list[OutboxEntry]:
        return await self._submit(partial(outbox.next_entries, lane=lane, after=after, limit=limit))

    async def freeze(self, lane: int, entry: int) -> OutboxEntry:
        return await self._submit(partial(attachments.freeze, lane=lane, entry=entry))

    def mark_delivered(self, entries: Iterable[tuple[int, int]]) -> "asyncio.Future[None]":
        taken = tuple(entries)
        # An operation that failed before it began, because the journal was locked, takes no more.
        if self._marks is None or self._marks[1].done() or not self._marks[0].add(taken):
            marks = _Marks()
            marks.add(taken)
            self._marks = marks, self._submit(marks.remove)
        # A caller that is cancelled must not cancel the others.
        return asyncio.shield(self._marks[1])

    async def backlog(self) -> int:
        return await self._read(outbox.size)

    async def backlog_of_connectors(self) -> dict[str, int]:
        return await self._read(outbox.size_of_connectors)

    async def oldest_event_at(self) -> int | None:
        return await self._read(outbox.oldest_event_at)
