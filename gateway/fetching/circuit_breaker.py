"""Circuit breaker: after several consecutive failures, calls are refused for a while; then one call is tried.

It has no timers, tasks or I/O; time and randomness are the arguments `clock` and `chance`. One breaker guards one
host, and is used from one thread.

    closed      calls pass; `failures` in a row open the breaker, and so does one failure with a Retry-After
    open        calls are refused until the cool-down is over; the cool-down doubles with each consecutive opening
    half_open   one call is tried, all others are refused; its outcome closes or opens the breaker
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

State = Literal["closed", "open", "half_open"]
Outcome = Literal["failed", "worked", "unknown"]


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, and for how many seconds."""

    #: Consecutive failures. With fewer, one bad file or one lost packet would block a host.
    failures: int = 5
    cool_down: float = 5.0
    longest: float = 300.0
    #: A cool-down is longer by up to this share, so that many breakers do not close at the same time.
    jitter: float = 0.25
    #: Maximum Retry-After: a mistake must not block a host for days.
    longest_asked: float = 3600.0


class Open(Exception):
    """The breaker refuses the call; a call may be tried in `after` seconds."""

    def __init__(self, after: float) -> None:
        super().__init__(f"the circuit breaker is open for another {after:.1f} s")
        self.after = after


class Breaker:
    """Guards calls: wrap each one in `with breaker.attempt() as attempt:`; `Attempt` describes the outcomes."""

    def __init__(
        self,
        policy: BreakerPolicy = BreakerPolicy(),
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._chance = chance
        self._failures = 0
        #: Consecutive openings without a success between them.
        self._openings = 0
        self._open_until = 0.0
        self._probe: Attempt | None = None
        #: An outcome counts only for the round in which its call started: 100 calls that were in flight when the
        #: breaker opened are one opening, not twenty.
        self._round = 0

    @property
    def state(self) -> State:
        if self._openings == 0:
            return "closed"
        return "open" if self._clock() < self._open_until else "half_open"

    @property
    def has_no_failures(self) -> bool:
        """Whether the breaker is closed and counts no failure, like a new one."""
        return self._openings == 0 and self._failures == 0

    def wait(self) -> float:
        """Return the seconds until a call may be tried; 0.0 if that is now."""
        if self._openings == 0:
            return 0.0
        left = self._open_until - self._clock()
        if left > 0:
            return left
        return self._policy.cool_down if self._probe else 0.0

    def attempt(self) -> "Attempt":
        """Return the permission for one call; raise `Open` if the call is refused."""
        if (after := self.wait()) > 0:
            raise Open(after)
        attempt = Attempt(self._settle, self._round)
        if self._openings:
            self._probe = attempt
        return attempt

    def _settle(self, attempt: "Attempt", outcome: Outcome, retry_after: float) -> None:
        if self._probe is attempt:
            self._probe = None
        retry_after = min(retry_after, self._policy.longest_asked)
        if attempt.round == self._round:
            self._count(outcome, retry_after)
        elif outcome == "failed" and retry_after:
            self._open_until = max(self._open_until, self._clock() + retry_after)

    def _count(self, outcome: Outcome, retry_after: float) -> None:
        if outcome == "failed":
            self._failures += 1
            if self._openings or retry_after or self._failures >= self._policy.failures:
                self._open(retry_after)
        elif outcome == "worked":
            self._failures = 0
            if self._openings:
                self._openings = 0
                self._round += 1

    def _open(self, retry_after: float) -> None:
        policy = self._policy
        doubled = policy.cool_down * 2.0 ** min(self._openings, 30)
        cool_down = min(doubled, policy.longest) * (1 + policy.jitter * self._chance())
        self._open_until = self._clock() + max(cool_down, retry_after)
        self._openings += 1
        self._round += 1


class Attempt:
    """One permitted call. `failed` marks a failure; leaving the block normally counts as a success.

    An exception that leaves the block counts as neither, because a cancelled call proves nothing, unless `worked`
    was called before.
    """

    def __init__(self, settle: "Callable[[Attempt, Outcome, float], None]", round: int) -> None:
        self._settle = settle
        self._is_settled = False
        self._has_worked = False
        self.round = round

    def failed(self, after: float | None = None) -> None:
        """Record a failure of the host; `after` is its Retry-After in seconds."""
        self._end("failed", after or 0.0)

    def worked(self) -> None:
        """Record that the host works: a later exception does not count against it, unless `failed` is called."""
        self._has_worked = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end("worked" if self._has_worked or kind is None else "unknown", 0.0)

    def _end(self, outcome: Outcome, retry_after: float) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._settle(self, outcome, retry_after)
