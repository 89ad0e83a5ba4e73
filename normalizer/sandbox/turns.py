"""Turns: which of the waiting jobs gets the next cell, a place for one sandbox.

Owners take turns: the one with the fewest running jobs comes first, then the one whose last turn is longest ago. Of one
owner, small files come before large ones. Reserved cells are for photos of owners that have no job running, the
smallest first, so that neither videos nor one owner's heavy photos occupy every cell.
"""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass, field


def _ignore(waits: bool) -> None:
    """Ignore whether the job waits when the caller did not ask."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job's claim to a cell. A job without an owner takes turns with every other."""

    owner: Hashable | None = None
    #: The size of the file, in bytes.
    size: int = 0
    is_photo: bool = True
    #: Called with True if the job has to wait, and with False once its turn has come.
    on_wait: Callable[[bool], None] = _ignore


@dataclass(eq=False, slots=True)
class _Job:
    claim: Claim
    owner: Hashable
    number: int
    granted: asyncio.Event = field(default_factory=asyncio.Event)
    is_reserved: bool = False


class Turns:
    """`cells` for any job, and `reserved` ones for photos of owners that have no job running."""

    def __init__(self, cells: int, *, reserved: int = 0) -> None:
        self._cells, self._reserved = cells, reserved
        self._running: Counter[Hashable] = Counter()
        self._waiting: list[_Job] = []
        #: When an owner had its last turn, or came: twice the number of turns given until then, plus 1 after a turn.
        self._last_turn: dict[Hashable, int] = {}
        self._now = 0
        self._numbers = itertools.count()

    @contextlib.asynccontextmanager
    async def turn(self, claim: Claim) -> AsyncIterator[None]:
        """Wait for a cell, and free it at the end of the block."""
        job = self._job(claim)
        self._waiting.append(job)
        self._give()
        try:
            if not job.granted.is_set():
                claim.on_wait(True)
                await job.granted.wait()
                claim.on_wait(False)
            yield
        finally:
            self._end(job)

    def _job(self, claim: Claim) -> _Job:
        number = next(self._numbers)
        owner = ("", number) if claim.owner is None else claim.owner
        self._last_turn.setdefault(owner, self._now)
        return _Job(claim, owner, number)

    def _end(self, job: _Job) -> None:
        if job in self._waiting:
            self._waiting.remove(job)  # cancelled
        else:
            self._running[job.owner] -= 1
            if job.is_reserved:
                self._reserved += 1
            else:
                self._cells += 1
        self._forget(job.owner)
        self._give()

    def _forget(self, owner: Hashable) -> None:
        """Forget an owner that has no jobs."""
        if not self._running[owner]:
            del self._running[owner]
            if all(job.owner != owner for job in self._waiting):
                self._last_turn.pop(owner, None)

    def _give(self) -> None:
        while self._cells and self._waiting:
            self._cells -= 1
            self._start(min(self._waiting, key=self._fair_rank))
        while self._reserved and (newcomers := [*filter(self._is_newcomer, self._waiting)]):
            self._reserved -= 1
            job = min(newcomers, key=_size)
            job.is_reserved = True
            self._start(job)

    def _start(self, job: _Job) -> None:
        self._waiting.remove(job)
        self._now += 2
        self._last_turn[job.owner] = self._now + 1
        self._running[job.owner] += 1
        job.granted.set()

    def _fair_rank(self, job: _Job) -> tuple[int, int, int, int]:
        owner = job.owner
        return self._running[owner], self._last_turn[owner], *_size(job)

    def _is_newcomer(self, job: _Job) -> bool:
        claim = job.claim
        return claim.owner is not None and claim.is_photo and not self._running[job.owner]


def _size(job: _Job) -> tuple[int, int]:
    return job.claim.size, job.number
