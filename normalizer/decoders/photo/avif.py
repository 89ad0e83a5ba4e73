"""AVIF: the primary picture, or the first of a sequence."""

import mmap
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image

from normalizer.canvas import Size

from . import coded_colour, downscaling, heif_items, orientation
from .coded_colour import CodedColours
from .first_shown import alpha_of, first_shown
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
    size, frames, mode, profile, _, turn, _ = decoder.get_info()
    limits.check(size)
    limits.check_density(size, len(data), _LARGE)
    properties = heif_items.properties(data)
    crop = _crop(data, properties, size)
    shown_size = size if crop is None else (crop[2] - crop[0], crop[3] - crop[1])
    fit = limits.fit(shown_size)

    def load(memory: mmap.mmap | None, on_rows: OnRows) -> Image.Image:
        pixels = _shown(decoder, frames, mode, size)
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


def _shown(decoder: Any, frames: int, mode: str, size: Size) -> bytes:
    """Return the picture, or the first one of a sequence that shows something."""
    if frames > 1 and mode == "RGBA":
        found = first_shown(_frames(decoder, frames), size)
        if found is not None:
            return found
    with statements():
        pixels: bytes = decoder.get_frame(0)[0]
    return pixels


def _frames(decoder: Any, count: int) -> Iterator[tuple[bytes, NDArray[np.uint8]]]:
    for number in range(count):
        with statements():
            pixels: bytes = decoder.get_frame(number)[0]
        yield pixels, alpha_of(pixels)


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
