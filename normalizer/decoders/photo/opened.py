"""A photo whose header has been read and whose pixels have not: the result of every format's reader."""

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from normalizer.canvas import MAX_SIDE, Size
from normalizer.media import MediaRejected

from . import orientation
from .coded_colour import CodedColours
from .scaling import Fit, fit

#: Formats that use this state at most 65,535 for a side.
ANY_FACTOR = range(1, 65)

#: A photo of a blank wall at the strongest compression has four times as many bytes.
_PIXELS_OF_A_BYTE = 500


#: Called from time to time with the number of rows, from the top, that are finished in the given memory.
OnRows = Callable[[int], None]

CanvasMode = Literal["RGB", "RGBA"]


@dataclass(frozen=True, slots=True)
class OpenedPhoto:
    """An opened photo. Sizes are as stored, before the photo is turned upright."""

    size: Size
    fit: Fit
    #: Decodes to eight bits a channel, downscaled by the factor of `fit`; into the given memory if `canvas_mode` is
    #: set.
    load: Callable[[mmap.mmap | None, OnRows], Image.Image]
    #: The mode of rows that can go directly to the canvas, or None if they cannot.
    canvas_mode: CanvasMode | None = None
    orientation: int = orientation.UPRIGHT
    profile: bytes | None = None
    #: Colours that the file describes without a profile, if they count more than `profile`.
    colours: CodedColours | None = None
    #: Whether the format keeps pixels exactly, as screenshots need.
    lossless: bool = False
    #: The number of pages, of which the first is shown.
    pages: int = 1


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The limits of the gateway for one photo."""

    max_pixels: int
    max_side: int

    def check(self, size: Size, most: int | None = None) -> None:
        """Refuse a picture of too many pixels before it uses memory."""
        width, height = size
        limit = min(self.max_pixels, most or self.max_pixels)
        if width < 1 or height < 1:
            raise MediaRejected("corrupt", f"the photo has {width} x {height} pixels")
        if max(size) > MAX_SIDE:
            raise MediaRejected("too_many_pixels", f"a side has {max(size)} pixels")
        if width * height > limit:
            raise MediaRejected(
                "too_many_pixels", f"{width} x {height} pixels, the limit is {limit}"
            )

    def check_density(
        self, size: Size, source_bytes: int, beyond: int, of_a_byte: int = _PIXELS_OF_A_BYTE
    ) -> None:
        """Refuse more than `beyond` pixels from almost no bytes, because decoding them takes memory."""
        pixels = size[0] * size[1]
        if pixels > beyond and source_bytes * of_a_byte < pixels:
            raise MediaRejected("too_many_pixels", f"{size[0]} x {size[1]} pixels without content")

    def fit(self, size: Size, factors: Sequence[int] = ANY_FACTOR) -> Fit:
        return fit(size, self.max_side, factors)
