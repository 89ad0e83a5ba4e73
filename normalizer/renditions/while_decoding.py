"""What is encoded for one job: begun while the cell paints on, and in bands where that can be."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

from normalizer.canvas import ROWS, Canvas, Place
from normalizer.media import Limits, Rendition

from . import answers, images
from .answers import Painted
from .images import Large
from .pixel_buffers import PixelBuffer
from .thumbnail import Square

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


#: The thumbnail and the large picture.
Pictures = tuple[Rendition, Rendition]


class Encoding:
    """Hears what a cell has painted. Threads encode it, so that the event loop never waits."""

    def __init__(
        self, sheet: PixelBuffer, job: Job, canvas: Canvas, limits: Limits, threads: Executor
    ) -> None:
        self._sheet, self._job, self._canvas = sheet, job, canvas
        self._limits, self._threads = limits, threads
        self._painted: Painted | None = None
        self._complete = self._anew = False
        self._bands: _Bands | None = None
        self._whole: asyncio.Future[Pictures] | None = None

    def hear(self, note: dict[str, Any]) -> None:
        """A note of the cell; raises MediaFailed for nonsense."""
        if "preview" not in note or self._complete:
            return
        if note.get("anew") is True and not self._anew:
            # The file turned out to be damaged, and is painted once more, as far as it goes.
            self._anew, self._painted = True, None
        if self._painted is None:
            self._painted = answers.painted(note, self._canvas)
            self._bands = self._banded(self._painted)
        rows = answers.rows(note, self._painted)
        self._complete = rows == self._painted.preview.height
        if self._bands and self._bands.promising:
            self._bands.to(rows)
        else:
            self._bands = None
            self._whole = self._at_once(self._painted) if self._complete else None

    async def finish(self) -> tuple[Painted, Pictures]:
        """What was painted, and both pictures. Raises MediaFailed."""
        painted = self._painted
        if painted is None or not self._complete:
            raise answers.nonsense("not all was painted")
        if self._bands:
            small, large = await self._bands.pictures(self._job.large)
            if large:
                return painted, (small, large)
        return painted, await (self._whole or self._at_once(painted))

    def _banded(self, painted: Painted) -> "_Bands | None":
        if not images.comes_in_bands(painted):
            return None
        pixels = self._sheet.view(painted.preview)
        return _Bands(pixels, painted.preview, self._limits, self._threads)

    def _at_once(self, painted: Painted) -> asyncio.Future[Pictures]:
        job, limits, pixels = self._job, self._limits, self._sheet.view(painted.preview)
        return asyncio.gather(
            _outside(self._threads, images.small, pixels, painted, limits),
            _outside(
                self._threads,
                images.large,
                pixels,
                painted,
                job.large,
                job.source_bytes,
                limits,
            ),
        )


class _Bands:
    """A large photo: what lies finished of it is encoded and made small already."""

    def __init__(self, pixels: memoryview, place: Place, limits: Limits, threads: Executor) -> None:
        self._pixels, self._place, self._limits, self._threads = pixels, place, limits, threads
        self._square = Square((place.width, place.height), limits.thumbnail_side)
        self._ground = self._square.ground()
        self._begun: list[asyncio.Future[bytes]] = []

    @property
    def promising(self) -> bool:
        """Whether all bands may fit together, by those that are encoded already."""
        ready = [band.result() for band in self._begun if band.done()]
        return images.may_fit(ready, self._place, self._limits)

    def to(self, rows: int) -> None:
        """Begins with what can be encoded of so many finished rows, from the top."""
        whole = rows == self._place.height
        while (top := len(self._begun) * ROWS) < rows and (whole or top + ROWS <= rows):
            self._begun.append(self._band(top))

    async def pictures(self, name: Large) -> tuple[Rendition, Rendition | None]:
        """The thumbnail, and the large picture if it fits."""
        parts = await asyncio.gather(*self._begun)
        small, large = images.small_of, images.large_of
        return await asyncio.gather(
            _outside(self._threads, small, self._square, self._ground, self._limits),
            _outside(self._threads, large, parts, self._place, name, self._limits),
        )

    def _band(self, top: int) -> asyncio.Future[bytes]:
        make = images.band
        return _outside(self._threads, make, self._pixels, self._square, self._ground, top)


def _outside(threads: Executor, make: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
    """What the function makes, in a thread."""
    return asyncio.get_running_loop().run_in_executor(threads, make, *arguments)
