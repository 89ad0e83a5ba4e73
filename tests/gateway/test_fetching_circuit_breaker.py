"""The circuit breaker and the host limits, on a fake clock."""

from contextlib import suppress

import pytest

from gateway.fetching import Breaker, BreakerPolicy, Open
from gateway.fetching.host_limits import HostLimits

STRICT = BreakerPolicy(failures=3, cool_down=10, longest=60, jitter=0, longest_asked=600)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(STRICT, clock=clock, chance=lambda: 1.0)


def fail(breaker: Breaker, after: float | None = None) -> None:
    with breaker.attempt() as attempt:
        attempt.failed(after)


def work(breaker: Breaker) -> None:
    with breaker.attempt():
        pass


def opened(breaker: Breaker) -> None:
    for _ in range(STRICT.failures):
        fail(breaker)


def state(breaker: Breaker) -> str:
    return breaker.state


def refused_for(breaker: Breaker) -> float:
    with pytest.raises(Open) as refusal:
        breaker.attempt()
    return refusal.value.after


def test_it_opens_after_the_configured_number_of_consecutive_failures(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    assert state(breaker) == "closed"
    fail(breaker)
    assert state(breaker) == "open"
    assert refused_for(breaker) == 10


def test_a_success_resets_the_count(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    work(breaker)
    fail(breaker)
    fail(breaker)
    assert state(breaker) == "closed"


def test_after_the_cool_down_only_one_call_is_tried(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10
    assert state(breaker) == "half_open"
    with breaker.attempt():
        assert refused_for(breaker) == 10
    assert state(breaker) == "closed"
    work(breaker)


def test_consecutive_openings_double_the_cool_down_up_to_the_maximum(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    waits = []
    for _ in range(5):
        waits.append(breaker.wait())
        clock.now += breaker.wait()
        fail(breaker)
    assert waits == [10, 20, 40, 60, 60]


def test_a_success_resets_the_cool_down(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10
    fail(breaker)
    clock.now += 20
    work(breaker)
    opened(breaker)
    assert breaker.wait() == 10


def test_many_openings_do_not_overflow(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    for _ in range(2000):
        clock.now += breaker.wait()
        fail(breaker)
    assert breaker.wait() == 60


def test_jitter_only_lengthens_the_cool_down(clock: Clock) -> None:
    tolerance = BreakerPolicy(failures=1, cool_down=10, jitter=0.5)
    for chance, wait in ((0.0, 10), (0.5, 12.5), (1.0, 15)):
        breaker = Breaker(tolerance, clock=clock, chance=lambda chance=chance: chance)  # type: ignore[misc]  # mypy infers no default
        fail(breaker)
        assert breaker.wait() == wait


def test_retry_after_opens_at_once_and_is_honoured(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, after=45)
    assert state(breaker) == "open"
    clock.now += 44
    assert refused_for(breaker) == 1
    clock.now += 1
    work(breaker)


def test_a_short_retry_after_does_not_shorten_the_cool_down(breaker: Breaker) -> None:
    fail(breaker, after=1)
    assert breaker.wait() == 10


def test_an_absurd_retry_after_is_bounded(breaker: Breaker) -> None:
    fail(breaker, after=10**9)
    assert breaker.wait() == 600


def test_failures_of_calls_in_flight_are_one_opening(breaker: Breaker, clock: Clock) -> None:
    under_way = [breaker.attempt() for _ in range(50)]
    for attempt in under_way:
        with attempt:
            attempt.failed()
    assert breaker.wait() == 10
    clock.now += 10
    fail(breaker)
    assert breaker.wait() == 20


def test_a_late_success_does_not_close_it(breaker: Breaker) -> None:
    early = breaker.attempt()
    opened(breaker)
    with early:
        pass
    assert state(breaker) == "open"


def test_a_late_retry_after_is_honoured(breaker: Breaker) -> None:
    early = breaker.attempt()
    opened(breaker)
    with early:
        early.failed(after=50)
    assert breaker.wait() == 50


def test_a_late_failure_does_not_open_it_again(breaker: Breaker, clock: Clock) -> None:
    early = breaker.attempt()
    opened(breaker)
    clock.now += 10
    work(breaker)
    with early:
        early.failed(after=50)
    assert state(breaker) == "closed"


def test_a_cancelled_call_counts_as_neither_and_allows_another(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 10
    with pytest.raises(KeyboardInterrupt), breaker.attempt():
        raise KeyboardInterrupt
    assert state(breaker) == "half_open"
    work(breaker)
    assert state(breaker) == "closed"


def test_an_exception_after_success_is_not_a_failure(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    with suppress(ValueError), breaker.attempt() as attempt:
        attempt.worked()
        raise ValueError
    assert breaker.has_no_failures


def test_a_failure_after_success_is_a_failure(breaker: Breaker) -> None:
    for _ in range(3):
        with breaker.attempt() as attempt:
            attempt.worked()
            attempt.failed()
    assert state(breaker) == "open"


def test_it_has_no_failures_only_while_it_counts_none(breaker: Breaker) -> None:
    assert breaker.has_no_failures
    fail(breaker)
    assert not breaker.has_no_failures
    work(breaker)
    assert breaker.has_no_failures


async def test_a_host_is_remembered_only_while_used_or_failing(clock: Clock) -> None:
    hosts = HostLimits(STRICT, at_once=2, clock=clock)
    async with hosts.turn("well.example"), hosts.turn("well.example"):
        assert len(hosts) == 1
    assert len(hosts) == 0
    async with hosts.turn("ill.example") as attempt:
        attempt.failed()
    assert len(hosts) == 1
    async with hosts.turn("ill.example"):
        pass
    assert len(hosts) == 0


async def test_the_number_of_remembered_hosts_is_bounded(clock: Clock) -> None:
    hosts = HostLimits(STRICT, at_once=2, clock=clock)
    async with hosts.turn("in-use.example"):
        for number in range(1100):
            async with hosts.turn(f"{number}.example") as attempt:
                attempt.failed()
    assert len(hosts) <= 1001
