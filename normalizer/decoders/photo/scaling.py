"""The size of a preview: a whole fraction, which costs almost nothing, if that keeps enough pixels.

A photo of 5,712 pixels is still larger than any screen at half its size. A screenshot of a long page, 1,170 by
9,000 pixels, would be unreadable at a third of it, so it is scaled exactly to the limit. One of a whole conversation,
1,080 by 30,000 pixels, would be unreadable even then. It is a strip, and keeps as many pixels as the canvas holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from normalizer.canvas import Canvas, Size, reduced_size

#: A short side that shows all details of a photo, and the text of a page in readable letters.
_ENOUGH = 1024

#: How many times longer than wide a strip is at least, and the pixels across that hold a line of text.
_STRIP_SHAPE, _LINE = 8, 64


@dataclass(frozen=True, slots=True)
class Fit:
    """A downscaling: keep one in `factor` rows and columns, then resample to `size` if that differs."""

    factor: int
    size: Size


def fit(size: Size, max_side: int, factors: Sequence[int]) -> Fit:
    """Return the cheapest way to fit the limit. `factors` are the possible ones, in rising order from 1."""
    longest, shortest = max(size), min(size)
    if longest > max(max_side, _STRIP_SHAPE * shortest) and shortest >= _LINE:
        strip = _strip_fit(size, max_side, factors)
        if strip:
            return strip
    enough = min(_ENOUGH, shortest, max(1, shortest * max_side // longest))
    for factor in factors:
        if -(-longest // factor) <= max_side and shortest // factor >= enough:
            return Fit(factor, reduced_size(size, factor))
    spare = max(f for f in factors if f == 1 or longest // f >= max_side)
    return Fit(spare, _scaled(size, max_side))


def _strip_fit(size: Size, max_side: int, factors: Sequence[int]) -> Fit | None:
    """Return the largest whole fraction that the canvas holds as a strip. Resampling would take too much memory."""
    canvas = Canvas(max_side)
    fractions = (Fit(factor, reduced_size(size, factor)) for factor in factors)
    found = next((each for each in fractions if canvas.holds(*each.size)), None)
    return found if found and max(found.size) > max_side else None


def _scaled(size: Size, max_side: int) -> Size:
    share = min(1.0, max_side / max(size))
    width, height = (max(1, round(each * share)) for each in size)
    return width, height
