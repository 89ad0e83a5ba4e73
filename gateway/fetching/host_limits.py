"""Limits for each host: a circuit breaker, and a maximum of concurrent downloads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .circuit_breaker import Attempt, Breaker, BreakerPolicy
from .errors import Unreachable

#: Failing hosts that are remembered. Platforms have thousands of media hosts.
_MAX_REMEMBERED = 1000


@dataclass(slots=True)
class _Host:
    breaker: Breaker
    places: asyncio.Semaphore
    users: int = 0


class HostLimits:
    """Limits concurrency for each host, and pauses hosts that keep failing. Hosts never wait for each other."""

    def __init__(self, policy: BreakerPolicy, *, at_once: int, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._at_once = at_once
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    def __len__(self) -> int:
        """Return the number of hosts that are remembered: those in use and those that failed."""
        return len(self._hosts)

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Attempt]:
        """Wait for a free slot, then yield the attempt; raise `Unreachable` while the host is paused."""
        host = self._hosts.get(name) or self._remember(name)
        host.users += 1
        try:
            _raise_if_open(name, host.breaker)
            async with host.places:
                _raise_if_open(name, host.breaker)
                with host.breaker.attempt() as attempt:
                    yield attempt
        finally:
            host.users -= 1
            if not host.users and host.breaker.has_no_failures:
                del self._hosts[name]

    def _remember(self, name: str) -> _Host:
        if len(self._hosts) >= _MAX_REMEMBERED:
            idle = next((name for name, host in self._hosts.items() if not host.users), None)
            if idle is not None:
                del self._hosts[idle]
        breaker = Breaker(self._policy, clock=self._clock)
        return self._hosts.setdefault(name, _Host(breaker, asyncio.Semaphore(self._at_once)))


def _raise_if_open(name: str, breaker: Breaker) -> None:
    if (after := breaker.wait()) > 0:
        raise Unreachable(f"{name} failed repeatedly and is paused", sent=False, after=after)
