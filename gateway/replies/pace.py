"""Pace: the rate at which a platform accepts texts, kept for each of its accounts."""

import time
from collections.abc import Callable

#: Accounts whose next turn is remembered; one that has been idle needs none.
_MAX_REMEMBERED = 10_000


class Pace:
    """Gives turns, one after the other, to the texts of an account. `steady` counts seconds.

    An account's rate is divided among the `nodes` that send its texts.
    """

    def __init__(
        self, steady: Callable[[], float] = time.monotonic, nodes: Callable[[], int] = lambda: 1
    ) -> None:
        self._steady = steady
        self._nodes = nodes
        self._next: dict[tuple[str, str], float] = {}

    def turn(self, connector: str, account: str, per_second: float | None) -> float:
        """Take the next turn, and return the seconds until then; 0.0 for now."""
        if per_second is None or per_second <= 0:
            return 0.0
        now = self._steady()
        turn = max(now, self._next.pop((connector, account), now))
        if len(self._next) >= _MAX_REMEMBERED:
            self._next = {key: at for key, at in self._next.items() if at > now}
        self._next[connector, account] = turn + self._nodes() / per_second
        return turn - now
