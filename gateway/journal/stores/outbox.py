"""The outbox, in any engine."""

import asyncio
from collections.abc import Iterable
from functools import partial

from gateway.journal.interface import OutboxJournal
from gateway.journal.operations import attachments, outbox
from gateway.journal.records import OutboxEntry

from .store import Store


class OutboxStore(Store, OutboxJournal):
    """The part of the journal that keeps events for the core."""

    # These reads go through the writer: their results are in the order of its writes, and durable.

    async def next_entries(self, lane: int, after: int, limit: int) -> list[OutboxEntry]:
        return await self._submit(partial(outbox.next_entries, lane=lane, after=after, limit=limit))

    async def freeze(self, lane: int, entry: int) -> OutboxEntry:
        return await self._submit(partial(attachments.freeze, lane=lane, entry=entry))

    def mark_delivered(self, entries: Iterable[tuple[int, int]]) -> "asyncio.Future[None]":
        return self._submit(partial(outbox.mark_delivered, entries=tuple(entries)))

    async def backlog(self) -> int:
        return await self._read(outbox.size)

    async def backlog_of_connectors(self) -> dict[str, int]:
        return await self._read(outbox.size_of_connectors)

    async def oldest_event_at(self) -> int | None:
        return await self._read(outbox.oldest_event_at)
