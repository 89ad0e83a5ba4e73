"""Accepting goes first: while many deliveries wait for their answer, reading what was accepted gives way.

The platforms wait seconds for an answer and give up; what is in the journal can wait. Reading is slowed, never
stopped, so that an overload of hours still drains.
"""

import asyncio

#: Requests in hand from which accepting counts as pressed; a server that keeps up has a handful.
_MANY = 16
#: Deliveries accepted under pressure for each that is read.
_SHARE = 8
#: Seconds that reading gives way at the most, before it goes on with its next slice.
_LONGEST = 0.1
_LOOK_EVERY = 0.005


class Pressure:
    """Counts requests in hand. One for the whole gateway."""

    def __init__(self) -> None:
        self._in_hand = 0
        self._done = 0

    def __enter__(self) -> None:
        """A delivery is being accepted."""
        self._in_hand += 1

    def __exit__(self, *error: object) -> None:
        self._in_hand -= 1
        self._done += 1

    async def give_way(self, read: int) -> None:
        """After `read` deliveries were read: wait while accepting needs the time more."""
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        enough, until = self._done + read * _SHARE, loop.time() + _LONGEST
        while self._in_hand >= _MANY and self._done < enough and loop.time() < until:  # noqa: ASYNC110 - a look is cheaper than a wake-up for each delivery
            await asyncio.sleep(_LOOK_EVERY)
