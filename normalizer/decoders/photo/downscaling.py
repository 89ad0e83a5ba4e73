"""Downscaling of large pictures band by band, so that a whole picture is never in memory at four bytes a pixel."""

import ctypes
import mmap
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFile, PngImagePlugin

from normalizer.canvas import BYTES_PER_PIXEL, Size, reduced_size

from . import pixel_memory, pixel_modes
from .opened import CanvasMode, OnRows
from .scaling import Fit

#: Rows of a band, rounded to a multiple of the factor, and its pixels if rows are long.
_ROWS, _PIXELS = 256, 1 << 21

#: Bands that may be queued: the decoder is faster than downscaling with alpha.
_MAX_QUEUED_BANDS = 4

#: Compressed bytes decoded at a time: zlib expands them a thousandfold at most.
_CHUNK_BYTES = 8192

_CANVAS_MODES: Mapping[str, CanvasMode] = {"RGB": "RGB", "RGBA": "RGBA"}

_LIBC = ctypes.CDLL(None, use_errno=True)


def downscaled(image: Image.Image, factor: int) -> Image.Image:
    """Downscale a decoded picture by a whole factor, to eight bits a channel."""
    if factor == 1:
        return pixel_modes.to_eight_bits(image)
    return _assemble(
        image.size, factor, lambda top, bottom: image.crop((0, top, image.width, bottom))
    )


@dataclass(frozen=True, slots=True)
class RawRows:
    """A decoded picture as rows of bytes, the output of single-format libraries."""

    content: Any
    size: Size
    mode: str
    stride: int
    #: The storage of a pixel, if it is wider than the mode.
    stored: str
    #: The origin of the picture in the rows: columns from the left, rows from the top.
    corner: tuple[int, int] = (0, 0)

    def to_image(self, memory: mmap.mmap | None, factor: int, on_rows: OnRows) -> Image.Image:
        """Return the picture downscaled by a whole factor, in `memory` if given."""
        if memory is None:
            return _assemble(self.size, factor, self._band)
        size = reduced_size(self.size, factor)
        for top, bottom in _steps(self.size, factor):
            first, last = top // factor, -(-bottom // factor)
            target = pixel_memory.image_over(memory, size[0], last - first, self.mode, first)
            if factor == 1:
                rows, stride = self._rows(top, bottom)
                target.frombytes(rows, "raw", self.stored, stride, 1)
            else:
                target.paste(_reduce(self._band(top, bottom), factor))
            on_rows(last)
        return pixel_memory.image_over(memory, *size, self.mode)

    def _rows(self, top: int, bottom: int) -> tuple[Any, int]:
        """Return the bytes of some rows, and the stride between them."""
        left, above = self.corner
        first, last = (above + top) * self.stride, (above + bottom) * self.stride
        rows = memoryview(self.content)[first:last]
        if left == 0:
            return rows, self.stride
        pixel = len(self.stored)
        start, end = left * pixel, (left + self.size[0]) * pixel
        whole = np.frombuffer(rows, np.uint8).reshape(bottom - top, self.stride)
        return whole[:, start:end].tobytes(), end - start

    def _band(self, top: int, bottom: int) -> Image.Image:
        rows, stride = self._rows(top, bottom)
        size = (self.size[0], bottom - top)
        return Image.frombuffer(self.mode, size, rows, "raw", self.stored, stride, 1)


class BandReducer:
    """Downscales a picture of four bytes a pixel into `memory` while it is being decoded from the top."""

    def __init__(
        self, whole: mmap.mmap, size: Size, mode: str, memory: mmap.mmap, factor: int
    ) -> None:
        self._whole, self._size, self._mode = whole, size, mode
        self._target, self._factor, self._done = memory, factor, 0

    @property
    def result(self) -> Image.Image:
        """The downscaled picture."""
        return pixel_memory.image_over(
            self._target, *reduced_size(self._size, self._factor), self._mode
        )

    def advance(self, bottom: int) -> int:
        """Downscale to row `bottom` of the large picture. Return the finished rows of the small one."""
        width, height = self._size
        if bottom < height:
            bottom = bottom // self._factor * self._factor
        first, last = self._done // self._factor, -(-bottom // self._factor)
        if bottom > self._done:
            part = pixel_memory.image_over(
                self._whole, width, bottom - self._done, self._mode, self._done
            )
            reduced = _reduce(part, self._factor)
            pixel_memory.image_over(self._target, *reduced.size, self._mode, first).paste(reduced)
            pixel_memory.release_pages(
                self._whole, self._done * width * BYTES_PER_PIXEL, bottom * width * BYTES_PER_PIXEL
            )
            self._done = bottom
        return last


def canvas_mode(mode: str, size: Size, fit: Fit) -> CanvasMode | None:
    """Return the mode in which rows may go directly to the canvas, or None if they may not."""
    return _CANVAS_MODES.get(mode) if fit.size == reduced_size(size, fit.factor) else None


def _assemble(size: Size, factor: int, band: Callable[[int, int], Image.Image]) -> Image.Image:
    result: Image.Image | None = None
    for top, bottom in _steps(size, factor):
        part = pixel_modes.to_eight_bits(band(top, bottom))
        part = _reduce(part, factor)
        if result is None:
            result = Image.new(part.mode, reduced_size(size, factor))
        result.paste(part, (0, top // factor))
    assert result is not None
    return result


def _steps(size: Size, factor: int) -> Iterator[tuple[int, int]]:
    width, height = size
    step = max(factor, min(_ROWS, _PIXELS // width) // factor * factor)
    return ((top, min(top + step, height)) for top in range(0, height, step))


def _reduce(part: Image.Image, factor: int) -> Image.Image:
    if factor == 1 or part.mode != "RGBA":
        return part.reduce(factor) if factor > 1 else part
    least, most = part.getchannel("A").getextrema()
    if least != most:
        return part.reduce(factor)
    # Colours need not be weighted by an alpha that is uniform; weighting takes most of the time.
    core: Any = part.im
    whole = (0, 0, *part.size)
    return Image.Image()._new(core.reduce((factor, factor), whole))  # noqa: SLF001  # see pixel_memory.image_over


class StreamedPng:
    """A PNG that is decoded in steps: finished rows are downscaled and their memory is released.

    The decoder does not report its progress. But it fills fresh memory from the top, and the kernel reports the
    pages that have been touched.
    """

    def __init__(self, image: PngImagePlugin.PngImageFile, factor: int) -> None:
        self._image, self._factor = image, factor
        self._stride = image.width * BYTES_PER_PIXEL
        self._memory = mmap.mmap(
            -1, self._stride * image.height, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        )
        # Huge pages would be touched long before they are full.
        self._memory.madvise(mmap.MADV_NOHUGEPAGE)
        self._address = np.frombuffer(self._memory, np.uint8).ctypes.data
        self._result = Image.new(image.mode, reduced_size(image.size, factor))
        self._min_band_pixels = min(_ROWS * image.width, _PIXELS)
        self._done = 0
        # The libraries release the interpreter lock: one band is downscaled while the next is decoded.
        self._worker = ThreadPoolExecutor(1)
        self._queued: deque[Future[None]] = deque()

    def decode(self) -> Image.Image:
        image: Any = self._image
        image.im = self._band(0, image.height).im
        image.load_prepare()
        decoder_name, extents, _, args = image.tile[0]
        core: Any = Image
        decoder = core._getdecoder(image.mode, decoder_name, args, image.decoderconfig)  # noqa: SLF001  # as Image.load does
        decoder.setimage(image.im, extents)
        pending, status = b"", 0
        while True:
            chunk = image.load_read(_CHUNK_BYTES)
            if not chunk and ImageFile.LOAD_TRUNCATED_IMAGES:
                break
            if not chunk:
                raise OSError("the file is truncated")
            pending += chunk
            consumed, status = decoder.decode(pending)
            if consumed < 0:
                break
            pending = pending[consumed:]
            self._queue_bands(self._touched_rows())
        if status < 0 and not ImageFile.LOAD_TRUNCATED_IMAGES:
            raise OSError("the file is damaged")
        self._queue_bands(image.height)
        for band in self._queued:
            band.result()
        return self._result

    def _band(self, top: int, bottom: int) -> Image.Image:
        core: Any = Image.core  # type: ignore[attr-defined]  # see pixel_memory.image_over
        size = (self._image.width, bottom - top)
        return Image.Image()._new(  # noqa: SLF001  # see pixel_memory.image_over
            core.map_buffer(self._memory, size, "raw", top * self._stride, (self._image.mode, 0, 1))
        )

    def _touched_rows(self) -> int:
        """Return the number of rows above the last page that has been written to."""
        page = mmap.PAGESIZE
        start = self._done * self._stride // page * page
        length = len(self._memory) - start
        pages = np.zeros(-(-length // page), np.uint8)
        if _LIBC.mincore(
            ctypes.c_void_p(self._address + start),
            ctypes.c_size_t(length),
            ctypes.c_void_p(pages.ctypes.data),
        ):
            raise OSError(ctypes.get_errno(), "mincore")
        touched = np.flatnonzero(pages & 1)
        last = start + int(touched[-1]) * page if len(touched) else start
        return last // self._stride

    def _queue_bands(self, bottom: int) -> None:
        whole = bottom == self._image.height
        bottom = bottom if whole else bottom // self._factor * self._factor
        done = self._done
        if bottom <= done or (
            not whole and (bottom - done) * self._image.width < self._min_band_pixels
        ):
            return
        # If the file is truncated, many rows remain, and none of them has used memory yet.
        for top, end in _steps((self._image.width, bottom - done), self._factor):
            if len(self._queued) == _MAX_QUEUED_BANDS:
                self._queued.popleft().result()
            self._queued.append(self._worker.submit(self._shrink, done + top, done + end))
        self._done = bottom

    def _shrink(self, top: int, bottom: int) -> None:
        part = _reduce(self._band(top, bottom), self._factor)
        self._result.paste(part, (0, top // self._factor))
        pixel_memory.release_pages(self._memory, top * self._stride, bottom * self._stride)
