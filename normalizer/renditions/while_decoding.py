"""Encoding for one job, started while the sandbox is still decoding, in bands if possible."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from normalizer.canvas import Canvas
from normalizer.media import Limits, Rendition
from normalizer.sandbox.turns import Claim

from . import answers, images
from .answers import Painted
from .bands import Bands
from .growing_thumbnail import GrowingThumbnail
from .images import Large
from .pixel_buffers import PixelBuffer

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
        self._thumbnail: GrowingThumbnail | None = None
        self._bands: Bands | None = None
        self._small: asyncio.Future[Rendition] | None = None
        self._large: asyncio.Future[Rendition] | None = None

    def on_note(self, note: dict[str, Any]) -> None:
        """Handle a note of the sandbox. Raise MediaFailed if it is invalid."""
        if "preview" not in note or self._complete:
            return
        if note.get("restarted") is True and not self._restarted:
            # The file turned out to be damaged; the sandbox decodes it again, as far as possible.
            self._restarted, self._painted = True, None
        if self._painted is None:
            self._painted = answers.parse_painted(note, self._canvas)
            self._begin(self._painted)
        rows = answers.parse_rows(note, self._painted)
        self._complete = rows == self._painted.preview.height
        self._advance(self._painted, rows)

    async def finish(self) -> tuple[Painted, Images]:
        """Return the description of the pixels, and both images. Raise MediaFailed."""
        painted = self._painted
        if painted is None or not self._complete:
            raise answers.invalid_answer("the picture is incomplete")
        small = self._small or self._encode_small(painted)
        large = await asyncio.wrap_future(self._bands.result) if self._bands else None
        return painted, (await small, large or await (self._large or self._encode_large(painted)))

    def _begin(self, painted: Painted) -> None:
        pixels, layout = self._buffer.view(painted.preview), painted.preview
        limits, threads = self._limits, self._threads
        self._thumbnail = self._bands = None
        if images.is_photo(painted):
            self._thumbnail = GrowingThumbnail(pixels, layout, limits, threads)
        if images.is_encoded_in_bands(painted):
            self._bands = Bands(pixels, layout, self._job.large, limits, threads)

    def _advance(self, painted: Painted, rows: int) -> None:
        if self._thumbnail and rows:
            self._thumbnail.advance(rows)
        if self._bands and self._bands.may_fit:
            self._bands.advance(rows)
        else:
            self._bands = None
        if self._complete:
            self._small = self._encode_small(painted)
            self._large = None if self._bands else self._encode_large(painted)

    def _encode_small(self, painted: Painted) -> asyncio.Future[Rendition]:
        if self._thumbnail:
            return asyncio.wrap_future(self._thumbnail.result)
        pixels = self._buffer.view(painted.preview)
        return _in_thread(self._threads, images.encode_thumbnail, pixels, painted, self._limits)

    def _encode_large(self, painted: Painted) -> asyncio.Future[Rendition]:
        job, pixels = self._job, self._buffer.view(painted.preview)
        make, limits = images.encode_large, self._limits
        name, size = job.large, job.source_bytes
        return _in_thread(self._threads, make, pixels, painted, name, size, limits)


def _in_thread(threads: Executor, make: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
    """Call the function in a thread."""
    return asyncio.get_running_loop().run_in_executor(threads, make, *arguments)
