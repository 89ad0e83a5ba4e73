"""How late the event loop runs its timers: while something blocks it, every delivery waits as long."""

import asyncio
from collections import deque
from typing import NoReturn

from .metrics import LOOP_LAG

#: Seconds between two measurements, and number of measurements of which the worst is shown: more than the time
#: between two scrapes, so that none is missed.
_EVERY = 0.5
_KEPT = 60


class LoopLag:
    """Measures all the time; `worst` is the largest lag of the last half minute, in seconds."""

    def __init__(self) -> None:
        self._measured: deque[float] = deque(maxlen=_KEPT)

    def worst(self) -> float:
        return max(self._measured, default=0.0)

    async def run(self) -> NoReturn:
        LOOP_LAG.set_function(self.worst)
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            self._measured.append(max(0.0, loop.time() - due))
