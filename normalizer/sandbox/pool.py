"""A pool of sandboxes: spare ones are kept ready; each runs one job and is replaced."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Literal

from .errors import SandboxUnavailable
from .process import SandboxProcess
from .self_test import may_be_missing, run_self_test
from .turns import Claim, Turns
from .zygote_client import Zygote

_log = logging.getLogger(__name__)

Isolation = Literal["full", "reduced"]

#: Long jobs have their own slots, so that photos never wait for videos that are being encoded, or for documents.
JobClass = Literal["quick", "slow", "document"]

#: A short video shares a processor with a long one instead of waiting for it.
_MIN_SLOW = 2

_OWN_LAYERS = ("limits", "seccomp")

_UNCLAIMED = Claim()


class Pool:
    """Runs at most `sandboxes` quick jobs at once, and keeps a spare sandbox for each and one more.

    One more cell is reserved for photos of owners that have no job running (`turns`).
    `missing` holds the isolation layers that are not in place, each with its cause. With `full` isolation, the pool
    does not start if a layer is missing that the kernel could provide.
    """

    def __init__(self, sandboxes: int, isolation: Isolation = "full") -> None:
        self._sandboxes, self._isolation = sandboxes, isolation
        self._turns: dict[JobClass, Turns] = {
            "quick": Turns(sandboxes, reserved=1),
            "slow": Turns(max(_MIN_SLOW, sandboxes // 2)),
            "document": Turns(max(1, sandboxes // 2)),
        }
        self._spares: deque[asyncio.Task[SandboxProcess]] = deque()
        self._starting = asyncio.Lock()
        self._zygote: Zygote | None = None
        self._closed = False
        self.missing: dict[str, str] = {}

    async def start(self) -> None:
        """Start the zygote and the spare sandboxes. Raise SandboxUnavailable if that fails."""
        await self._running_zygote()

    async def close(self) -> None:
        """End all sandboxes."""
        self._closed = True
        zygote, self._zygote = self._zygote, None
        if zygote:
            await zygote.close()
        await self._drop_spares()

    @property
    def ready(self) -> bool:
        """Whether a sandbox is available immediately."""
        return self._zygote is not None and not self._zygote.gone

    @contextlib.asynccontextmanager
    async def sandbox(
        self, job_class: JobClass = "quick", claim: Claim = _UNCLAIMED
    ) -> AsyncIterator[SandboxProcess]:
        """Provide a fresh sandbox for one job once it is its turn, and end it with the block."""
        async with self.slot(job_class, claim), self.fresh_sandbox() as sandbox:
            yield sandbox

    @contextlib.asynccontextmanager
    async def slot(
        self, job_class: JobClass = "quick", claim: Claim = _UNCLAIMED
    ) -> AsyncIterator[None]:
        """Wait for a turn, and hold the cell: for a file that takes several sandboxes, one after the other."""
        async with self._turns[job_class].turn(claim):
            yield

    @contextlib.asynccontextmanager
    async def fresh_sandbox(self) -> AsyncIterator[SandboxProcess]:
        """Provide a fresh sandbox to the holder of a cell, and end it with the block."""
        sandbox = await self._take()
        try:
            yield sandbox
        finally:
            sandbox.end()
            # Only now: starting a sandbox would take time from the job.
            self._refill()

    async def _take(self) -> SandboxProcess:
        try:
            return await self._take_spare()
        except SandboxUnavailable:
            # The zygote died (out of memory, or killed by an operator): try once with a new one.
            return await self._take_spare()

    async def _take_spare(self) -> SandboxProcess:
        zygote = await self._running_zygote()
        self._drop_failed_spares()
        if not self._spares:
            self._spares.append(self._spawn(zygote))
        task = self._spares.popleft()
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_discard)
            raise

    async def _running_zygote(self) -> Zygote:
        async with self._starting:
            if self._closed:
                raise SandboxUnavailable("The sanitizer is closed.")
            if self._zygote is None or self._zygote.gone:
                self._zygote = await self._start_zygote()
            return self._zygote

    async def _start_zygote(self) -> Zygote:
        await self._drop_spares()
        if self._zygote:
            await self._zygote.close()
        zygote = await Zygote.start()
        try:
            self._check_layers(await run_self_test(zygote))
        except BaseException:
            await zygote.close()
            raise
        self._zygote = zygote
        self._refill()
        return zygote

    def _refill(self) -> None:
        if self._zygote is not None and not self._zygote.gone:
            self._drop_failed_spares()
            while len(self._spares) <= self._sandboxes:
                self._spares.append(self._spawn(self._zygote))

    def _drop_failed_spares(self) -> None:
        """Forget spares that could not be started because the machine had too many processes."""
        self._spares = deque(task for task in self._spares if not _has_failed(task))

    def _check_layers(self, found: dict[str, str]) -> None:
        self.missing = {layer: error for layer, error in found.items() if error}
        needed = {
            name: reason
            for name, reason in self.missing.items()
            if not may_be_missing(name, reason)
        }
        if needed and self._isolation == "full":
            listed = "; ".join(f"{layer} ({reason})" for layer, reason in needed.items())
            raise SandboxUnavailable(
                f"An isolation layer of the media decoders is missing: {listed}. Use a kernel and a "
                "container profile that allow it, or accept the risk with `media.isolation: reduced`."
            )
        for layer, reason in self.missing.items():
            _log.warning("isolation_reduced: %s: %s", layer, reason)

    def _spawn(self, zygote: Zygote) -> asyncio.Task[SandboxProcess]:
        layers = [layer for layer in _OWN_LAYERS if layer not in self.missing]
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
