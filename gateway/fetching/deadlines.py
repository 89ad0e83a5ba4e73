"""Deadlines: time limits for requests, and the minimum speed of a body."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .errors import Unreachable


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Time limits, in seconds unless noted. They allow 25 MB over a slow connection."""

    #: Until there is a connection: DNS, TCP and TLS together.
    connect: float = 5.0
    #: From the connection to the end of the response headers.
    first_byte: float = 15.0
    #: Between two pieces of a body.
    idle: float = 15.0
    #: For the body of a response to a flow's call.
    reply: float = 15.0
    #: For a whole download, including redirects but not time spent queued for the host.
    download: float = 120.0
    #: Minimum bytes per second, averaged over `window` seconds. A slower body only occupies a connection.
    slowest: float = 8_000.0
    window: float = 10.0


class Budget:
    """A time limit that counts only the time spent in `running`; exceeding it raises `Unreachable`."""

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
            raise Unreachable(f"not finished within {self._seconds:g} s", sent=True) from exc
        finally:
            self._remaining -= clock() - started


class ThroughputGuard:
    """Raises `Unreachable` if a body is slower than `slowest` over a whole `window`."""

    def __init__(self, deadlines: Deadlines, now: float) -> None:
        self._deadlines = deadlines
        self._window_start = now
        self._bytes = 0

    def take(self, size: int, now: float) -> None:
        """Count `size` bytes that arrived at `now` (seconds of a monotonic clock)."""
        self._bytes += size
        passed = now - self._window_start
        if passed < self._deadlines.window:
            return
        if self._bytes < self._deadlines.slowest * passed:
            raise Unreachable(f"slower than {self._deadlines.slowest:g} bytes/s", sent=True)
        self._window_start, self._bytes = now, 0
