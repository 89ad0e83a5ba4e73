"""Lanes of a node that shares the journal with others: only those of the shards that it owns.

What another node recorded for a lane may have been committed before what this node recorded. A new event therefore
only says that the lane must be read, and the journal says in which order.

Two nodes may forward the same lane for a moment, when one has lost its shards without knowing it yet. Each sends an
event only after the core took the one before it, so the core still sees the first arrivals in order, and repeats
under their known ids.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any

import structlog

from gateway.intake_priority import IntakePriority
from gateway.journal import (
    Journal,
    JournalUnavailable,
    OutboxEntry,
    Recorded,
    Shards,
    shard_of,
)

from .answers import Answer
from .batches import Batch, Share
from .core_client import CoreClient
from .lane import Lane
from .lanes import Lanes

log = structlog.get_logger(__name__)

#: Seconds after which a lane's events are read again before one is sent: a conversation may have been erased by
#: another node.
_STALE_AFTER = 1.0
#: Seconds before the next look at whether the shards are still ours, or a lane of another node is empty.
_LOOK_AGAIN_AFTER = 0.1
#: Seconds that POSTs in flight may take when a shard is handed over.
_GRACE_SECONDS = 3.0


class SharedLanes(Lanes):
    """Forwards the events of the shards that `journal.ownership` has."""

    def __init__(
        self,
        journal: Journal,
        core: CoreClient,
        *,
        workers: int,
        priority: IntakePriority,
        batch: int = 1,
    ) -> None:
        super().__init__(journal, core, workers=workers, priority=priority, batch=batch)
        self._ownership = journal.ownership
        #: Shards that are being given up, and the lanes of each shard that are being served.
        self._released: set[int] = set()
        self._serving: Counter[int] = Counter()
        self._notes: set[asyncio.Task[None]] = set()
        #: Every event up to this key was seen when the journal was last looked at.
        self._seen = self._looked = 0

    @property
    def waiting(self) -> int:
        """The number of events that the core has yet to accept, on all nodes.

        All of them are counted now and then; those that this node has loaded are known at once.
        """
        return max(self._waiting, self._ownership.waiting or 0)

    async def pick_up(self, shards: Shards | None = None) -> None:
        """Take up the lanes of these shards; None means all that are owned."""
        wanted = self._ownership.shards if shards is None else shards
        if not wanted:
            return
        for lane in await self._journal.lanes(wanted):
            self.look(lane)

    async def look_for_news(self) -> None:
        """Take up lanes whose announcement was lost. Events that were seen before are not read again."""
        found = await self._journal.newest_in_lanes(self._ownership.shards, self._seen)
        for conversation, newest in found.items():
            lane = self._lanes.get(conversation)
            if lane is None or lane.last < newest:
                self.look(conversation)
        # Transactions end in another order than their keys: the next look begins where this one did.
        self._seen, self._looked = self._looked, max(found.values(), default=self._looked)

    def look(self, conversation: int) -> None:
        """Read a lane again: it has events that are not in memory."""
        if not self._ownership.owns(shard_of(conversation)):
            return
        lane = self._lanes.get(conversation)
        if lane is None:
            self._open(conversation, more=True)
        else:
            lane.more = True

    def recorded(self, recorded: Recorded) -> None:
        super().recorded(recorded)
        if recorded.retried:
            # An operator, perhaps at another node, knows that the core accepts events again.
            self.resume()

    def drop(self, shards: Shards) -> None:
        for conversation in [key for key in self._lanes if shard_of(key) in shards]:
            self._lanes[conversation].dropped = True
            self._forget(conversation)

    async def release(self, shards: Shards) -> None:
        self._released |= shards
        try:
            await self._finish(shards)
        finally:
            self.drop(shards)
            self._released -= shards

    async def _finish(self, shards: Shards) -> None:
        """Wait for POSTs in flight, and mark what the core took."""
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                while any(self._serving[s] for s in shards):  # noqa: ASYNC110 - once in a hand-over
                    await asyncio.sleep(0.01)
        except TimeoutError:
            log.warning("hand_over_cut_short", shards=sorted(s for s in shards if self._serving[s]))
        try:
            await self.flush()
        except JournalUnavailable as exc:
            log.warning("hand_over_without_marks", error=str(exc))

    def _add(self, entry: OutboxEntry) -> None:
        self.look(entry.conversation)

    def _keep(self, lane: Lane, entries: Iterable[OutboxEntry]) -> None:
        before = len(lane.entries)
        super()._keep(lane, entries)
        lane.waiting += len(lane.entries) - before
        self._waiting += len(lane.entries) - before

    async def _serve(self, lane: Lane) -> None:
        shard = shard_of(lane.conversation)
        if lane.forgotten or shard in self._released:
            return
        if not self._ownership.still():
            self._sleep(lane, _LOOK_AGAIN_AFTER)
            return
        if lane.entries and _is_stale(lane):
            self._read_again(lane)
        self._serving[shard] += 1
        try:
            await super()._serve(lane)
        finally:
            self._serving[shard] -= 1

    async def _load(self, lane: Lane) -> None:
        read_at = asyncio.get_running_loop().time()
        # Two transactions may end in another order than their keys, so the lane is read from its beginning.
        lane.last = 0
        await super()._load(lane)
        lane.read_at = read_at
        if lane.more and not lane.entries:
            # All that was read is with the core already. Once it is marked, the next read finds what comes after it.
            await self.flush()

    def _read_again(self, lane: Lane) -> None:
        """Let the lane's events be read from the journal once more, beginning with its head."""
        self._bytes -= sum(len(entry.body or b"") for entry in lane.entries)
        self._waiting -= len(lane.entries)
        lane.waiting -= len(lane.entries)
        lane.entries.clear()
        lane.more = True

    async def _must_follow(self, lane: Lane, behind: int) -> bool:
        """The same, though another node may own lane `behind`."""
        if not await self._journal.lane_has_events(behind):
            return False
        self.look(behind)
        self._sleep(lane, _LOOK_AGAIN_AFTER)
        return True

    async def _forward(self, lane: Lane) -> None:
        if not self._ownership.still():
            self._circuit.release_probe()
            self._sleep(lane, _LOOK_AGAIN_AFTER)
            return
        await super()._forward(lane)

    def _may_join(self, lane: Lane) -> bool:
        is_ours = shard_of(lane.conversation) not in self._released
        return is_ours and not _is_stale(lane) and super()._may_join(lane)

    async def _post(self, batch: Batch) -> Answer:
        shards = [shard_of(share.lane.conversation) for share in batch.shares]
        self._serving.update(shards)
        try:
            return await super()._post(batch)
        finally:
            self._serving.subtract(shards)

    def _note_refusal(self, lane: Lane, head: OutboxEntry) -> None:
        noting = self._journal.note_refusal(head.key, lane.attempts, lane.refused_at)
        task = asyncio.create_task(_unless_unavailable(noting))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)

    def _record_taken(self, share: Share) -> None:
        if share.lane.dropped:
            # The next owner need not send them again.
            for entry in share.entries:
                self._delivered.add(entry)
        super()._record_taken(share)


def _is_stale(lane: Lane) -> bool:
    return asyncio.get_running_loop().time() - lane.read_at > _STALE_AFTER


async def _unless_unavailable(noting: Coroutine[Any, Any, None]) -> None:
    """Note what only makes a list more complete."""
    with suppress(JournalUnavailable):
        await noting
