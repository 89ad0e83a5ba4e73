"""How long we wait for a platform, and how slow it may be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .errors import Unreachable


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds, unless said otherwise. The numbers serve 25 MB over a poor line."""

    #: Until there is a connection: look-up, TCP and TLS together.
    connect: float = 5.0
    #: From there to the end of the answer's headers.
    first_byte: float = 15.0
    #: Between two pieces of a body.
    idle: float = 15.0
    #: For the body of an answer to a flow's call.
    reply: float = 15.0
    #: For a whole download, redirects included, waiting for our own turn not.
    download: float = 120.0
    #: Bytes per second, averaged over `window` seconds. Below it a body is a drip that only holds a place.
    slowest: float = 8_000.0
    window: float = 10.0


class Budget:
    """Time that runs only inside `running`; when it is used up, what runs there ends as `Unreachable`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._remaining = seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            async with asyncio.timeout(self._remaining):
                yield
        except TimeoutError as exc:
            raise Unreachable(f"not done within {self._seconds:g} s", sent=True) from exc
        finally:
            self._remaining -= clock() - started


class ThroughputGuard:
    """Raises `Unreachable` when a body comes slower than `slowest` over a whole `window`."""

    def __init__(self, deadlines: Deadlines, now: float) -> None:
        self._deadlines = deadlines
        self._window_start = now
        self._bytes = 0

    def take(self, size: int, now: float) -> None:
        """Count `size` bytes that came at `now` (seconds on any steady clock)."""
        self._bytes += size
        passed = now - self._window_start
        if passed < self._deadlines.window:
            return
        if self._bytes < self._deadlines.slowest * passed:
            raise Unreachable(f"slower than {self._deadlines.slowest:g} bytes/s", sent=True)
        self._window_start, self._bytes = now, 0
