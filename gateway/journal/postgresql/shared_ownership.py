"""Ownership among nodes: each shard is a lock that exactly one writer's session can hold.

Nodes agree on nothing. Each sees in the locks who lives, computes who should own what, gives up what is not its own
any more, and takes its own once it is free. A process that is killed frees its shards at once; one that is frozen or
cut off frees them when the server ends its session, which has to say something every half second.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial
from typing import NoReturn, TypeVar

import structlog

from gateway.journal.errors import JournalUnavailable
from gateway.journal.operations.shards import ALL_SHARDS, Shards
from gateway.journal.operations.transaction import Transaction
from gateway.journal.ownership import Ownership
from gateway.observability.metrics import SESSION_SECONDS_LEFT, SHARDS_OWNED, TAKEOVERS

from .locks import Locks, Seen, life_of, name_of, seen
from .session import WRITER_IDLE_SECONDS
from .session_thread import steady_clock

T = TypeVar("T")
Submit = Callable[[Callable[[Transaction], T]], Awaitable[T]]

log = structlog.get_logger(__name__)

_LOOK_EVERY = 0.25
_POLL_EVERY = 0.05
#: How long before the server may end the session we stop to rely on it: clocks drift, and a call takes time to leave.
_MARGIN = 0.25
#: Seconds between two log lines about a name that another node has.
_COMPLAIN_EVERY = 10.0


@lru_cache(maxsize=64)
def shards_of(node: int, live: frozenset[int]) -> Shards:
    """Return the shards that a node should own: of all live nodes, the one with the highest hash has a shard.

    A node that comes or goes moves only its own share (rendezvous hashing).
    """
    return frozenset(s for s in ALL_SHARDS if max(live, key=partial(_weight, s)) == node)


def _weight(shard: int, node: int) -> bytes:
    return hashlib.blake2b(f"{shard} {node}".encode(), digest_size=8).digest()


class SharedOwnership(Ownership):
    """The shards of one node. `answered_from` is when the last answer of the writer's session was asked for."""

    def __init__(self, number: int, locks: Locks, answered_from: Callable[[], float]) -> None:
        super().__init__()
        self.number = number
        self._locks = locks
        self._answered_from = answered_from
        self._submit: Submit[object]
        self._owned: Shards = frozenset()
        self._releasing: dict[asyncio.Task[None], Shards] = {}
        self._seen = Seen(frozenset(), {})
        self._is_draining = False
        self._complained_at = -_COMPLAIN_EVERY
        #: How often this node has looked at the locks.
        self.looks = 0
        #: Whether another process has this node's name.
        self.is_namesake = False
        SHARDS_OWNED.set_function(lambda: len(self._owned))
        SESSION_SECONDS_LEFT.set_function(self._seconds_left)

    @property
    def shards(self) -> Shards:
        return self._owned

    def owns(self, shard: int) -> bool:
        return shard in self._owned

    def still(self) -> bool:
        return self._seconds_left() > 0

    @property
    def nodes(self) -> int:
        return max(1, len(self._seen.live))

    def refusal(self) -> str | None:
        if self.is_namesake:
            return "another node has this node's name; give each its own gateway.node"
        if self._is_draining:
            return "this node hands over its work and ends"
        if not self.still():
            return "the database has not answered for too long; another node does the work"
        return None

    def _seconds_left(self) -> float:
        until = self._answered_from() + WRITER_IDLE_SECONDS - _MARGIN
        return until - steady_clock()

    async def begin(self, submit: "Submit[object]", seconds: float) -> bool:
        """Take this node's name; False if another process has had it for so many seconds.

        If no node works, this one owns everything at once. Otherwise the others go on until `run`: a node that is still
        starting must not keep conversations waiting. `submit` runs an operation in the writer's session.
        """
        self._submit = submit
        deadline = steady_clock() + seconds
        while not await self._has_name():
            if steady_clock() >= deadline:
                return False
            await asyncio.sleep(_POLL_EVERY)
        # The locks of a predecessor end shortly after its process.
        while not (found := await self._submitted(seen)).live and found.owners:
            if steady_clock() >= deadline:
                break
            await asyncio.sleep(_POLL_EVERY)
        if not found.live:
            await self._look()
        return True

    async def run(self) -> NoReturn:
        """Look at the locks, forever."""
        while True:
            try:
                await self._look()
            except JournalUnavailable:
                self.session_lost()
            await asyncio.sleep(_LOOK_EVERY)

    def session_lost(self) -> None:
        """Forget everything: the server has given the locks back."""
        lost, self._owned = self._owned, frozenset()
        for releasing in self._releasing:
            releasing.cancel()
        self._releasing.clear()
        if lost:
            log.warning("shards_lost", shards=len(lost))
            self.lost(lost)

    async def drain(self) -> None:
        """Give up everything, so that other nodes go on with it at once."""
        self._is_draining = True
        try:
            # Without it nobody counts this node any more.
            await self._submit(lambda t: self._locks.give(t, life_of(self.number)))
            await self._release(self._owned)
        except JournalUnavailable as exc:
            log.warning("shards_not_handed_over", error=str(exc))

    async def _look(self) -> None:
        if self._is_draining:
            return
        before = self._seen
        if not await self._has_name():
            return
        await self._submit(lambda t: self._locks.take(t, life_of(self.number)))
        self._seen = now = await self._submitted(seen)
        self.looks += 1
        wanted = shards_of(self.number, now.live)
        # Taking up or handing over may have failed half-way, and then this node holds a lock of a shard that it does
        # not work on.
        held = {shard for shard, owner in now.owners.items() if owner == self.number}
        busy = self._being_released()
        if surplus := (self._owned | held) - wanted - busy:
            self._begin_release(surplus)
        free = wanted - self._owned - (now.owners.keys() - held) - busy
        if free and not self._is_draining:
            await self._take(free, before, now)

    async def _submitted(self, operation: Callable[[Transaction], Seen]) -> Seen:
        found = await self._submit(operation)
        assert isinstance(found, Seen)
        return found

    def _being_released(self) -> Shards:
        return frozenset[int]().union(*self._releasing.values())

    async def _take(self, free: Shards, before: Seen, now: Seen) -> None:
        def take(transaction: Transaction) -> Shards:
            return frozenset(s for s in sorted(free) if self._locks.take(transaction, s))

        taken = await self._submit(take)
        assert isinstance(taken, frozenset)
        if not taken:
            return
        for shard in taken:
            former = before.owners.get(shard)
            reason = "node lost" if former is not None and former not in now.live else "free"
            TAKEOVERS.labels(reason).inc()
        log.info("shards_taken", shards=len(taken), owned=len(taken | self._owned))
        self._owned |= taken
        await self.gained(taken)

    def _begin_release(self, surplus: Shards) -> None:
        task = asyncio.create_task(self._release_quietly(surplus), name="hand-over")
        self._releasing[task] = surplus
        task.add_done_callback(lambda done: self._releasing.pop(done, None))

    async def _release_quietly(self, shards: Shards) -> None:
        try:
            await self._release(shards)
        except JournalUnavailable as exc:
            log.warning("shards_not_handed_over", error=str(exc))

    async def _release(self, shards: Shards) -> None:
        """Finish what has begun for these shards, then free them."""
        self._owned -= shards
        await asyncio.gather(*(worker.release(shards) for worker in self.workers))

        def give(transaction: Transaction) -> None:
            for shard in shards:
                self._locks.give(transaction, shard)

        await self._submit(give)
        log.info("shards_handed_over", shards=len(shards), owned=len(self._owned))

    async def _has_name(self) -> bool:
        is_ours = bool(await self._submit(lambda t: self._locks.take(t, name_of(self.number))))
        self.is_namesake = not is_ours
        if self.is_namesake and steady_clock() - self._complained_at >= _COMPLAIN_EVERY:
            self._complained_at = steady_clock()
            log.error(
                "node_name_in_use",
                remedy="another process has this node's name and does the work: give each its own gateway.node",
            )
        return is_ours
