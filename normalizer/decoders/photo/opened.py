"""A photo whose header is read and whose pixels are not: what every format's reader hands on."""

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from normalizer.canvas import MAX_SIDE, Size
from normalizer.media import MediaRejected

from . import orientation
from .scaling import Fit, fit

#: No format that asks this states more than 65,535 for a side.
ANY_FACTOR = range(1, 65)

#: A photo of a blank wall at the strongest compression has four times as many bytes.
_PIXELS_OF_A_BYTE = 500


#: Told from time to time how many rows, from the top, lie finished in the memory given.
OnRows = Callable[[int], None]

CanvasMode = Literal["RGB", "RGBA"]


@dataclass(frozen=True, slots=True)
class OpenedPhoto:
    """Sizes as stored, before the photo is turned upright."""

    size: Size
    fit: Fit
    #: Decodes to eight bits a channel, smaller by the factor of `fit`; into the memory given if it `lays`.
    load: Callable[[mmap.mmap | None, OnRows], Image.Image]
    #: The mode of rows that can go straight to the canvas; None where they cannot.
    canvas_mode: CanvasMode | None = None
    orientation: int = orientation.UPRIGHT
    profile: bytes | None = None
    #: Whether the format keeps pixels as they were drawn, as screenshots need it.
    lossless: bool = False


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What the gateway allows and wants."""

    max_pixels: int
    max_side: int

    def check(self, size: Size, most: int | None = None) -> None:
        """Refuses a picture of too many pixels before any memory is spent on it."""
        width, height = size
        limit = min(self.max_pixels, most or self.max_pixels)
        if width < 1 or height < 1:
            raise MediaRejected("corrupt", f"a photo of {width} x {height} pixels")
        if max(size) > MAX_SIDE:
            raise MediaRejected("too_many_pixels", f"a side of {max(size)} pixels")
        if width * height > limit:
            raise MediaRejected(
                "too_many_pixels", f"{width} x {height} pixels, the limit is {limit}"
            )

    def check_density(
        self, size: Size, source_bytes: int, beyond: int, of_a_byte: int = _PIXELS_OF_A_BYTE
    ) -> None:
        """Refuses a picture of more pixels than `beyond` made of next to nothing: decoding it takes memory."""
        pixels = size[0] * size[1]
        if pixels > beyond and source_bytes * of_a_byte < pixels:
            raise MediaRejected("too_many_pixels", f"{size[0]} x {size[1]} pixels of no content")

    def fit(self, size: Size, factors: Sequence[int] = ANY_FACTOR) -> Fit:
        return fit(size, self.max_side, factors)
