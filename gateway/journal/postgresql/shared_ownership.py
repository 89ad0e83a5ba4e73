"""Ownership among nodes: each shard is a lock that exactly one writer's session can hold.

Nodes agree on nothing. Each sees in the locks who lives, computes who should own what, gives up what is not its own
any more, and takes its own once it is free. A process that is killed frees its shards at once; one that is frozen or
cut off frees them when the server ends its session, which has to say something every half second.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NoReturn, Protocol, TypeVar

import structlog

from gateway.journal.errors import JournalUnavailable
from gateway.journal.operations.shards import ALL_SHARDS, Shards
from gateway.journal.operations.transaction import Transaction
from gateway.journal.ownership import Ownership
from gateway.observability.metrics import SESSION_SECONDS_LEFT, SHARDS_OWNED, TAKEOVERS

from .locks import Locks, Seen, life_of, look, name_of, seen
from .session import WRITER_IDLE_SECONDS
from .session_thread import steady_clock

T = TypeVar("T")


class Submit(Protocol):
    """Runs an operation in the writer's session, before whatever waits there."""

    def __call__(self, operation: Callable[[Transaction], T], /) -> Awaitable[T]: ...


log = structlog.get_logger(__name__)

_LOOK_EVERY = 0.2
#: The same while a shard is not here yet that should be: its session ends, or its owner hands it over.
_LOOK_SOON = 0.05
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


@dataclass(frozen=True, slots=True)
class _Found:
    """What one look showed, and which shards it took."""

    has_name: bool
    seen: Seen = field(default_factory=lambda: Seen(frozenset(), {}))
    wanted: Shards = frozenset()
    held: Shards = frozenset()
    taken: Shards = frozenset()


class SharedOwnership(Ownership):
    """The shards of one node. `answered_from` is when the last answer of the writer's session was asked for."""

    def __init__(self, number: int, locks: Locks, answered_from: Callable[[], float]) -> None:
        super().__init__()
        self.number = number
        self._locks = locks
        self._answered_from = answered_from
        self._submit: Submit
        self._owned: Shards = frozenset()
        self._releasing: dict[asyncio.Task[None], Shards] = {}
        self._taking: set[asyncio.Task[None]] = set()
        self._seen = Seen(frozenset(), {})
        self._is_draining = False
        self._complained_at = -_COMPLAIN_EVERY
        #: How often the session was lost. What was seen in a former session is worth nothing.
        self._losses = 0
        #: Whether shards that this node should own are not here yet.
        self._is_waiting = False
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

    async def begin(self, submit: Submit, seconds: float) -> bool:
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
        while not (found := await self._submit(seen)).live and found.owners:
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
            await asyncio.sleep(_LOOK_SOON if self._is_waiting else _LOOK_EVERY)

    def session_lost(self) -> None:
        """Forget everything: the server has given the locks back."""
        self._losses += 1
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
        owned, busy, losses = self._owned, self._being_released(), self._losses
        # One operation: each waits for its turn in the writer's session.
        found = await self._submit(partial(self._look_and_take, beside=owned | busy))
        self._note_name(found.has_name)
        if not found.has_name or losses != self._losses:
            return
        before, self._seen = self._seen, found.seen
        self.looks += 1
        if found.taken:
            self._take_over(found.taken - self._being_released(), before)
        self._is_waiting = not found.wanted <= self._owned
        if surplus := (self._owned | found.held) - found.wanted - self._being_released():
            self._begin_release(surplus)

    def _look_and_take(self, transaction: Transaction, beside: Shards) -> "_Found":
        """Look at the locks, and take the free shards that this node should own, except `beside`."""
        if not self._locks.take(transaction, name_of(self.number)):
            return _Found(has_name=False)
        self._locks.take(transaction, life_of(self.number))
        locks, ended = look(transaction)
        for name in ended:
            log.warning("silent_session_ended", of=name)
        wanted = shards_of(self.number, locks.live)
        # Handing over may have failed half-way, and then this node holds a lock of a shard that it does not work on.
        held = frozenset(s for s, owner in locks.owners.items() if owner == self.number)
        free = wanted - beside - (locks.owners.keys() - held)
        taken = self._locks.take(transaction, *sorted(free))
        return _Found(has_name=True, seen=locks, wanted=wanted, held=held, taken=taken)

    def _being_released(self) -> Shards:
        return frozenset[int]().union(*self._releasing.values())

    def _take_over(self, taken: Shards, before: Seen) -> None:
        for shard in taken:
            former = before.owners.get(shard)
            lost = former is not None and former not in self._seen.live
            TAKEOVERS.labels("node lost" if lost else "free").inc()
        log.info("shards_taken", shards=len(taken), owned=len(taken | self._owned))
        self._owned |= taken
        # Looking goes on meanwhile: another node may be lost in the next moment.
        task = asyncio.create_task(self._pick_up(taken), name="take-over")
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _pick_up(self, taken: Shards) -> None:
        while wanted := taken & self._owned:
            try:
                await self.gained(wanted)
            except JournalUnavailable as exc:
                log.warning("take_over_delayed", error=str(exc))
                await asyncio.sleep(_LOOK_EVERY)
            else:
                return

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

        await self._submit(lambda t: self._locks.give(t, *shards))
        log.info("shards_handed_over", shards=len(shards), owned=len(self._owned))

    async def _has_name(self) -> bool:
        is_ours = bool(await self._submit(lambda t: self._locks.take(t, name_of(self.number))))
        self._note_name(is_ours)
        return is_ours

    def _note_name(self, is_ours: bool) -> None:
        self.is_namesake = not is_ours
        if self.is_namesake and steady_clock() - self._complained_at >= _COMPLAIN_EVERY:
            self._complained_at = steady_clock()
            log.error(
                "node_name_in_use",
                remedy="another process has this node's name and does the work: give each its own gateway.node",
            )
