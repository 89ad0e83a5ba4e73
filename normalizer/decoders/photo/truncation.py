"""Truncated and damaged photos: shown as browsers show them, if enough can be decoded."""

import mmap
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from normalizer.media import MediaRejected

from .opened import OnRows, OpenedPhoto

#: The share of rows that may be missing.
_MAX_MISSING = 1 / 3

#: Decoders leave the missing part in one colour, except for rounding.
_ONE_COLOUR = 2

#: Pixels of a large photo that are in memory twice.
_PIXELS_AT_ONCE = 1 << 20


def open_truncated(reopen: Callable[[], OpenedPhoto]) -> OpenedPhoto:
    """Reopen the photo with damage tolerated. The setting stays, because a sandbox runs one job."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    opened = reopen()

    def load(memory: mmap.mmap | None, _: OnRows) -> Image.Image:
        # No rows are reported before it is known whether they are enough.
        image = opened.load(memory, lambda _: None)
        if _count_missing_rows(image) > image.height * _MAX_MISSING:
            raise MediaRejected("corrupt", "too little of the photo can be decoded")
        return image

    return replace(opened, load=load)


def _count_missing_rows(image: Image.Image) -> int:
    """Count the rows that have only the colour of the last pixel. In interlaced pictures they are scattered."""
    step = max(1, _PIXELS_AT_ONCE // image.width)
    last = _rows(image, image.height - 1, 1)[-1, -1].astype(int)
    return sum(
        _count_rows_of(_rows(image, top, step), last) for top in range(0, image.height, step)
    )


def _rows(image: Image.Image, top: int, count: int) -> NDArray[np.uint8]:
    bottom = min(top + count, image.height)
    return np.asarray(image.crop((0, top, image.width, bottom)).convert("RGB"))


def _count_rows_of(pixels: NDArray[np.uint8], colour: NDArray[np.int_]) -> int:
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    alike = (low >= colour - _ONE_COLOUR) & (high <= colour + _ONE_COLOUR)
    return int(np.all(alike, axis=1).sum())
