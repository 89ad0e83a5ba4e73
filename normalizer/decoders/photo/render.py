"""Puts a photo on the canvas: upright, in sRGB, no larger than asked for."""

import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import numpy as np
from PIL import Image, ImageCms

from normalizer.canvas import ROWS, Canvas, Size

from . import colour, orientation, pixel_memory, pixel_modes
from .colour import Tables
from .opened import Opened
from .pixel_memory import Pixels

#: Turning works on squares that fit the cache.
_TILE = 256

#: Told the size of an opaque preview and how many of its rows, from the top, are finished.
Painted = Callable[[Size, int], None]

_COLOURED = frozenset({"RGB", "RGBA"})

#: A preview may be drawn from more pixels than it has; two for one side is what an eye can tell.
_GAP = 2.0


def preview(
    opened: Opened, canvas: Canvas, descriptor: int, painted: Painted
) -> tuple[Image.Image, bool]:
    """Decodes and paints; also tells whether anything shines through."""
    if opened.lays:
        image = _decode_in_place(opened, canvas, descriptor, painted)
    else:
        image = _decode_and_copy(opened, canvas, descriptor)
    return image, image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)


def lay_rows(rows: Pixels, turn: int, canvas: Canvas, descriptor: int) -> Image.Image:
    """Paints a preview that is in sRGB and small enough already."""
    height, width = rows.shape
    size = upright((width, height), turn)
    goal = pixel_memory.shared(descriptor, canvas.place(*size))
    _move(rows, _as_it_lies(goal, (width, height), turn), None)
    return pixel_memory.laid_over(goal, *size, "RGB")


def upright(size: Size, turn: int) -> Size:
    return (size[1], size[0]) if orientation.swaps_sides(turn) else size


def _decode_in_place(
    opened: Opened, canvas: Canvas, descriptor: int, painted: Painted
) -> Image.Image:
    """Straight onto the canvas, or next to it where the photo must be turned."""
    assert opened.lays
    goal, ground = _grounds(opened.fit.size, opened.orientation, canvas, descriptor)
    conversion = colour.conversion(opened.profile, opened.lays)
    if isinstance(conversion, ImageCms.ImageCmsTransform):
        image = opened.load(ground, _nobody_waits)
        ImageCms.applyTransform(image, conversion, inPlace=True)
        return _finished(image, ground, goal, None, opened.orientation)
    if opened.lays == "RGB":
        with _Advance(opened, ground, goal, conversion, painted) as advance:
            image = opened.load(ground, advance.to)
            advance.to(image.height)
        return pixel_memory.laid_over(goal, *upright(image.size, opened.orientation), "RGB")
    image = opened.load(ground, _nobody_waits)
    return _finished(image, ground, goal, conversion, opened.orientation)


class _Advance:
    """What is decoded of an opaque picture gets its colours and its place beside, while the rest is decoded."""

    def __init__(
        self,
        opened: Opened,
        ground: mmap.mmap,
        goal: mmap.mmap,
        tables: Tables | None,
        painted: Painted,
    ) -> None:
        self._size, turn = opened.fit.size, opened.orientation
        self._source = pixel_memory.pixels(ground, *self._size)
        self._target = self._source if ground is goal else _as_it_lies(goal, self._size, turn)
        self._tables = tables
        # Of a picture that is turned no row is finished before the last one is.
        self._painted = painted if ground is goal else None
        self._done = 0
        self._begun: list[Future[None]] = []
        self._beside = ThreadPoolExecutor(1) if tables or ground is not goal else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._beside:
            self._beside.shutdown()
            for move in self._begun:
                move.result()

    def to(self, bottom: int) -> None:
        """So many rows from the top are decoded."""
        if bottom < self._size[1]:
            bottom = bottom // ROWS * ROWS
        if bottom <= self._done:
            return
        top, self._done = self._done, bottom
        if self._beside:
            self._begun.append(self._beside.submit(self._move, top, bottom))
        else:
            self._tell(bottom)

    def _move(self, top: int, bottom: int) -> None:
        _move(self._source[top:bottom], self._target[top:bottom], self._tables)
        self._tell(bottom)

    def _tell(self, bottom: int) -> None:
        if self._painted:
            self._painted(self._size, bottom)


def _nobody_waits(_: int) -> None:
    """For pictures of which no part is done before all of it is."""


def _decode_and_copy(opened: Opened, canvas: Canvas, descriptor: int) -> Image.Image:
    """Decoded by the format's own means, then put where the other way would decode."""
    image = pixel_modes.eight_bits(opened.load(None, _nobody_waits))
    if image.size != opened.fit.size:
        image = image.resize(opened.fit.size, Image.Resampling.BICUBIC, reducing_gap=_GAP)
    conversion = colour.conversion(opened.profile, image.mode)
    if isinstance(conversion, ImageCms.ImageCmsTransform):
        image, conversion = colour.manage(image, conversion), None
    if image.mode not in _COLOURED:
        image = image.convert("RGB")
    goal, ground = _grounds(image.size, opened.orientation, canvas, descriptor)
    pixel_memory.laid_over(ground, *image.size, image.mode).paste(image)
    return _finished(image, ground, goal, conversion, opened.orientation)


def _finished(
    image: Image.Image, ground: mmap.mmap, goal: mmap.mmap, tables: Tables | None, turn: int
) -> Image.Image:
    """The picture at its goal, its pixels now lying on `ground`."""
    if tables and image.mode == "RGBA":
        rows = pixel_memory.pixels(ground, *image.size)
        tables.convert_translucent(rows, rows)
        tables = None
    _transfer(ground, goal, image.size, tables, turn)
    return pixel_memory.laid_over(goal, *upright(image.size, turn), image.mode)


def _grounds(size: Size, turn: int, canvas: Canvas, descriptor: int) -> tuple[mmap.mmap, mmap.mmap]:
    """Where the pixels shall end, and where they are decoded."""
    goal = pixel_memory.shared(descriptor, canvas.place(*upright(size, turn)))
    return goal, goal if turn == orientation.UPRIGHT else pixel_memory.private(*size)


def _transfer(
    ground: mmap.mmap, goal: mmap.mmap, size: Size, tables: Tables | None, turn: int
) -> None:
    """Colours converted and sides turned in one pass over the pixels."""
    source = pixel_memory.pixels(ground, *size)
    _move(source, source if ground is goal else _as_it_lies(goal, size, turn), tables)


def _as_it_lies(goal: mmap.mmap, size: Size, turn: int) -> Pixels:
    """The goal seen the way the source lies, so that both can be walked together."""
    pixels = pixel_memory.pixels(goal, *upright(size, turn))
    return orientation.turned(pixels, orientation.INVERSE[turn])


def _move(source: Pixels, target: Pixels, tables: Tables | None) -> None:
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
