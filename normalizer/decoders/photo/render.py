"""Renders a photo to the canvas: upright, in sRGB, within the size limit."""

import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import numpy as np
from PIL import Image, ImageCms

from normalizer.canvas import BAND_ROWS, Canvas, Size

from . import colour, orientation, pixel_memory, pixel_modes
from .colour import RowConversion
from .opened import OpenedPhoto
from .pixel_memory import Pixels

#: Turning works on squares that fit the cache.
_TILE = 256

#: Called with the size of an opaque preview and the number of its finished rows from the top.
OnPainted = Callable[[Size, int], None]

_COLOURED = frozenset({"RGB", "RGBA"})

#: Rows of a picture that is soon decoded, so that waiting for a whole band would delay its thumbnail.
_FEW_ROWS = 8 * BAND_ROWS

#: How many times more pixels than needed a preview is resampled from; more is not visible.
_GAP = 2.0


def preview(
    opened: OpenedPhoto, canvas: Canvas, descriptor: int, on_painted: OnPainted
) -> tuple[Image.Image, bool]:
    """Decode and render the preview. Return it, and whether any pixel is translucent."""
    if opened.canvas_mode:
        image = _decode_in_place(opened, canvas, descriptor, on_painted)
    else:
        image = _decode_and_copy(opened, canvas, descriptor)
    return image, image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)


def render_rows(rows: Pixels, turn: int, canvas: Canvas, descriptor: int) -> Image.Image:
    """Render rows that are in sRGB and small enough already."""
    height, width = rows.shape
    size = upright_size((width, height), turn)
    target = pixel_memory.map_shared(descriptor, canvas.layout(*size))
    _move(rows, _view_as_stored(target, (width, height), turn), None)
    return pixel_memory.image_over(target, *size, "RGB")


def upright_size(size: Size, turn: int) -> Size:
    return (size[1], size[0]) if orientation.swaps_sides(turn) else size


def _decode_in_place(
    opened: OpenedPhoto, canvas: Canvas, descriptor: int, on_painted: OnPainted
) -> Image.Image:
    """Decode directly to the canvas, or next to it if the photo must be turned."""
    assert opened.canvas_mode
    target, memory = _allocate(opened.fit.size, opened.orientation, canvas, descriptor)
    conversion = colour.conversion(opened.profile, opened.canvas_mode, opened.colours)
    if isinstance(conversion, ImageCms.ImageCmsTransform):
        image = opened.load(memory, _ignore_rows)
        ImageCms.applyTransform(image, conversion, inPlace=True)
        return _finish(image, memory, target, None, opened.orientation)
    if opened.canvas_mode == "RGB":
        with _BandPainter(opened, memory, target, conversion, on_painted) as painter:
            image = opened.load(memory, painter.advance)
            painter.advance(image.height)
        return pixel_memory.image_over(target, *upright_size(image.size, opened.orientation), "RGB")
    image = opened.load(memory, _ignore_rows)
    return _finish(image, memory, target, conversion, opened.orientation)


class _BandPainter:
    """Converts and places the finished rows of an opaque picture while the rest is decoded."""

    def __init__(
        self,
        opened: OpenedPhoto,
        memory: mmap.mmap,
        target: mmap.mmap,
        tables: RowConversion | None,
        on_painted: OnPainted,
    ) -> None:
        self._size, turn = opened.fit.size, opened.orientation
        self._source = pixel_memory.pixels(memory, *self._size)
        self._target = (
            self._source if memory is target else _view_as_stored(target, self._size, turn)
        )
        self._tables = tables
        # No row of a turned picture is finished before the last one is.
        self._on_painted = on_painted if memory is target else None
        self._done = 0
        self._step = BAND_ROWS // 2 if self._size[1] < _FEW_ROWS else BAND_ROWS
        self._started: list[Future[None]] = []
        self._worker = ThreadPoolExecutor(1) if tables or memory is not target else None
        # The size alone: the gateway prepares for the rows.
        self._report(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._worker:
            self._worker.shutdown()
            for move in self._started:
                move.result()

    def advance(self, bottom: int) -> None:
        """Process the rows up to `bottom`, which have been decoded."""
        if bottom < self._size[1]:
            bottom = bottom // self._step * self._step
        if bottom <= self._done:
            return
        top, self._done = self._done, bottom
        if self._worker:
            self._started.append(self._worker.submit(self._move, top, bottom))
        else:
            self._report(bottom)

    def _move(self, top: int, bottom: int) -> None:
        _move(self._source[top:bottom], self._target[top:bottom], self._tables)
        self._report(bottom)

    def _report(self, bottom: int) -> None:
        if self._on_painted:
            self._on_painted(self._size, bottom)


def _ignore_rows(_: int) -> None:
    """Ignore finished rows of pictures that are only complete as a whole."""


def _decode_and_copy(opened: OpenedPhoto, canvas: Canvas, descriptor: int) -> Image.Image:
    """Decode to the format's own memory, then copy to where the other way would decode."""
    image = pixel_modes.to_eight_bits(opened.load(None, _ignore_rows))
    if image.size != opened.fit.size:
        image = image.resize(opened.fit.size, Image.Resampling.BICUBIC, reducing_gap=_GAP)
    conversion = colour.conversion(opened.profile, image.mode, opened.colours)
    if isinstance(conversion, ImageCms.ImageCmsTransform):
        image, conversion = colour.apply_transform(image, conversion), None
    if image.mode not in _COLOURED:
        image = image.convert("RGB")
    target, memory = _allocate(image.size, opened.orientation, canvas, descriptor)
    pixel_memory.image_over(memory, *image.size, image.mode).paste(image)
    return _finish(image, memory, target, conversion, opened.orientation)


def _finish(
    image: Image.Image,
    memory: mmap.mmap,
    target: mmap.mmap,
    tables: RowConversion | None,
    turn: int,
) -> Image.Image:
    """Convert and place the pixels in `memory`. Return the finished picture."""
    if tables and image.mode == "RGBA":
        rows = pixel_memory.pixels(memory, *image.size)
        tables.convert_translucent(rows, rows)
        tables = None
    _convert_and_turn(memory, target, image.size, tables, turn)
    return pixel_memory.image_over(target, *upright_size(image.size, turn), image.mode)


def _allocate(
    size: Size, turn: int, canvas: Canvas, descriptor: int
) -> tuple[mmap.mmap, mmap.mmap]:
    """Return the memory of the finished picture, and the memory to decode into."""
    target = pixel_memory.map_shared(descriptor, canvas.layout(*upright_size(size, turn)))
    return target, target if turn == orientation.UPRIGHT else pixel_memory.allocate(*size)


def _convert_and_turn(
    memory: mmap.mmap, target: mmap.mmap, size: Size, tables: RowConversion | None, turn: int
) -> None:
    """Convert colours and turn the picture in one pass over the pixels."""
    source = pixel_memory.pixels(memory, *size)
    _move(source, source if memory is target else _view_as_stored(target, size, turn), tables)


def _view_as_stored(target: mmap.mmap, size: Size, turn: int) -> Pixels:
    """Return a view of `target` in the orientation of the source, so that both can be walked together."""
    pixels = pixel_memory.pixels(target, *upright_size(size, turn))
    return orientation.upright_view(pixels, orientation.INVERSE[turn])


def _move(source: Pixels, target: Pixels, tables: RowConversion | None) -> None:
    if np.may_share_memory(source, target):
        if tables:
            tables.convert(source, source)
        return
    strip = np.empty((_TILE, source.shape[1]), np.uint32)
    for top in range(0, len(source), _TILE):
        rows = source[top : top + _TILE]
        if tables:
            converted = strip[: len(rows)]
            tables.convert(rows, converted)
            rows = converted
        _copy(rows, target[top : top + _TILE])


def _copy(rows: Pixels, target: Pixels) -> None:
    for left in range(0, rows.shape[1], _TILE):
        target[:, left : left + _TILE] = rows[:, left : left + _TILE]
