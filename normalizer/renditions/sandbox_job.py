"""One job: asks a cell, encodes what it paints while it paints on, and wipes the memory behind it."""

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from normalizer.canvas import Canvas, Place
from normalizer.media import Limits, MediaFailed, Rendition
from normalizer.sandbox.errors import SandboxLost, SandboxUnavailable
from normalizer.sandbox.pool import Pool

from . import answers
from .answers import Painted
from .pixel_buffers import PixelBuffer, PixelBufferPool
from .while_decoding import Encoding, Job


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of it: the cell's answer, still unchecked, and the pictures."""

    result: dict[str, Any]
    painted: Painted
    pictures: tuple[Rendition, Rendition]
    #: Done when no part of the cell runs any more.
    ending: asyncio.Future[int]


class SandboxRunner:
    """Where pixels become files. Encoding runs in threads, so that the event loop never waits for it."""

    def __init__(
        self, canvas: Canvas, limits: Limits, pool: Pool, encoders: Executor, keep: int
    ) -> None:
        self._canvas, self._limits = canvas, limits
        self._pool, self._encoders = pool, encoders
        self._buffers = PixelBufferPool(canvas, keep)
        self._chores: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        self._buffers.close()

    async def work(self, job: Job) -> JobResult:
        """Raises MediaRejected or MediaFailed."""
        try:
            return await self._work_or_again(job)
        except (SandboxLost, SandboxUnavailable) as error:
            raise MediaFailed("decoder_crashed", str(error)) from None

    async def _work_or_again(self, job: Job) -> JobResult:
        try:
            return await self._work(job)
        except SandboxUnavailable:
            # All cells were lost, which is not this file's doing: once more, in a new one.
            return await self._work(job)

    async def _work(self, job: Job) -> JobResult:
        # The place is kept while we encode: so much memory for pixels is in use as there are places.
        async with self._pool.cell() as cell:
            sheet = self._buffers.take()
            try:
                files = [job.source, sheet.descriptor]
                files += [] if job.film is None else [job.film]
                encoding = Encoding(sheet, job, self._canvas, self._limits, self._encoders)
                answer = await cell.ask(job.message, files, job.seconds, encoding.hear)
                if job.film is not None:
                    # Its film is looked at when nobody can write to it any more.
                    cell.end()
                result = answers.done(answer)
                painted, pictures = await encoding.finish()
            except BaseException:
                sheet.close()
                raise
            self._recycle(sheet, painted.preview, cell.ending)
            return JobResult(result, painted, pictures, cell.ending)

    def _recycle(self, sheet: PixelBuffer, place: Place, cell_ending: asyncio.Future[int]) -> None:
        chore = asyncio.create_task(self._wiped(sheet, place, cell_ending))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _wiped(
        self, sheet: PixelBuffer, place: Place, cell_ending: asyncio.Future[int]
    ) -> None:
        try:
            await asyncio.shield(cell_ending)
            loop = asyncio.get_running_loop()
            clean = await loop.run_in_executor(self._encoders, sheet.wipe, place)
        except SandboxUnavailable:
            clean = False
        except BaseException:
            sheet.close()
            raise
        if clean:
            self._buffers.give_back(sheet)
        else:
            sheet.close()
