"""AVIF: the primary picture, or the first of a sequence."""

import mmap
import os
from typing import Any

from PIL import AvifImagePlugin, Image

from . import bands, orientation
from .opened import Opened, Seen, Wish

_THREADS = 4
_LARGE = 12_000_000
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def open_avif(data: memoryview, wish: Wish) -> Opened:
    threads = min(_THREADS, os.cpu_count() or 1)
    # Pillow's own class would keep the pixels three times.
    library: Any = AvifImagePlugin._avif  # type: ignore[attr-defined]  # noqa: SLF001
    decoder = library.AvifDecoder(bytes(data), "auto", threads)
    size, _, mode, profile, _, turn, _ = decoder.get_info()
    wish.check(size)
    wish.check_substance(size, len(data), _LARGE)
    fit = wish.fit(size)

    def load(ground: mmap.mmap | None, seen: Seen) -> Image.Image:
        content, *_ = decoder.get_frame(0)
        rows = bands.Rows(content, size, mode, size[0] * _CHANNELS[mode], mode)
        return rows.shown(ground, fit.factor, seen)

    return Opened(
        size=size,
        fit=fit,
        load=load,
        lays=bands.laid(mode, size, fit),
        orientation=turn if turn in orientation.INVERSE else orientation.UPRIGHT,
        profile=profile,
    )
