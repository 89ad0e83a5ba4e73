"""Looks now and then for what waits in the journal and is in nobody's hands.

Nothing should be: each part takes up what an earlier run left and hands over what it made. This is the net
below them, so that a mistake anywhere delays a message by a minute and never loses it.
"""

from collections.abc import Awaitable, Callable, Sequence

from gateway.backoff import every
from gateway.journal import JournalUnavailable

_EVERY = 60.0


class Reconciler:
    """Calls each `pick_up` in turn, every `seconds`."""

    def __init__(
        self, pick_ups: Sequence[Callable[[], Awaitable[None]]], seconds: float = _EVERY
    ) -> None:
        self._pick_ups = pick_ups
        self._seconds = seconds

    async def run(self) -> None:
        event = "reconciler_waits_for_the_journal"
        await every(self._seconds, self._pick_up, JournalUnavailable, event)

    async def _pick_up(self) -> None:
        for pick_up in self._pick_ups:
            await pick_up()
