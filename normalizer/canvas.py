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

#: Rows of a band, the unit in which pixels are handed over. A multiple of the block height of JPEG with subsampled
#: colours.
BAND_ROWS = 128


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
    """The whole memory, for pictures whose longest side is at most `side`."""

    side: int

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.side**2 * BYTES_PER_PIXEL

    def layout(self, width: int, height: int) -> PixelLayout:
        """Return the layout of a picture. Raise ValueError if the picture does not fit the canvas."""
        if not (1 <= width <= self.side and 1 <= height <= self.side):
            raise ValueError(f"{width} x {height} pixels do not fit the canvas")
        return PixelLayout(width, height)


def reduced_size(size: Size, factor: int) -> Size:
    """Return the size of a picture of which one in `factor` rows and columns is left."""
    return -(-size[0] // factor), -(-size[1] // factor)
