"""A circuit breaker: after some failures in a row it says "not now" for a while, then lets one call try.

Pure but for its arguments `clock` and `chance`: no timers, no tasks, no I/O. One breaker guards one thing
that can be away (a host, the conversation core); it is used from one thread.

    closed      calls pass; `failures` in a row open it, or one failure that says when to come back
    open        calls are refused until the cool-down is over; it doubles with each opening in a row
    half_open   one call may try, all others are refused; its outcome closes or opens
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
    """When a breaker opens and for how long (seconds)."""

    #: In a row. Fewer would let one bad file or one lost packet shut out a host.
    failures: int = 5
    cool_down: float = 5.0
    longest: float = 300.0
    #: A cool-down is longer by up to this share, so that many breakers do not come back at once.
    jitter: float = 0.25
    #: A Retry-After beyond this is cut: somebody's mistake must not silence a host for days.
    longest_asked: float = 3600.0


class Open(Exception):
    """Not now. `after` is in how many seconds a call may be tried."""

    def __init__(self, after: float) -> None:
        super().__init__(f"not before {after:.1f} s")
        self.after = after


class Breaker:
    """`with breaker.attempt() as attempt:` around each call; see `Attempt` for its outcome."""

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
        #: How often it opened without a success between.
        self._openings = 0
        self._open_until = 0.0
        self._probe: Attempt | None = None
        #: Outcomes count only for the round in which their call began: 100 calls that were under way when
        #: it opened are one opening, not twenty.
        self._round = 0

    @property
    def state(self) -> State:
        if self._openings == 0:
            return "closed"
        return "open" if self._clock() < self._open_until else "half_open"

    @property
    def has_no_failures(self) -> bool:
        """Closed, and nothing remembered against it: a new breaker would behave the same."""
        return self._openings == 0 and self._failures == 0

    def wait(self) -> float:
        """Seconds until a call may be tried; 0.0 for now."""
        if self._openings == 0:
            return 0.0
        left = self._open_until - self._clock()
        if left > 0:
            return left
        return self._policy.cool_down if self._probe else 0.0

    def attempt(self) -> "Attempt":
        """Permission for one call; raises `Open` while there is none."""
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
    """One permitted call. `failed` says it failed; leaving the block normally says it did not.

    An exception that leaves the block says neither (a cancelled call proves nothing), unless `worked` was
    called before.
    """

    def __init__(self, settle: "Callable[[Attempt, Outcome, float], None]", round: int) -> None:
        self._settle = settle
        self._is_settled = False
        self._has_worked = False
        self.round = round

    def failed(self, after: float | None = None) -> None:
        """The thing is away; `after` is when it asked us to come back (Retry-After, seconds)."""
        self._end("failed", after or 0.0)

    def worked(self) -> None:
        """The thing is there: an exception that follows is not its fault, unless `failed` says so."""
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
