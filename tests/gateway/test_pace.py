"""The rate at which a platform accepts texts is kept for each account."""

import pytest

from gateway.replies.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_texts_of_an_account_are_spaced() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [pace.turn("a", "1", 4) for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    clock.now += 0.5
    assert pace.turn("a", "1", 4) == 0.5
    clock.now += 60
    assert [pace.turn("a", "1", 4) for _ in range(2)] == [0.0, 0.25]


def test_accounts_and_connectors_do_not_wait_for_each_other() -> None:
    pace = Pace(Clock())
    assert [pace.turn(*where, 1) for where in (("a", "1"), ("a", "2"), ("b", "1"))] == [0.0] * 3
    assert pace.turn("a", "1", 1) == 1.0


@pytest.mark.parametrize("rate", [None, 0, -1.0])
def test_without_a_rate_no_text_waits(rate: float | None) -> None:
    pace = Pace(Clock())
    assert [pace.turn("a", "1", rate) for _ in range(3)] == [0.0] * 3


def test_idle_accounts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.replies.pace._MAX_REMEMBERED", 3)
    clock = Clock()
    pace = Pace(clock)
    for number in range(20):
        pace.turn("a", str(number), 1)
        clock.now += 0.6
    assert len(pace._next) <= 4
