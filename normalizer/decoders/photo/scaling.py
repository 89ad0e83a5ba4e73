"""The size of a preview: a whole fraction, which costs almost nothing, if that keeps enough pixels.

A photo of 5,712 pixels is still larger than any screen at half its size. A screenshot of a long page, 1,170 by
9,000 pixels, would be unreadable at a third of it, so it is scaled exactly to the limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from normalizer.canvas import Size, reduced_size

#: A short side that shows all details of a photo, and the text of a page in readable letters.
_ENOUGH = 1024


@dataclass(frozen=True, slots=True)
class Fit:
    """A downscaling: keep one in `factor` rows and columns, then resample to `size` if that differs."""

    factor: int
    size: Size


def fit(size: Size, max_side: int, factors: Sequence[int]) -> Fit:
    """Return the cheapest way to fit the limit. `factors` are the possible ones, in rising order from 1."""
    longest, shortest = max(size), min(size)
    enough = min(_ENOUGH, shortest, max(1, shortest * max_side // longest))
    for factor in factors:
        if -(-longest // factor) <= max_side and shortest // factor >= enough:
            return Fit(factor, reduced_size(size, factor))
    spare = max(f for f in factors if f == 1 or longest // f >= max_side)
    return Fit(spare, _scaled(size, max_side))


def _scaled(size: Size, max_side: int) -> Size:
    share = min(1.0, max_side / max(size))
    width, height = (max(1, round(each * share)) for each in size)
    return width, height
