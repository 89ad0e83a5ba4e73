"""The circuit breaker, and the hosts it guards, on a clock of our own."""

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


def test_it_opens_after_so_many_failures_in_a_row_and_not_before(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    assert state(breaker) == "closed"
    fail(breaker)
    assert state(breaker) == "open"
    assert refused_for(breaker) == 10


def test_a_success_between_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    work(breaker)
    fail(breaker)
    fail(breaker)
    assert state(breaker) == "closed"


def test_after_the_cool_down_one_call_may_try_and_the_others_wait(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 10
    assert state(breaker) == "half_open"
    with breaker.attempt():
        assert refused_for(breaker) == 10
    assert state(breaker) == "closed"
    work(breaker)


def test_each_opening_in_a_row_doubles_the_cool_down_up_to_the_longest(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    waits = []
    for _ in range(5):
        waits.append(breaker.wait())
        clock.now += breaker.wait()
        fail(breaker)
    assert waits == [10, 20, 40, 60, 60]


def test_a_success_forgets_the_earlier_openings(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10
    fail(breaker)
    clock.now += 20
    work(breaker)
    opened(breaker)
    assert breaker.wait() == 10


def test_very_many_openings_do_not_overflow(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    for _ in range(2000):
        clock.now += breaker.wait()
        fail(breaker)
    assert breaker.wait() == 60


def test_jitter_makes_a_cool_down_longer_and_never_shorter(clock: Clock) -> None:
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


def test_a_retry_after_shorter_than_the_cool_down_does_not_shorten_it(breaker: Breaker) -> None:
    fail(breaker, after=1)
    assert breaker.wait() == 10


def test_an_absurd_retry_after_is_cut(breaker: Breaker) -> None:
    fail(breaker, after=10**9)
    assert breaker.wait() == 600


def test_calls_that_were_under_way_when_it_opened_are_one_opening(
    breaker: Breaker, clock: Clock
) -> None:
    under_way = [breaker.attempt() for _ in range(50)]
    for attempt in under_way:
        with attempt:
            attempt.failed()
    assert breaker.wait() == 10
    clock.now += 10
    fail(breaker)
    assert breaker.wait() == 20


def test_a_late_success_of_an_earlier_round_does_not_close_it(breaker: Breaker) -> None:
    early = breaker.attempt()
    opened(breaker)
    with early:
        pass
    assert state(breaker) == "open"


def test_a_late_failure_that_says_when_to_come_back_is_heard(breaker: Breaker) -> None:
    early = breaker.attempt()
    opened(breaker)
    with early:
        early.failed(after=50)
    assert breaker.wait() == 50


def test_a_late_failure_of_an_earlier_round_does_not_open_it_again(
    breaker: Breaker, clock: Clock
) -> None:
    early = breaker.attempt()
    opened(breaker)
    clock.now += 10
    work(breaker)
    with early:
        early.failed(after=50)
    assert state(breaker) == "closed"


def test_a_call_that_was_cancelled_proves_nothing_and_frees_the_only_try(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 10
    with pytest.raises(KeyboardInterrupt), breaker.attempt():
        raise KeyboardInterrupt
    assert state(breaker) == "half_open"
    work(breaker)
    assert state(breaker) == "closed"


def test_an_exception_after_it_worked_is_no_failure(breaker: Breaker) -> None:
    fail(breaker)
    fail(breaker)
    with suppress(ValueError), breaker.attempt() as attempt:
        attempt.worked()
        raise ValueError
    assert breaker.has_no_failures


def test_a_failure_after_it_seemed_to_work_is_a_failure(breaker: Breaker) -> None:
    for _ in range(3):
        with breaker.attempt() as attempt:
            attempt.worked()
            attempt.failed()
    assert state(breaker) == "open"


def test_it_is_untroubled_only_while_nothing_is_remembered_against_it(breaker: Breaker) -> None:
    assert breaker.has_no_failures
    fail(breaker)
    assert not breaker.has_no_failures
    work(breaker)
    assert breaker.has_no_failures


async def test_a_host_is_remembered_only_while_it_is_in_use_or_in_trouble(clock: Clock) -> None:
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


async def test_however_many_hosts_are_in_trouble_only_so_many_are_remembered(clock: Clock) -> None:
    hosts = HostLimits(STRICT, at_once=2, clock=clock)
    async with hosts.turn("in-use.example"):
        for number in range(1100):
            async with hosts.turn(f"{number}.example") as attempt:
                attempt.failed()
    assert len(hosts) <= 1001
