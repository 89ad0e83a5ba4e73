"""The shared memory through which pixels leave a cell: those of one picture, the largest a file is shown in.

Four bytes a pixel (red, green, blue, opacity or nothing), rows without gaps: Pillow and libjpeg-turbo
read and write that layout in place, so that nobody copies.
"""

from dataclasses import dataclass

#: Width and height in pixels.
Size = tuple[int, int]

BYTES_PER_PIXEL = 4

#: Longer strips are no photos, however few their pixels.
MAX_SIDE = 1 << 20

#: Rows of a band, in which pixels are handed over: whole rows of the blocks that JPEG codes halved colours in.
BAND_ROWS = 128


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How the pixels lie, from the start of the memory."""

    width: int
    height: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.width * self.height * BYTES_PER_PIXEL


@dataclass(frozen=True, slots=True)
class Canvas:
    """The whole memory, given the longest side a picture may have."""

    side: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.side**2 * BYTES_PER_PIXEL

    def layout(self, width: int, height: int) -> PixelLayout:
        """Raises ValueError for a picture that is larger."""
        if not (1 <= width <= self.side and 1 <= height <= self.side):
            raise ValueError(f"a picture of {width} x {height} pixels")
        return PixelLayout(width, height)


def reduced_size(size: Size, factor: int) -> Size:
    """What is left of a picture when all but one of `factor` rows and columns are left out."""
    return -(-size[0] // factor), -(-size[1] // factor)
