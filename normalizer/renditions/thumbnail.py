"""The thumbnail: the square middle of a picture, downscaled in two steps, the first of them band by band."""

import math
from dataclasses import dataclass

from PIL import Image

from normalizer.canvas import Size, reduced_size

#: How many times larger than the thumbnail the first step leaves the picture, at least.
_GAP = 1.01

#: Left, top, right, bottom.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class SquareThumbnail:
    """The middle of a picture of that size as a square of at most `most` pixels (or as wide as the picture is long)."""

    size: Size
    most: int

    def from_image(self, picture: Image.Image) -> Image.Image:
        """Return the thumbnail of a finished picture."""
        edge = min(self.size)
        left, top = ((side - edge) / 2 for side in self.size)
        if edge < self._side:
            # The middle is enlarged: its neighbours must not blend in.
            column, row = int(left), int(top)
            beyond = math.ceil(left + edge), math.ceil(top + edge)
            picture = picture.crop((column, row, *beyond))
            left, top = left - column, top - row
        box = (left, top, left + edge, top + edge)
        return self._resize(picture, box, reducing_gap=_GAP)

    def reduced_image(self) -> Image.Image:
        """Return an image for the first step of an opaque picture."""
        left, top, right, bottom = self._box
        return Image.new("RGBX", reduced_size((right - left, bottom - top), self._factor))

    def add(self, reduced_image: Image.Image, picture: Image.Image, top: int, bottom: int) -> None:
        """Do the first step for the rows from `top` to `bottom`. The rows above must be there.

        Threads may do several bands at once.
        """
        left, above, right, below = self._box
        first = max(above, self._align(top))
        last = below if bottom >= below else self._align(bottom)
        if first < last:
            piece = picture.reduce(self._factor, (left, first, right, last))
            reduced_image.paste(piece, (0, (first - above) // self._factor))

    def from_reduced(self, reduced_image: Image.Image) -> Image.Image:
        """Return the thumbnail after all rows have been added."""
        edge, factor, (left, top, *_) = min(self.size), self._factor, self._box
        x, y = (
            ((side - edge) / 2 - start) / factor
            for side, start in zip(self.size, (left, top), strict=True)
        )
        return self._resize(reduced_image, (x, y, x + edge / factor, y + edge / factor))

    def _resize(
        self, image: Image.Image, box: Box, reducing_gap: float | None = None
    ) -> Image.Image:
        return image.resize((self._side,) * 2, Image.Resampling.BICUBIC, box, reducing_gap)

    def _align(self, row: int) -> int:
        """Return the start of the step that contains a row."""
        _, above, *_ = self._box
        return above + max(0, row - above) // self._factor * self._factor

    @property
    def _side(self) -> int:
        return min(self.most, max(self.size))

    @property
    def _factor(self) -> int:
        return max(1, int(min(self.size) / self._side / _GAP))

    @property
    def _box(self) -> tuple[int, int, int, int]:
        """The middle, extended to whole steps of the factor: left, top, right, bottom."""
        (width, height), edge, factor = self.size, min(self.size), self._factor
        left, top = ((side - edge) // 2 // factor * factor for side in self.size)
        right, bottom = (-(-(side + edge) // 2 // factor) * factor for side in self.size)
        return left, top, min(right, width), min(bottom, height)
