"""AVIF: the primary picture, or the first of a sequence."""

import mmap
import os
from collections.abc import Mapping
from typing import Any

from PIL import AvifImagePlugin, Image

from normalizer.canvas import Size

from . import coded_colour, downscaling, heif_items, orientation
from .coded_colour import CodedColours
from .opened import DecodeLimits, OnRows, OpenedPhoto
from .shared_libraries import statements

_THREADS = 4
_LARGE = 12_000_000
_SEQUENCE = b"avis"
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def open_avif(data: memoryview, limits: DecodeLimits) -> OpenedPhoto:
    threads = min(_THREADS, os.cpu_count() or 1)
    # Pillow's own class would keep three copies of the pixels.
    library: Any = AvifImagePlugin._avif  # type: ignore[attr-defined]  # noqa: SLF001
    with statements():
        decoder = library.AvifDecoder(bytes(data), "auto", threads)
    size, _, mode, profile, _, turn, _ = decoder.get_info()
    limits.check(size)
    limits.check_density(size, len(data), _LARGE)
    properties = heif_items.properties(data)
    crop = _crop(data, properties, size)
    shown_size = size if crop is None else (crop[2] - crop[0], crop[3] - crop[1])
    fit = limits.fit(shown_size)

    def load(memory: mmap.mmap | None, on_rows: OnRows) -> Image.Image:
        with statements():
            pixels, *_ = decoder.get_frame(0)
        stride = size[0] * _CHANNELS[mode]
        corner = (0, 0) if crop is None else crop[:2]
        rows = downscaling.RawRows(pixels, shown_size, mode, stride, mode, corner)
        return rows.to_image(memory, fit.factor, on_rows)

    return OpenedPhoto(
        size=shown_size,
        fit=fit,
        load=load,
        canvas_mode=downscaling.canvas_mode(mode, shown_size, fit),
        orientation=turn if turn in orientation.INVERSE else orientation.UPRIGHT,
        profile=profile,
        colours=None if profile else _colours(properties),
    )


def _crop(
    data: memoryview, properties: Mapping[bytes, bytes], size: Size
) -> heif_items.Crop | None:
    """Return the visible part, which the library does not cut out. In a sequence it belongs to another picture."""
    if bytes(data[8:12]) == _SEQUENCE:
        return None
    return heif_items.crop(properties, size)


def _colours(properties: Mapping[bytes, bytes]) -> CodedColours | None:
    codes = heif_items.codes(properties)
    return coded_colour.from_nclx(*codes) if codes else None
