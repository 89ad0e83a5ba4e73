"""Batches: events of several conversations in one POST, in order within each.

A lane's events are in one batch at a time, because a lane is in nobody else's hands until the core has answered.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from gateway.journal import OutboxEntry

from .answers import TAKEN_IN_PART, Answer
from .lane import Lane

log = structlog.get_logger(__name__)

#: Bytes of all events of a batch; one larger event goes alone.
MAX_BYTES = 1_000_000

#: Refusals that say "later", not "this request is wrong" (RFC 9110 and RFC 6585).
_LATER = frozenset({408, 410, 425, 429})


@dataclass(frozen=True, slots=True)
class Share:
    """A lane's events in a batch, from its head on."""

    lane: Lane
    entries: tuple[OutboxEntry, ...]


@dataclass(slots=True)
class Fate:
    """What becomes of a batch: each lane is in exactly one of the lists, and `answer` is what the circuit records."""

    taken: Sequence[Share]
    answer: Answer | None
    not_taken: int
    #: Lanes whose head is tried again later.
    refused: Sequence[Lane] = ()
    #: Lanes that go at once: the core has not judged their events.
    untried: Sequence[Lane] = ()
    #: Lanes of which everything was taken.
    done: Sequence[Lane] = ()


@dataclass(slots=True)
class Batch:
    """Events that go to the core in one POST, at most `limit` of them."""

    limit: int
    shares: list[Share] = field(default_factory=list)
    count: int = 0
    size: int = 0

    @property
    def events(self) -> list[tuple[str, bytes]]:
        return [
            (entry.event_id, entry.body or b"") for share in self.shares for entry in share.entries
        ]

    def add(self, lane: Lane) -> bool:
        """Add the events at the head of a lane that can go now, as far as there is room; the first one always."""
        added: list[OutboxEntry] = []
        for entry in lane.entries:
            size = len(entry.body or b"")
            if self.count and not (self._has_room(size) and _is_ready(entry)):
                break
            added.append(entry)
            self.count += 1
            self.size += size
            if lane.alone:
                break
        if added:
            self.shares.append(Share(lane, tuple(added)))
        return bool(added)

    def candidates(self, ready: "asyncio.Queue[Lane]") -> list[Lane]:
        """Take as many lanes as might join; none if the first one's event goes alone."""
        if any(share.lane.attempts or share.lane.alone for share in self.shares):
            return []
        return [ready.get_nowait() for _ in range(min(ready.qsize(), self.limit - self.count))]

    def forget_erased(self) -> None:
        """Leave out the events of lanes that were erased or handed over meanwhile."""
        self.shares = [share for share in self.shares if not share.lane.forgotten]
        self.count = sum(len(share.entries) for share in self.shares)

    def settle(self, answer: Answer) -> "Fate":
        """Return what becomes of the events after the core's answer."""
        taken, left = self._split(self.count if answer.verdict == "taken" else answer.first)
        fate = Fate(taken, answer, sum(len(share.entries) for share in left))
        lanes = [share.lane for share in left if not share.lane.forgotten]
        if self.count > 1 and _is_wrong_request(answer):
            for share in left:
                share.lane.alone = len(share.entries)
            log.warning("batch_not_taken", status=answer.status, events=self.count)
            fate.answer, fate.untried = None, lanes
        elif answer.status == TAKEN_IN_PART:
            # The core has judged the first of them, and none after it.
            fate.answer = Answer("taken") if answer.first else answer
            fate.refused, fate.untried = lanes[:1], lanes[1:]
        else:
            fate.refused = lanes
        behind = {share.lane.conversation for share in left}
        fate.done = [share.lane for share in taken if share.lane.conversation not in behind]
        return fate

    def _split(self, taken: int) -> tuple[list[Share], list[Share]]:
        """Return what the core took, and what it left of each lane."""
        done: list[Share] = []
        left: list[Share] = []
        for share in self.shares:
            part = min(taken, len(share.entries))
            taken -= part
            if part:
                done.append(Share(share.lane, share.entries[:part]))
            if part < len(share.entries):
                left.append(Share(share.lane, share.entries[part:]))
        return done, left

    def _has_room(self, size: int) -> bool:
        return self.count < self.limit and self.size + size <= MAX_BYTES


def _is_wrong_request(answer: Answer) -> bool:
    """Whether the core refused a request of several events because of one of them, or because it takes no batches."""
    status = answer.status or 0
    return 400 <= status < 500 and status not in _LATER


def _is_ready(entry: OutboxEntry) -> bool:
    return entry.body is not None and not entry.held and entry.behind is None


def may_join(lane: Lane) -> bool:
    """Whether a lane's head can go at once, with those of others."""
    return bool(
        lane.entries
        and not lane.attempts
        and not lane.alone
        and not lane.forgotten
        and _is_ready(lane.entries[0])
    )
