"""Reconciler: periodically looks for work in the journal that no worker has taken up.

There should be none: each worker takes up the work that an earlier run left, and every transaction announces new
work. This is a safety net, so that a bug delays a message by a minute instead of losing it.
"""

from collections.abc import Awaitable, Callable, Sequence

from gateway.backoff import every
from gateway.journal import JournalUnavailable

_EVERY = 60.0


class Reconciler:
    """Calls each of `pick_ups` every `seconds`."""

    def __init__(
        self, pick_ups: Sequence[Callable[[], Awaitable[None]]], seconds: float = _EVERY
    ) -> None:
        self._pick_ups = pick_ups
        self._seconds = seconds

    async def run(self) -> None:
        event = "reconciler_delayed"
        await every(self._seconds, self._pick_up, JournalUnavailable, event)

    async def _pick_up(self) -> None:
        for pick_up in self._pick_ups:
            await pick_up()
