"""The shared memory through which pixels leave a cell: a place for the thumbnail, then the preview.

Four bytes a pixel (red, green, blue, opacity or nothing), rows without gaps: Pillow and libjpeg-turbo
read and write that layout in place, so that nobody copies.
"""

from dataclasses import dataclass
from typing import Literal

BYTES_PER_PIXEL = 4
_PAGE = 4096

Slot = Literal["thumbnail", "preview"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pixels of one picture lie."""

    offset: int
    width: int
    height: int

    @property
    def size(self) -> int:
        return self.width * self.height * BYTES_PER_PIXEL


@dataclass(frozen=True, slots=True)
class Canvas:
    """The whole memory, given the longest sides of the two pictures."""

    thumbnail_side: int
    preview_side: int

    @property
    def size(self) -> int:
        return self._preview_offset + self.preview_side**2 * BYTES_PER_PIXEL

    @property
    def _preview_offset(self) -> int:
        used = self.thumbnail_side**2 * BYTES_PER_PIXEL
        return -(-used // _PAGE) * _PAGE

    def place(self, slot: Slot, width: int, height: int) -> Place:
        """Raises ValueError for a picture that is larger than its slot."""
        side = self.thumbnail_side if slot == "thumbnail" else self.preview_side
        if not (1 <= width <= side and 1 <= height <= side):
            raise ValueError(f"a {slot} of {width} x {height} pixels")
        return Place(0 if slot == "thumbnail" else self._preview_offset, width, height)
