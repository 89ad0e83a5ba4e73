"""Delays between retries."""

import random


def delay(attempt: int, *, base: float, ceiling: float) -> float:
    """Return the seconds before retry `attempt` (1, 2, …): exponential from `base` to `ceiling`, with equal jitter.

    Half of the delay is fixed, so that a retry is never immediate; half is random, so that many retries spread out.
    """
    longest = min(ceiling, base * 2.0 ** min(attempt - 1, 30))
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - spreads load, protects nothing
