"""One job: asks a cell, encodes what it paints while it paints on, and wipes the memory behind it."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from . import answers, renditions
from .answers import Painted
from .canvases import Canvases, Sheet
from .cell.pool import Pool
from .cell.trouble import CellLost, CellsUnavailable
from .media import Limits, MediaFailed, Rendition
from .photo.canvas import Canvas, Place
from .renditions import Large


@dataclass(frozen=True, slots=True)
class Job:
    """What a cell is asked, with which files, and how long it may take."""

    message: dict[str, Any]
    source: int
    source_bytes: int
    seconds: float
    large: Large
    film: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What came of it: the cell's answer, still unchecked, and the pictures."""

    result: dict[str, Any]
    painted: Painted
    pictures: tuple[Rendition, Rendition]
    #: Done when no part of the cell runs any more.
    ending: asyncio.Future[int]


class Studio:
    """Where pixels become files. Encoding runs in threads, so that the event loop never waits for it."""

    def __init__(
        self, canvas: Canvas, limits: Limits, pool: Pool, encoders: Executor, keep: int
    ) -> None:
        self._canvas, self._limits = canvas, limits
        self._pool, self._encoders = pool, encoders
        self._canvases = Canvases(canvas, keep)
        self._chores: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        self._canvases.close()

    async def work(self, job: Job) -> Work:
        """Raises MediaRejected or MediaFailed."""
        try:
            return await self._work_or_again(job)
        except (CellLost, CellsUnavailable) as error:
            raise MediaFailed("decoder_crashed", str(error)) from None

    async def _work_or_again(self, job: Job) -> Work:
        try:
            return await self._work(job)
        except CellsUnavailable:
            # All cells were lost, which is not this file's doing: once more, in a new one.
            return await self._work(job)

    async def _work(self, job: Job) -> Work:
        # The place is kept while we encode: so much memory for pixels is in use as there are places.
        async with self._pool.cell() as cell:
            sheet = self._canvases.take()
            try:
                files = [job.source, sheet.descriptor]
                files += [] if job.film is None else [job.film]
                encoding = _Encoding(self, sheet, job)
                answer = await cell.ask(job.message, files, job.seconds, encoding.hear)
                cell.end()
                result = answers.done(answer)
                painted, place, pictures = await encoding.finish(result)
            except BaseException:
                sheet.close()
                raise
            self._recycle(sheet, [painted.preview, place], cell.ending)
            return Work(result, painted, pictures, cell.ending)

    def painted(self, note: dict[str, Any]) -> Painted:
        return answers.painted(note, self._canvas)

    def thumbnail(self, result: dict[str, Any]) -> Place:
        return answers.thumbnail(result, self._canvas)

    def outside(self, make: Callable[..., Rendition], *arguments: Any) -> asyncio.Future[Rendition]:
        """The rendition, made by a thread."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._encoders, lambda: make(*arguments, self._limits))

    def _recycle(
        self, sheet: Sheet, places: Sequence[Place], cell_ending: asyncio.Future[int]
    ) -> None:
        chore = asyncio.create_task(self._wiped(sheet, places, cell_ending))
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)

    async def _wiped(
        self, sheet: Sheet, places: Sequence[Place], cell_ending: asyncio.Future[int]
    ) -> None:
        try:
            await asyncio.shield(cell_ending)
            loop = asyncio.get_running_loop()
            clean = await loop.run_in_executor(self._encoders, sheet.wipe, places)
        except CellsUnavailable:
            clean = False
        except BaseException:
            sheet.close()
            raise
        if clean:
            self._canvases.give_back(sheet)
        else:
            sheet.close()


class _Encoding:
    """What is encoded for one job: begun when the cell says that the large picture is painted."""

    def __init__(self, studio: Studio, sheet: Sheet, job: Job) -> None:
        self._studio, self._sheet, self._job = studio, sheet, job
        self._painted: Painted | None = None
        self._large: asyncio.Future[Rendition] | None = None

    def hear(self, note: dict[str, Any]) -> None:
        if "preview" not in note or self._painted is not None:
            return
        painted = self._painted = self._studio.painted(note)
        view = self._sheet.view(painted.preview)
        self._large = self._studio.outside(
            renditions.large, view, painted, self._job.large, self._job.source_bytes
        )

    async def finish(
        self, result: dict[str, Any]
    ) -> tuple[Painted, Place, tuple[Rendition, Rendition]]:
        if self._painted is None or self._large is None:
            raise answers.nonsense("nothing was painted")
        place = self._studio.thumbnail(result)
        small = self._studio.outside(
            renditions.thumbnail, self._sheet.view(place), place, self._painted
        )
        thumbnail, large = await asyncio.gather(small, self._large)
        return self._painted, place, (thumbnail, large)
