"""Puts preview and thumbnail on the canvas: upright, in sRGB, no larger than asked for."""

import mmap
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from . import colour, memory, modes, orientation
from .canvas import Canvas
from .colour import Conversion, Tables
from .memory import Pixels
from .opened import Opened

#: Turning works on squares that fit the cache.
_TILE = 256

_TRANSLUCENT = "RGBA"


def paint(opened: Opened, canvas: Canvas, descriptor: int) -> dict[str, Any]:
    """Decodes and paints; tells the sizes."""
    if opened.lays and opened.loads is not None:
        preview = _laid(opened, opened.loads, canvas, descriptor)
    else:
        preview = _pasted(opened, canvas, descriptor)
    return {"preview": preview.size, **finish(preview, canvas, descriptor)}


def finish(preview: Image.Image, canvas: Canvas, descriptor: int) -> dict[str, Any]:
    """The thumbnail of a painted preview, and whether anything shines through."""
    thumbnail = _square(preview, canvas.thumbnail_side)
    place = canvas.place("thumbnail", *thumbnail.size)
    target = memory.laid_over(memory.shared(descriptor, place), *thumbnail.size, thumbnail.mode)
    target.paste(thumbnail)
    translucent = preview.mode == _TRANSLUCENT and _shines_through(preview)
    return {"thumbnail": thumbnail.size, "translucent": translucent}


def lay(image: Image.Image, canvas: Canvas, descriptor: int) -> Image.Image:
    """A finished picture onto the preview's place."""
    place = canvas.place("preview", *image.size)
    target = memory.laid_over(memory.shared(descriptor, place), *image.size, image.mode)
    target.paste(image)
    return target


def _laid(
    opened: Opened, size: tuple[int, int], canvas: Canvas, descriptor: int
) -> Image.Image:
    """Decoded in place, or next to it where it must be turned."""
    width, height = _upright(size, opened.orientation)
    goal = memory.shared(descriptor, canvas.place("preview", width, height))
    stays = opened.orientation == orientation.UPRIGHT
    ground = goal if stays else memory.private(*size)
    image = opened.load(ground)
    conversion = colour.conversion(opened.profile, image.mode)
    _bring(ground, size, conversion, image, goal, opened.orientation)
    return memory.laid_over(goal, width, height, image.mode)


def _pasted(opened: Opened, canvas: Canvas, descriptor: int) -> Image.Image:
    """Decoded by the format's own means, made smaller, then copied to where `_laid` would decode."""
    image = _smaller(modes.eight_bits(opened.load(mmap.mmap(-1, 1))), canvas.preview_side)
    conversion = colour.conversion(opened.profile, image.mode)
    if isinstance(conversion, ImageCms.ImageCmsTransform):
        image, conversion = colour.manage(image, conversion), None
    if image.mode not in {"RGB", _TRANSLUCENT}:
        image = image.convert("RGB")
    ground = memory.private(*image.size)
    memory.laid_over(ground, *image.size, image.mode).paste(image)
    ...


def _upright(size: tuple[int, int], turn: int) -> tuple[int, int]:
    return (size[1], size[0]) if orientation.swaps_sides(turn) else size
