"""The thumbnail: the square middle of a picture, downscaled in two steps, the first of them band by band."""

import math
from dataclasses import dataclass

from PIL import Image

from normalizer.canvas import Size, reduced_size

#: How many times larger than the thumbnail the first step leaves the picture, at least.
_GAP = 1.01

#: The filter of the second step, and how far it reaches: in rows of the larger of both.
_FILTER, _REACH = Image.Resampling.BICUBIC, 2

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
        if edge < self.side:
            # The middle is enlarged: its neighbours must not blend in.
            column, row = int(left), int(top)
            beyond = math.ceil(left + edge), math.ceil(top + edge)
            picture = picture.crop((column, row, *beyond))
            left, top = left - column, top - row
        box = (left, top, left + edge, top + edge)
        return self._resize(picture, box, reducing_gap=_GAP)

    @property
    def side(self) -> int:
        """The side of the thumbnail."""
        return min(self.most, max(self.size))

    def reduced_image(self) -> Image.Image | None:
        """Return an image for the first step of an opaque picture; None if the second one takes the picture itself."""
        if self._skips_first_step:
            return None
        left, top, right, bottom = self._box
        return Image.new("RGB", reduced_size((right - left, bottom - top), self._factor))

    def finished_image(self) -> Image.Image:
        """Return an image for the second step."""
        return Image.new("RGB", (self.side, self.side))

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

    def rows_within(self, bottom: int) -> int:
        """Return how many rows of the thumbnail depend only on rows above row `bottom` of the picture."""
        _, above, _, below = self._box
        if bottom >= below:
            return self.side
        ready = (self._align(bottom) - above) // self._factor
        _, top, _, _, scale = self._reduced_box
        return max(0, min(self.side, int((ready - top - _REACH * max(1, scale)) / scale) - 1))

    def finish_rows(
        self, finished_image: Image.Image, reduced_image: Image.Image, first: int, last: int
    ) -> None:
        """Do the second step for some rows of the thumbnail. Threads may do several parts at once."""
        left, top, right, bottom, scale = self._reduced_box
        end = bottom if last == self.side else top + last * scale
        box = (left, top + first * scale, right, end)
        piece = reduced_image.resize((self.side, last - first), _FILTER, box)
        finished_image.paste(piece, (0, first))

    @property
    def _reduced_box(self) -> tuple[float, float, float, float, float]:
        """The middle in the reduced image: left, top, right, bottom; and its pixels for one of the thumbnail."""
        edge, factor, (left, top, *_) = min(self.size), self._factor, self._box
        x, y = (
            ((side - edge) / 2 - start) / factor
            for side, start in zip(self.size, (left, top), strict=True)
        )
        return x, y, x + edge / factor, y + edge / factor, edge / factor / self.side

    def _resize(self, image: Image.Image, box: Box, reducing_gap: float) -> Image.Image:
        return image.resize((self.side,) * 2, _FILTER, box, reducing_gap)

    def _align(self, row: int) -> int:
        """Return the start of the step that contains a row."""
        _, above, *_ = self._box
        return above + max(0, row - above) // self._factor * self._factor

    @property
    def _factor(self) -> int:
        return max(1, int(min(self.size) / self.side / _GAP))

    @property
    def _skips_first_step(self) -> bool:
        """Whether the second step takes the picture: neighbours of a middle that is enlarged must not blend in."""
        return self._factor == 1 and min(self.size) >= self.side

    @property
    def _box(self) -> tuple[int, int, int, int]:
        """The middle, extended to whole steps of the factor: left, top, right, bottom."""
        (width, height), edge, factor = self.size, min(self.size), self._factor
        if self._skips_first_step:
            return 0, 0, width, height
        left, top = ((side - edge) // 2 // factor * factor for side in self.size)
        right, bottom = (-(-(side + edge) // 2 // factor) * factor for side in self.size)
        return left, top, min(right, width), min(bottom, height)
