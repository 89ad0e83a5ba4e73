"""The shared memory through which pixels leave the sandbox: one picture, at the largest size a file is shown in.

Four bytes a pixel (red, green, blue, alpha or nothing), rows without gaps: Pillow and libjpeg-turbo read and write
that layout in place, so nothing is copied.
"""

from dataclasses import dataclass

#: Width and height in pixels.
Size = tuple[int, int]

BYTES_PER_PIXEL = 4

#: A longer strip is not a photo, however few pixels it has.
MAX_SIDE = 1 << 20

#: A strip is a picture so long that its shorter side would become unreadable: a screenshot of a whole conversation.
#: Its longest side may exceed the limit for other pictures by the first factor, and its pixels those of a square by the
#: second. Some browsers do not show more than 32,767 pixels at all.
_STRIP_SIDES, _STRIP_PIXELS, _SHOWN_SIDE = 8, 2, 32_767

#: In fewer pixels across, there is nothing to read.
_STRIP_WIDTH = 32

#: Rows of a band, the unit in which pixels are handed over. A multiple of the block height of JPEG with subsampled
#: colours.
BAND_ROWS = 128


#: The pages of a document: longest side and area in pixels, and the places in which a page is painted while the one
#: before it is encoded.
PAGE_SIDE, PAGE_PIXELS = 2_600, 6_000_000
PLACES, PLACE_BYTES = 2, PAGE_PIXELS * BYTES_PER_PIXEL


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """The layout of a picture's pixels, from the start of the memory."""

    width: int
    height: int

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.width * self.height * BYTES_PER_PIXEL


@dataclass(frozen=True, slots=True)
class Canvas:
    """The whole memory, for pictures whose longest side is at most `side`, and for strips."""

    side: int

    @property
    def size(self) -> int:
        """Size in bytes. Memory that a picture does not touch costs nothing."""
        return self._pixels * BYTES_PER_PIXEL

    @property
    def _pixels(self) -> int:
        return _STRIP_PIXELS * self.side**2

    def holds(self, width: int, height: int) -> bool:
        """Whether a picture of that size fits, be it as a strip."""
        shortest, longest = sorted((width, height))
        if longest <= self.side:
            return shortest >= 1
        return (
            shortest >= _STRIP_WIDTH
            and longest <= min(_STRIP_SIDES * self.side, _SHOWN_SIDE)
            and width * height <= self._pixels
        )

    def layout(self, width: int, height: int) -> PixelLayout:
        """Return the layout of a picture. Raise ValueError if the picture does not fit the canvas."""
        if not self.holds(width, height):
            raise ValueError(f"{width} x {height} pixels do not fit the canvas")
        return PixelLayout(width, height)


def reduced_size(size: Size, factor: int) -> Size:
    """Return the size of a picture of which one in `factor` rows and columns is left."""
    return -(-size[0] // factor), -(-size[1] // factor)
