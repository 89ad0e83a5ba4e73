"""Encoding for one job, started while the sandbox is still decoding, in bands if possible."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from normalizer.canvas import BAND_ROWS, Canvas, PixelLayout
from normalizer.media import Limits, Rendition
from normalizer.sandbox.turns import Claim

from . import answers, images
from .answers import Painted
from .images import Large
from .pixel_buffers import PixelBuffer
from .thumbnail import SquareThumbnail

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job for the sandbox: the message, the files, and the time limit in seconds."""

    message: dict[str, Any]
    source: int
    source_bytes: int
    seconds: float
    large: Large
    video_file: int | None = None
    claim: Claim = field(default_factory=Claim)


#: The thumbnail and the large picture.
Images = tuple[Rendition, Rendition]


class Encoding:
    """Encodes the pixels that a sandbox reports. Threads encode, so that the event loop never waits."""

    def __init__(
        self, buffer: PixelBuffer, job: JobSpec, canvas: Canvas, limits: Limits, threads: Executor
    ) -> None:
        self._buffer, self._job, self._canvas = buffer, job, canvas
        self._limits, self._threads = limits, threads
        self._painted: Painted | None = None
        self._complete = self._restarted = False
        self._bands: _Bands | None = None
        self._whole_images: asyncio.Future[Images] | None = None

    def on_note(self, note: dict[str, Any]) -> None:
        """Handle a note of the sandbox. Raise MediaFailed if it is invalid."""
        if "preview" not in note or self._complete:
            return
        if note.get("restarted") is True and not self._restarted:
            # The file turned out to be damaged; the sandbox decodes it again, as far as possible.
            self._restarted, self._painted = True, None
        if self._painted is None:
            self._painted = answers.parse_painted(note, self._canvas)
            self._bands = self._make_bands(self._painted)
        rows = answers.parse_rows(note, self._painted)
        self._complete = rows == self._painted.preview.height
        if self._bands and self._bands.may_fit:
            self._bands.advance(rows)
        else:
            self._bands = None
            self._whole_images = self._encode_whole(self._painted) if self._complete else None

    async def finish(self) -> tuple[Painted, Images]:
        """Return the description of the pixels, and both images. Raise MediaFailed."""
        painted = self._painted
        if painted is None or not self._complete:
            raise answers.invalid_answer("the picture is incomplete")
        if self._bands:
            small, large = await self._bands.finish(self._job.large)
            if large:
                return painted, (small, large)
        return painted, await (self._whole_images or self._encode_whole(painted))

    def _make_bands(self, painted: Painted) -> "_Bands | None":
        if not images.is_encoded_in_bands(painted):
            return None
        pixels = self._buffer.view(painted.preview)
        return _Bands(pixels, painted.preview, self._limits, self._threads)

    def _encode_whole(self, painted: Painted) -> asyncio.Future[Images]:
        job, limits, pixels = self._job, self._limits, self._buffer.view(painted.preview)
        return asyncio.gather(
            _in_thread(self._threads, images.encode_thumbnail, pixels, painted, limits),
            _in_thread(
                self._threads,
                images.encode_large,
                pixels,
                painted,
                job.large,
                job.source_bytes,
                limits,
            ),
        )


class _Bands:
    """A large photo whose finished rows are encoded and added to the thumbnail."""

    def __init__(
        self, pixels: memoryview, layout: PixelLayout, limits: Limits, threads: Executor
    ) -> None:
        self._pixels, self._layout, self._limits, self._threads = pixels, layout, limits, threads
        self._thumbnail = SquareThumbnail((layout.width, layout.height), limits.thumbnail_side)
        self._reduced = self._thumbnail.reduced_image()
        self._started: list[asyncio.Future[bytes]] = []

    @property
    def may_fit(self) -> bool:
        """Whether all bands may fit the limit, judged by those that are encoded already."""
        ready = [band.result() for band in self._started if band.done()]
        return images.may_fit(ready, self._layout, self._limits)

    def advance(self, rows: int) -> None:
        """Start encoding the bands within the first `rows` rows."""
        whole = rows == self._layout.height
        while (top := len(self._started) * BAND_ROWS) < rows and (whole or top + BAND_ROWS <= rows):
            self._started.append(self._band(top))

    async def finish(self, name: Large) -> tuple[Rendition, Rendition | None]:
        """Return the thumbnail, and the large picture if it fits."""
        parts = await asyncio.gather(*self._started)
        small, large = images.thumbnail_from_bands, images.image_from_bands
        return await asyncio.gather(
            _in_thread(self._threads, small, self._thumbnail, self._reduced, self._limits),
            _in_thread(self._threads, large, parts, self._layout, name, self._limits),
        )

    def _band(self, top: int) -> asyncio.Future[bytes]:
        make = images.encode_band
        return _in_thread(self._threads, make, self._pixels, self._thumbnail, self._reduced, top)


def _in_thread(threads: Executor, make: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
    """Call the function in a thread."""
    return asyncio.get_running_loop().run_in_executor(threads, make, *arguments)
