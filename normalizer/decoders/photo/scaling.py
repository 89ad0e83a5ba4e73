"""How much smaller a photo gets: by a whole fraction, which costs next to nothing, where that keeps enough.

A photo of 5,712 pixels by a half is still larger than any screen. A screenshot of a long page, 1,170 by
9,000, by a third would be unreadable, so it is brought to the limit exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from normalizer.canvas import Size, reduced_size

#: A short side that shows all there is to see, and text of a page in readable letters.
_ENOUGH = 1024


@dataclass(frozen=True, slots=True)
class Fit:
    """Leave out all but one of `factor` rows and columns, then resample to `size` where that differs."""

    factor: int
    size: Size


def fit(size: Size, max_side: int, factors: Sequence[int]) -> Fit:
    """The cheapest way under the limit; `factors`, in rising order from 1, can be had."""
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
