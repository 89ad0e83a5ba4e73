"""A photo whose header is read and whose pixels are not: what every format's reader hands on."""

import mmap
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from normalizer.media import MediaRejected

from . import orientation


@dataclass(frozen=True, slots=True)
class Opened:
    """Sizes as stored, before the photo is turned upright."""

    size: tuple[int, int]
    #: Decodes. A reader that can does so into the memory it is given, and says so by `lays`.
    load: Callable[[mmap.mmap], Image.Image]
    #: The size `load` gives, for a reader that lays.
    loads: tuple[int, int] = (0, 0)
    lays: bool = False
    orientation: int = orientation.UPRIGHT
    profile: bytes | None = None
    #: Whether the format keeps pixels as they were drawn, as screenshots need it.
    crisp: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What the gateway allows and wants."""

    max_pixels: int
    max_side: int

    def check(self, width: int, height: int, most: int | None = None) -> None:
        """Refuses a picture of too many pixels before any memory is spent on it."""
        limit = min(self.max_pixels, most or self.max_pixels)
        if width < 1 or height < 1:
            raise MediaRejected("corrupt", f"a photo of {width} x {height} pixels")
        if width * height > limit:
            raise MediaRejected(
                "too_many_pixels", f"{width} x {height} pixels, the limit is {limit}"
            )
