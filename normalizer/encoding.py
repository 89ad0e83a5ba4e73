"""What is encoded for one job: begun while the cell paints on, and in bands where that can be."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from . import answers, renditions
from .answers import Painted
from .canvases import Sheet
from .media import Limits, Rendition
from .photo.canvas import BYTES_PER_PIXEL, Canvas, Place
from .photo.joined import ROWS
from .renditions import Large

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job:
    """What a cell is asked, with which files, and how long it may take."""

    message: dict[str, Any]
    source: int
    source_bytes: int
    seconds: float
    large: Large
    film: int | None = None


class Encoding:
    """Hears what a cell has painted. Threads encode it, so that the event loop never waits."""

    def __init__(
        self, sheet: Sheet, job: Job, canvas: Canvas, limits: Limits, threads: Executor
    ) -> None:
        self._sheet, self._job, self._canvas = sheet, job, canvas
        self._limits, self._threads = limits, threads
        self._painted: Painted | None = None
        self._complete = self._anew = False
        self._large: asyncio.Future[Rendition] | None = None
        self._bands: list[asyncio.Future[bytes]] = []

    def hear(self, note: dict[str, Any]) -> None:
        """A note of the cell; raises MediaFailed for nonsense."""
        if "preview" not in note or self._complete:
            return
        if note.get("anew") is True and not self._anew:
            # The file turned out to be damaged, and is painted once more, as far as it goes.
            self._anew, self._painted, self._bands = True, None, []
        if self._painted is None:
            self._painted = answers.painted(note, self._canvas)
        rows = answers.rows(note, self._painted)
        self._complete = rows == self._painted.preview.height
        self._begin(self._painted, rows)

    async def finish(
        self, result: dict[str, Any]
    ) -> tuple[Painted, Place, tuple[Rendition, Rendition]]:
        """What was painted, the place of the thumbnail, and both pictures. Raises MediaFailed."""
        painted = self._painted
        if painted is None or not self._complete:
            raise answers.nonsense("not all was painted")
        place = answers.thumbnail(result, self._canvas)
        small = self._outside(
            renditions.thumbnail, self._sheet.view(place), place, painted, self._limits
        )
        large = self._large or self._assembled(painted)
        thumbnail, preview = await asyncio.gather(small, large)
        return painted, place, (thumbnail, preview)

    def _begin(self, painted: Painted, rows: int) -> None:
        if renditions.comes_in_bands(painted, self._job.source_bytes, self._limits):
            while (top := len(self._bands) * ROWS) < rows and (
                self._complete or top + ROWS <= rows
            ):
                self._bands.append(self._band(painted.preview, top))
        elif self._complete:
            self._large = self._whole(painted)

    def _band(self, place: Place, top: int) -> asyncio.Future[bytes]:
        height = min(ROWS, place.height - top)
        row = place.width * BYTES_PER_PIXEL
        pixels = self._sheet.view(place)[top * row : (top + height) * row]
        return self._outside(renditions.band, pixels, place.width, height)

    async def _assembled(self, painted: Painted) -> Rendition:
        parts = await asyncio.gather(*self._bands)
        found = renditions.assembled(parts, painted.preview, self._job.large, self._limits)
        return found or await self._whole(painted)

    def _whole(self, painted: Painted) -> asyncio.Future[Rendition]:
        job, pixels = self._job, self._sheet.view(painted.preview)
        return self._outside(
            renditions.large, pixels, painted, job.large, job.source_bytes, self._limits
        )

    def _outside(self, make: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """What the function makes, in a thread."""
        return asyncio.get_running_loop().run_in_executor(self._threads, make, *arguments)
