"""Accepting goes first: while deliveries wait for their answer, what follows acceptance takes smaller turns.

The platforms wait seconds for an answer and give up; what is in the journal can wait. Reading and forwarding
are slowed, never stopped, so that an overload of hours still drains.
"""

import asyncio
from collections import deque

#: Deliveries waiting for their answer, on average, up to which nobody has to give way.
_LOW = 5
#: The share of the time that is left for the rest, however many wait.
_MIN_SHARE = 0.12
#: Seconds over which the average is taken: deliveries come and are answered in waves, and one stall is no onslaught.
_WINDOW = 0.03
#: Seconds of unused share that may be caught up with: timers are no finer than a few milliseconds.
_CREDIT = 0.002
_RECHECK = 0.001


class IntakePriority:
    """One for the whole gateway: who accepts tells how many wait; who works through the journal asks for turns."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._waiting = 0
        self._changed = self._since = self._clock()
        #: How many waited, times for how long: since `_since`, and in the `_WINDOW` seconds before.
        self._area = self._area_before = 0.0
        self._turns: deque[tuple[asyncio.Future[None], float]] = deque()
        self._next = 0.0

    def arrived(self) -> None:
        """One more delivery waits for its answer."""
        self._count(1)

    def answered(self) -> None:
        """One waits no longer."""
        self._count(-1)

    def _count(self, change: int) -> None:
        now = self._clock()
        self._area += self._waiting * (now - self._changed)
        self._changed = now
        self._waiting += change

    def is_low(self) -> bool:
        """Whether nobody has to give way now."""
        return self._average() <= _LOW

    async def wait_turn(self, seconds: float) -> None:
        """Wait until work that holds the event loop for about `seconds` may begin."""
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
        # Falls steeply: a quarter more than are calm leave half of the time, twice as many the least.
        share = max((_LOW / max(self._average(), _LOW)) ** 3, _MIN_SHARE)
        self._next = max(self._next, now - _CREDIT)
        while self._turns and (share == 1 or self._next <= now):
            granted, seconds = self._turns.popleft()
            if not granted.done():
                granted.set_result(None)
                self._next += seconds / share
        if self._turns:
            # Looked at again in between: the wave may be over sooner than the next turn is due.
            wait = min(self._next - now, _WINDOW)
            loop.call_later(max(wait, _RECHECK), self._grant_turns)

    def _average(self) -> float:
        """How many deliveries waited together, on average."""
        self._count(0)
        now, elapsed = self._changed, self._changed - self._since
        if elapsed > _WINDOW:
            self._area_before = self._area * _WINDOW / elapsed
            self._area, self._since = 0.0, now
            return self._area_before / _WINDOW
        return (self._area + self._area_before) / (elapsed + _WINDOW)
