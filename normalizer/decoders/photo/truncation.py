"""Photos of which not all can be decoded: shown as browsers show them, as far as they go, if that is far enough."""

import mmap
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFile

from normalizer.media import MediaRejected

from .opened import OnRows, OpenedPhoto

#: The share of rows that may be missing.
_MAX_MISSING = 1 / 3

#: Decoders leave what they could not decode in one colour, but for rounding.
_ONE_COLOUR = 2


def open_truncated(reopen: Callable[[], OpenedPhoto]) -> OpenedPhoto:
    """The photo, opened anew without minding damage. The library then minds none for good: cells have one job."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    opened = reopen()

    def load(memory: mmap.mmap | None, _: OnRows) -> Image.Image:
        # Nothing is told before it is known whether it is enough.
        image = opened.load(memory, lambda _: None)
        if _count_missing_rows(image) > image.height * _MAX_MISSING:
            raise MediaRejected("corrupt", "a photo of which too little can be decoded")
        return image

    return replace(opened, load=load)


def _count_missing_rows(image: Image.Image) -> int:
    """How many rows are of one colour, that of the last pixel; of interlaced pictures they lie scattered."""
    pixels = np.asarray(image.convert("RGB"))
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    last = pixels[-1, -1].astype(int)
    return int(np.all((low >= last - _ONE_COLOUR) & (high <= last + _ONE_COLOUR), axis=1).sum())
