"""Lanes: one for each conversation. Its events go to the core in order, and lanes never wait for each other.

A lane keeps only the next few events in memory. The others stay in the journal until their turn comes, so that a
core that is down for hours costs disk space and not memory.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from gateway.backoff import delay
from gateway.fault_points import fault_point
from gateway.intake_priority import IntakePriority
from gateway.journal import (
    NO_CONVERSATION,
    Journal,
    JournalUnavailable,
    OutboxEntry,
    Recorded,
    Shards,
)
from gateway.observability.metrics import BACKLOG, EVENTS
from gateway.timestamps import now_ms

from .answers import Answer
from .batches import Batch, Share, may_join
from .core_client import CoreClient
from .delivered import Delivered
from .event_log import log_refused, log_taken
from .lane import Lane
from .parking import Parking

log = structlog.get_logger(__name__)

#: Events of one lane that are kept in memory.
_MAX_ENTRIES = 32
#: Bytes of events of all lanes that are kept in memory; further events are read from the journal when needed.
_MAX_BYTES = 32 * 1024 * 1024
#: Seconds before a lane tries a refused event again, doubling up to the ceiling.
_RETRY = {"base": 0.5, "ceiling": 60.0}
#: Minimum seconds before it tries again, regardless of Retry-After.
_MIN_PAUSE = 0.1
#: Seconds for which one POST blocks the event loop, approximately.
_SECONDS_PER_POST = 0.0001
#: The same for each further event of a batch.
_SECONDS_PER_EVENT = 0.00001


class Lanes:
    """Forwards the events of the outbox, with at most `workers` POSTs in flight."""

    def __init__(
        self,
        journal: Journal,
        core: CoreClient,
        *,
        workers: int,
        priority: IntakePriority,
        batch: int = 1,
    ) -> None:
        self._journal = journal
        self._core = core
        self._workers = workers
        #: Events in one POST, at most.
        self._batch = batch
        self._priority = priority
        self._lanes: dict[int, Lane] = {}
        #: Lanes whose head waits until another lane has no events, by that lane.
        self._followers: dict[int, list[Lane]] = {}
        self._ready: asyncio.Queue[Lane] = asyncio.Queue()
        self._bytes = 0
        self._waiting = 0
        self._delivered = Delivered(journal)
        self._parking = Parking(self._ready)
        self._circuit = self._parking.circuit
        self._started = False
        self._draining = False
        BACKLOG.set_function(lambda: len(self._lanes))
        self.forwarded = 0
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def core_state(self) -> str:
        """The state of the core: ok, down (being probed) or gone (it answered 410)."""
        return self._circuit.state

    @property
    def waiting(self) -> int:
        """The number of events that the core has yet to accept."""
        return self._waiting

    def refused(self) -> list[dict[str, Any]]:
        """Return the events that the core has refused and not accepted since, at most one for each lane."""
        return [
            lane.refusal(self.core_state)
            for lane in self._lanes.values()
            if lane.attempts and lane.entries
        ]

    def retry(self, event_id: str) -> bool:
        """Try a refused event now, even if the core was gone; False if there is no such event."""
        for lane in self._lanes.values():
            if lane.attempts and lane.entries and lane.entries[0].event_id == event_id:
                self.resume()
                if lane.timer is not None:
                    self._wake(lane)
                return True
        return False

    def resume(self) -> None:
        """Forward events again after the core answered 410."""
        self._circuit.resume()

    def recorded(self, recorded: Recorded) -> None:
        """Take up the events that a transaction put into the outbox, and drop those of erased conversations."""
        for entry in recorded.entries:
            self._add(entry)
        for entry in recorded.frozen:
            self._thaw(entry)
        for conversation in recorded.erased:
            self._forget(conversation)
        for event_id in recorded.retried:
            self.retry(event_id)
        if recorded.withdrawn:
            self._reload(NO_CONVERSATION, len(recorded.withdrawn))

    def _reload(self, conversation: int, withdrawn: int) -> None:
        """Read a lane again from the journal, where some of its waiting events were removed."""
        lane = self._lanes.get(conversation)
        if lane is None:
            return
        waiting = lane.waiting - withdrawn
        self._forget(conversation)
        if waiting > 0:
            fresh = self._open(conversation, more=True)
            fresh.waiting = waiting
            self._waiting += waiting

    def _forget(self, conversation: int) -> None:
        """Drop the lane of a conversation that was erased."""
        lane = self._lanes.get(conversation)
        self._parking.forget(conversation)
        if lane is not None:
            self._close(lane)
            self._waiting -= lane.waiting
            self._bytes -= sum(len(entry.body or b"") for entry in lane.entries)
            lane.entries.clear()
            lane.more, lane.forgotten = False, True

    async def run(self) -> None:
        """Forward events until cancelled, starting with those that an earlier run left."""
        await self.pick_up()
        self._started = True
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def pick_up(self, shards: Shards | None = None) -> None:
        """Take up conversations that have events in the journal and no lane here."""
        found = await self._journal.lanes(shards)
        taken = self._delivered.by_lane()
        for conversation, waiting in found.items():
            lane = self._lanes.get(conversation)
            if self._started and (lane is not None or waiting == taken[conversation]):
                continue
            if lane is None:
                lane = self._open(conversation, more=True)
            self._waiting += waiting - taken[conversation] - lane.waiting
            lane.waiting = waiting - taken[conversation]

    def drop(self, shards: Shards) -> None:
        """Forget the lanes of these shards; only `SharedLanes` ever loses any."""

    async def release(self, shards: Shards) -> None:
        """The same, and return once POSTs in flight have ended."""

    async def stop(self, grace: float) -> None:
        """Start no more POSTs, and wait at most `grace` seconds for those in flight."""
        self._draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), grace)
        except TimeoutError:
            log.warning("forwarding_cut_short", in_flight=self._in_flight)

    async def flush(self) -> None:
        """Mark the events that the core has accepted, and wait until that is durable."""
        await self._delivered.flush()

    def _add(self, entry: OutboxEntry) -> None:
        lane = self._lanes.get(entry.conversation)
        if lane is None:
            # Until all lanes are known, the journal may hold older events of an earlier run.
            lane = self._open(entry.conversation, more=not self._started)
        lane.waiting += 1
        self._waiting += 1
        size = len(entry.body or b"")
        if (
            lane.more
            or lane.loading
            or len(lane.entries) >= _MAX_ENTRIES
            or self._bytes + size > _MAX_BYTES
        ):
            lane.more = True
            return
        self._keep(lane, (entry,))

    def _open(self, conversation: int, *, more: bool) -> Lane:
        lane = self._lanes[conversation] = Lane(conversation, more=more)
        self._ready.put_nowait(lane)
        return lane

    def _keep(self, lane: Lane, entries: Iterable[OutboxEntry]) -> None:
        for entry in entries:
            lane.entries.append(entry)
            lane.last = entry.key
            self._bytes += len(entry.body or b"")

    def _thaw(self, frozen: OutboxEntry) -> None:
        lane = self._lanes.get(frozen.conversation)
        for entry in lane.entries if lane else ():
            if entry.key == frozen.key and entry.held:
                self._freeze(entry, frozen)
        if lane and lane.timer and lane.entries and not lane.entries[0].held and not lane.attempts:
            self._wake(lane)

    def _freeze(self, entry: OutboxEntry, frozen: OutboxEntry) -> None:
        if entry.held:
            entry.body, entry.hold_until = frozen.body, None
            self._bytes += len(entry.body or b"")

    def _wake(self, lane: Lane) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        self._ready.put_nowait(lane)

    def _sleep(self, lane: Lane, seconds: float) -> None:
        lane.timer = asyncio.get_running_loop().call_later(seconds, self._wake, lane)

    async def _work(self) -> None:
        while True:
            lane = await self._ready.get()
            if self._draining:
                return
            self._enter()
            try:
                await self._serve(lane)
            except JournalUnavailable as exc:
                log.error("forwarding_delayed", error=str(exc))
                self._sleep(lane, delay(1, **_RETRY))
            finally:
                self._leave()

    def _enter(self) -> None:
        self._in_flight += 1
        self._idle.clear()

    def _leave(self) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()

    async def _serve(self, lane: Lane) -> None:
        if not lane.entries and lane.more:
            await self._load(lane)
        if not lane.entries:
            self._rest(lane)
            return
        head = lane.entries[0]
        if head.behind is not None and await self._must_follow(lane, head.behind):
            return
        if head.hold_until is not None:
            wait = head.hold_until - now_ms()
            if wait > 0:
                self._sleep(lane, wait / 1000)
                return
        if not self._circuit.admits():
            self._parking.park(lane)
            return
        if head.hold_until is not None:
            fault_point("before-freeze")
            try:
                self._freeze(head, await self._journal.freeze(head.conversation, head.key))
            except (LookupError, JournalUnavailable) as exc:
                self._circuit.release_probe()
                if isinstance(exc, JournalUnavailable):
                    raise
                return  # erased while it was held
            fault_point("after-freeze")
        await self._forward(lane)

    async def _must_follow(self, lane: Lane, behind: int) -> bool:
        """Whether the lane has to wait until lane `behind` has no events; it is served again then."""
        if behind not in self._lanes:
            return False
        self._followers.setdefault(behind, []).append(lane)
        return True

    async def _load(self, lane: Lane) -> None:
        lane.more, lane.loading = False, True
        try:
            window = _MAX_ENTRIES if self._bytes < _MAX_BYTES else 1
            entries = await self._journal.next_entries(lane.conversation, lane.last, window)
        except JournalUnavailable:
            lane.more = True
            raise
        finally:
            lane.loading = False
        if lane.forgotten:
            return
        undelivered = [entry for entry in entries if entry not in self._delivered]
        self._keep(lane, undelivered)
        lane.last = entries[-1].key if entries else lane.last
        # `_add` has set `more` if events arrived during the read.
        lane.more = lane.more or len(entries) == window

    async def _forward(self, lane: Lane) -> None:
        batch = Batch(self._batch if self._circuit.state == "ok" else 1)
        batch.add(lane)
        await self._join(batch)
        events = len(batch.events)
        await self._priority.wait_turn(_SECONDS_PER_POST + (events - 1) * _SECONDS_PER_EVENT)
        batch.forget_erased()
        if self._draining or not batch.shares:
            self._circuit.release_probe()
            return
        fault_point("before-post")
        self._settle(batch, await self._post(batch))

    async def _post(self, batch: Batch) -> Answer:
        return await self._core.post_batch(batch.events)

    async def _join(self, batch: Batch) -> None:
        """Add other lanes that are ready, until there is no more room. What is not in memory is read first."""
        lanes = batch.candidates(self._ready)
        unread = [lane for lane in lanes if not lane.entries and lane.more]
        if unread:
            # A lane that cannot be read fails in `_serve`, alone.
            await asyncio.gather(*map(self._load, unread), return_exceptions=True)
        for lane in lanes:
            if not (self._may_join(lane) and batch.add(lane)):
                self._ready.put_nowait(lane)

    def _may_join(self, lane: Lane) -> bool:
        """Whether a lane's head can go at once, with those of others."""
        return may_join(lane)

    def _settle(self, batch: Batch, answer: Answer) -> None:
        """Record what the core took of a batch, and schedule the rest."""
        fate = batch.settle(answer)
        if fate.answer is not None:
            self._circuit.record_response(fate.answer, batch.shares[0].lane.refused_since)
        for share in fate.taken:
            for entry in share.entries:
                log_taken(entry.event_id, entry.body or b"")
            self._record_taken(share)
        EVENTS.labels(answer.verdict).inc(fate.not_taken)
        for lane in fate.refused:
            self._refuse(lane, answer)
        for lane in fate.untried:
            self._ready.put_nowait(lane)
        for lane in fate.done:
            self._rest(lane)

    def _refuse(self, lane: Lane, answer: Answer) -> None:
        """Try the head of a lane again later."""
        head = lane.entries[0]
        lane.attempts += 1
        lane.refused_at = now_ms()
        lane.refused_since = lane.refused_since or asyncio.get_running_loop().time()
        self._note_refusal(lane, head)
        pause = delay(lane.attempts, **_RETRY)
        if answer.after is not None:
            pause = max(answer.after, _MIN_PAUSE)
        log_refused(head.event_id, head.body or b"", answer, lane.attempts, pause)
        self._sleep(lane, pause)

    def _note_refusal(self, lane: Lane, head: OutboxEntry) -> None:
        """Note that the core has refused the head; only `SharedLanes` needs more than the lane itself."""

    def _record_taken(self, share: Share) -> None:
        fault_point("after-post-before-mark")
        lane, count = share.lane, len(share.entries)
        EVENTS.labels("taken").inc(count)
        self.forwarded += count
        if lane.forgotten:
            return
        lane.waiting -= count
        self._waiting -= count
        lane.attempts, lane.refused_since = 0, None
        lane.alone = max(0, lane.alone - count)
        for entry in share.entries:
            lane.entries.popleft()
            self._bytes -= len(entry.body or b"")
            self._delivered.add(entry)

    def _rest(self, lane: Lane) -> None:
        """Queue the lane for its next event, or close it if there is none."""
        if lane.entries or lane.more:
            self._ready.put_nowait(lane)
        else:
            self._close(lane)

    def _close(self, lane: Lane) -> None:
        if self._lanes.get(lane.conversation) is lane:
            del self._lanes[lane.conversation]
            for follower in self._followers.pop(lane.conversation, ()):
                self._ready.put_nowait(follower)
