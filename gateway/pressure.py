"""Accepting goes first: while many deliveries wait for their answer, reading what was accepted gives way.

The platforms wait seconds for an answer and give up; what is in the journal can wait. Reading is slowed, never
stopped, so that an overload of hours still drains.
"""

import asyncio
from collections.abc import Callable

#: Deliveries in one group commit from which accepting counts as pressed: so many waited for it together.
_MANY = 16
#: Deliveries accepted under pressure for each that is read.
_SHARE = 10
#: Seconds that reading gives way at the most, before it goes on with its next slice.
_LONGEST = 0.15
_LOOK_EVERY = 0.002


class Pressure:
    """One for the whole gateway. `waited` tells how many deliveries the last group commit held."""

    def __init__(self, waited: Callable[[], int]) -> None:
        self._waited = waited
        self._accepted = 0

    def accepted(self) -> None:
        """One more delivery was accepted."""
        self._accepted += 1

    async def give_way(self, read: int) -> None:
        """After `read` deliveries were read: wait while accepting needs the time more."""
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        enough, until = self._accepted + read * _SHARE, loop.time() + _LONGEST
        while self._pressed(enough) and loop.time() < until:  # noqa: ASYNC110 - cheaper than a wake-up each
            await asyncio.sleep(_LOOK_EVERY)

    def _pressed(self, enough: int) -> bool:
        return self._accepted < enough and self._waited() >= _MANY
