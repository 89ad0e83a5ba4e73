"""Gives accepting deliveries priority over parsing and forwarding them.

Platforms wait only seconds for a response; deliveries in the journal can wait. While many requests wait for their
response, parsing and forwarding get a smaller share of the event loop. They are slowed but never stopped, so that
an overload of hours still drains.
"""

import asyncio
from collections import deque

#: Average number of deliveries waiting for their response up to which other work is not slowed.
_LOW = 5
#: Minimum share of the event loop's time for other work, however many deliveries wait.
_MIN_SHARE = 0.12
#: Seconds over which the average is taken: deliveries arrive in waves, and a single stall is not an overload.
_WINDOW = 0.03
#: Seconds of unused share that may be used later: timers are accurate only to a few milliseconds.
_CREDIT = 0.002
_RECHECK = 0.001


class IntakePriority:
    """Shared by the whole gateway: webhooks report waiting deliveries, workers on the journal wait for turns."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._waiting = 0
        self._changed = self._since = self._clock()
        #: Waiting deliveries integrated over time: since `_since`, and over the `_WINDOW` seconds before it.
        self._area = self._area_before = 0.0
        self._turns: deque[tuple[asyncio.Future[None], float]] = deque()
        self._next = 0.0

    def arrived(self) -> None:
        """Count one more delivery that waits for its response."""
        self._count(1)

    def answered(self) -> None:
        """Count one delivery less."""
        self._count(-1)

    def _count(self, change: int) -> None:
        now = self._clock()
        self._area += self._waiting * (now - self._changed)
        self._changed = now
        self._waiting += change

    def is_low(self) -> bool:
        """Whether other work need not wait now."""
        return self._average() <= _LOW

    async def wait_turn(self, seconds: float) -> None:
        """Wait until work that occupies the event loop for about `seconds` may begin."""
        if not self._turns and self.is_low():
            return
        loop = asyncio.get_running_loop()
        granted: asyncio.Future[None] = loop.create_future()
        if not self._turns:
            loop.call_later(_RECHECK, self._grant_turns)
        self._turns.append((granted, seconds))
        await granted

    def _grant_turns(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        # The share falls steeply: 25 % above `_LOW` leaves half of the time, twice `_LOW` about the minimum.
        share = max((_LOW / max(self._average(), _LOW)) ** 3, _MIN_SHARE)
        self._next = max(self._next, now - _CREDIT)
        while self._turns and (share == 1 or self._next <= now):
            granted, seconds = self._turns.popleft()
            if not granted.done():
                granted.set_result(None)
                self._next += seconds / share
        if self._turns:
            # Check again before the next turn is due: the wave may be over sooner.
            wait = min(self._next - now, _WINDOW)
            loop.call_later(max(wait, _RECHECK), self._grant_turns)

    def _average(self) -> float:
        """Return the average number of deliveries that wait at the same time."""
        self._count(0)
        now, elapsed = self._changed, self._changed - self._since
        if elapsed > _WINDOW:
            self._area_before = self._area * _WINDOW / elapsed
            self._area, self._since = 0.0, now
            return self._area_before / _WINDOW
        return (self._area + self._area_before) / (elapsed + _WINDOW)
