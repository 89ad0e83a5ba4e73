"""AVIF: the primary picture, or the first of a sequence."""

import mmap
import os
from typing import Any

from PIL import AvifImagePlugin, Image

from normalizer.canvas import Size

from . import downscaling, heif_items, orientation
from .opened import Opened, Seen, Wish

_THREADS = 4
_LARGE = 12_000_000
_SEQUENCE = b"avis"
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def open_avif(data: memoryview, wish: Wish) -> Opened:
    threads = min(_THREADS, os.cpu_count() or 1)
    # Pillow's own class would keep the pixels three times.
    library: Any = AvifImagePlugin._avif  # type: ignore[attr-defined]  # noqa: SLF001
    decoder = library.AvifDecoder(bytes(data), "auto", threads)
    size, _, mode, profile, _, turn, _ = decoder.get_info()
    wish.check(size)
    wish.check_substance(size, len(data), _LARGE)
    crop = _crop(data, size)
    seen_size = size if crop is None else (crop[2] - crop[0], crop[3] - crop[1])
    fit = wish.fit(seen_size)

    def load(ground: mmap.mmap | None, seen: Seen) -> Image.Image:
        content, *_ = decoder.get_frame(0)
        stride = size[0] * _CHANNELS[mode]
        corner = (0, 0) if crop is None else crop[:2]
        rows = downscaling.Rows(content, seen_size, mode, stride, mode, corner)
        return rows.shown(ground, fit.factor, seen)

    return Opened(
        size=seen_size,
        fit=fit,
        load=load,
        lays=downscaling.laid(mode, seen_size, fit),
        orientation=turn if turn in orientation.INVERSE else orientation.UPRIGHT,
        profile=profile,
    )


def _crop(data: memoryview, size: Size) -> heif_items.Crop | None:
    """The part to be seen, which the library leaves to us; of a sequence the picture is another one."""
    if bytes(data[8:12]) == _SEQUENCE:
        return None
    return heif_items.crop(heif_items.properties(data), size)
