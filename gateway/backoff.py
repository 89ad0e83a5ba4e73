"""How long to wait before trying again."""

import random


def delay(attempt: int, *, base: float, ceiling: float) -> float:
    """Seconds before retry `attempt` (1, 2, …): doubling from `base` to `ceiling`, with full jitter's upper half.

    Half of it is fixed so that a retry is never immediate, half is random so that many do not come at once.
    """
    longest = min(ceiling, base * 2.0 ** min(attempt - 1, 30))
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - spreads load, hides nothing
