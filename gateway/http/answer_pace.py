"""Requests that are refused before their large bodies have arrived get their answers one after the other.

A stranger's megabytes cost more than the answer: the system takes the bytes, and the next attempt comes as soon as this
one is answered. So a crowd is answered at a pace that leaves the event loop to the others.
"""

import asyncio
import math
import time

#: Answers a second, and how many may come at once after a pause.
_A_SECOND = 25.0
_AT_ONCE = 5
#: Requests that may wait for their answer; each holds what has arrived of its body, up to 256 KiB.
_MAX_WAITING = 256


class AnswerPace:
    """When the next answer may be given."""

    def __init__(
        self, a_second: float = _A_SECOND, at_once: int = _AT_ONCE, max_waiting: int = _MAX_WAITING
    ) -> None:
        self._interval = 1 / a_second
        self._at_once = at_once
        self._max_waiting = max_waiting
        self._waiting = 0
        self._next = -math.inf

    async def turn(self) -> bool:
        """Wait for a turn. Returns False at once if too many wait already: then the connection should be closed."""
        now = time.monotonic()
        self._next = max(self._next, now - self._at_once * self._interval) + self._interval
        delay = self._next - now
        if delay <= 0:
            return True
        if self._waiting >= self._max_waiting:
            self._next -= self._interval
            return False
        self._waiting += 1
        try:
            await asyncio.sleep(delay)
        finally:
            self._waiting -= 1
        return True
