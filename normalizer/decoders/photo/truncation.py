"""Truncated and damaged photos: shown as browsers show them, if enough can be decoded."""

import mmap
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFile

from normalizer.media import MediaRejected

from .opened import OnRows, OpenedPhoto

#: The share of rows that may be missing.
_MAX_MISSING = 1 / 3

#: Decoders leave the missing part in one colour, except for rounding.
_ONE_COLOUR = 2


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
    pixels = np.asarray(image.convert("RGB"))
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    last = pixels[-1, -1].astype(int)
    return int(np.all((low >= last - _ONE_COLOUR) & (high <= last + _ONE_COLOUR), axis=1).sum())
