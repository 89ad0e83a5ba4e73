"""Delivered events: those that the core accepted and that are not yet marked in the journal."""

import asyncio
from collections import Counter
from functools import partial

from gateway.fault_points import fault_point
from gateway.journal import Journal, OutboxEntry

#: Seconds for which events that the core accepted are collected before they are marked in the journal.
_FLUSH_AFTER = 0.02
#: Seconds before marking is retried after the journal failed.
_FLUSH_AGAIN_AFTER = 1.0


class Delivered:
    """Collects what the core accepted, and marks it in few writes.

    After a crash before that is durable, these events are sent once more, with the same ids.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[tuple[int, int]] = []
        #: Not marked yet: a lane that is loaded now would see them again.
        self._unmarked: set[tuple[int, int]] = set()

    def __contains__(self, entry: OutboxEntry) -> bool:
        return (entry.conversation, entry.key) in self._unmarked

    def by_lane(self) -> Counter[int]:
        """Return the number of events that are not marked yet, by lane."""
        return Counter(conversation for conversation, _ in self._unmarked)

    def add(self, entry: OutboxEntry) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_later(_FLUSH_AFTER, self._flush_soon)
        self._waiting.append((entry.conversation, entry.key))
        self._unmarked.add((entry.conversation, entry.key))

    async def flush(self) -> None:
        """Mark the events, and wait until that is durable."""
        if self._waiting:
            keys, self._waiting = self._waiting, []
            await self._journal.mark_delivered(keys)
            self._unmarked.difference_update(keys)

    def _flush_soon(self) -> None:
        keys, self._waiting = self._waiting, []
        if keys:
            self._journal.mark_delivered(keys).add_done_callback(partial(self._on_flushed, keys))

    def _on_flushed(self, keys: list[tuple[int, int]], written: "asyncio.Future[None]") -> None:
        if not written.cancelled() and written.exception() is not None:
            self._waiting += keys
            asyncio.get_running_loop().call_later(_FLUSH_AGAIN_AFTER, self._flush_soon)
        else:
            fault_point("after-mark")
            self._unmarked.difference_update(keys)
