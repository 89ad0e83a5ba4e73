"""Spare cells are kept ready; each serves one job and is replaced."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Literal

from .errors import SandboxUnavailable
from .process import SandboxProcess
from .self_test import excused, prove
from .zygote_client import Zygote

_log = logging.getLogger(__name__)

Isolation = Literal["full", "reduced"]

#: Long jobs have places of their own, so that photos never wait for films that are encoded.
Pace = Literal["quick", "slow"]

#: A short film shares a processor with a long one rather than wait for its end.
_LEAST_SLOW = 2

_OWN_WALLS = ("limits", "seccomp")


class Pool:
    """At most `cells` quick jobs at once, and a spare cell for each and for the one that comes next.

    `missing` names the walls that do not stand, each with its cause; with `full` isolation there are none
    that the kernel could have given, or nothing starts.
    """

    def __init__(self, cells: int, isolation: Isolation = "full") -> None:
        self._cells, self._isolation = cells, isolation
        self._places: dict[Pace, asyncio.Semaphore] = {
            "quick": asyncio.Semaphore(cells),
            "slow": asyncio.Semaphore(max(_LEAST_SLOW, cells // 2)),
        }
        self._spares: deque[asyncio.Task[SandboxProcess]] = deque()
        self._starting = asyncio.Lock()
        self._zygote: Zygote | None = None
        self._closed = False
        self.missing: dict[str, str] = {}

    async def start(self) -> None:
        """Raises SandboxUnavailable."""
        await self._alive()

    async def close(self) -> None:
        """Ends all cells."""
        self._closed = True
        zygote, self._zygote = self._zygote, None
        if zygote:
            await zygote.close()
        await self._drop_spares()

    @property
    def ready(self) -> bool:
        """Whether cells can be had at once."""
        return self._zygote is not None and not self._zygote.gone

    @contextlib.asynccontextmanager
    async def cell(self, pace: Pace = "quick") -> AsyncIterator[SandboxProcess]:
        """A fresh cell for one job; it is gone when the block ends."""
        async with self._places[pace]:
            cell = await self._take()
            try:
                yield cell
            finally:
                cell.end()
                # Not before: making a cell would take time from the job.
                self._refill()

    async def _take(self) -> SandboxProcess:
        try:
            return await self._spare()
        except SandboxUnavailable:
            # The zygote died (out of memory, or an operator's hand): a new one, once.
            return await self._spare()

    async def _spare(self) -> SandboxProcess:
        zygote = await self._alive()
        self._forget_failed()
        if not self._spares:
            self._spares.append(self._order(zygote))
        task = self._spares.popleft()
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_discard)
            raise

    async def _alive(self) -> Zygote:
        async with self._starting:
            if self._closed:
                raise SandboxUnavailable("The sanitizer is closed.")
            if self._zygote is None or self._zygote.gone:
                self._zygote = await self._begin()
            return self._zygote

    async def _begin(self) -> Zygote:
        await self._drop_spares()
        if self._zygote:
            await self._zygote.close()
        zygote = await Zygote.start()
        try:
            self._judge(await prove(zygote))
        except BaseException:
            await zygote.close()
            raise
        self._zygote = zygote
        self._refill()
        return zygote

    def _refill(self) -> None:
        if self._zygote is not None and not self._zygote.gone:
            self._forget_failed()
            while len(self._spares) <= self._cells:
                self._spares.append(self._order(self._zygote))

    def _forget_failed(self) -> None:
        """Spares that could not be made: the machine had no room for them then."""
        self._spares = deque(task for task in self._spares if not _has_failed(task))

    def _judge(self, found: dict[str, str]) -> None:
        self.missing = {wall: trouble for wall, trouble in found.items() if trouble}
        needed = {w: why for w, why in self.missing.items() if not excused(w, why)}
        if needed and self._isolation == "full":
            listed = "; ".join(f"{wall} ({why})" for wall, why in needed.items())
            raise SandboxUnavailable(
                f"A wall around the media decoders is missing: {listed}. Run on a kernel and in a "
                "container profile that allow it, or accept the risk with `media.isolation: reduced`."
            )
        for wall, why in self.missing.items():
            _log.warning("media decoders run without the wall %s: %s", wall, why)

    def _order(self, zygote: Zygote) -> asyncio.Task[SandboxProcess]:
        layers = [wall for wall in _OWN_WALLS if wall not in self.missing]
        return asyncio.create_task(zygote.spawn(layers))

    async def _drop_spares(self) -> None:
        while self._spares:
            task = self._spares.popleft()
            task.add_done_callback(_discard)
            await asyncio.wait([task])


def _has_failed(task: asyncio.Task[SandboxProcess]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _discard(task: asyncio.Task[SandboxProcess]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().end()
