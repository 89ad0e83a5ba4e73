"""Failures of one cause leave the tries and the short pauses of another as they are."""

import pytest

from gateway.media.retry_policy import FailedTries, next_try

DAY = 86_400.0


def pause(reason: str, tries: FailedTries, *, recorded: int = 0, local: bool = False) -> float:
    retry = next_try(
        reason,
        attempts=tries.count(reason, recorded=recorded, local=local),
        retry_after=None,
        age=0.0,
        patience=DAY,
        local=local,
    )
    return retry.after if retry else 0.0


@pytest.mark.parametrize("reason", ["gone", "expired", "checksum_mismatch", "unauthorized"])
def test_full_disk_leaves_each_reason_its_tries(reason: str) -> None:
    tries = FailedTries()
    for number in range(9):
        assert 0 < pause("unreachable", tries, recorded=number, local=True) <= 15 * 1.5
    assert pause(reason, tries, recorded=9) > 0


def test_broken_download_after_a_full_disk_is_repeated_soon() -> None:
    tries = FailedTries()
    for number in range(9):
        pause("unreachable", tries, recorded=number, local=True)
    assert 0 < pause("unreachable", tries, recorded=9) < 5


def test_reason_with_few_tries_ends_after_them() -> None:
    tries = FailedTries()
    pauses = [pause("gone", tries, recorded=number) for number in range(5)]
    assert [wait > 0 for wait in pauses] == [True, True, True, True, False]


def test_restart_leaves_one_try_after_many() -> None:
    tries = FailedTries()
    assert [pause("expired", tries, recorded=12 + number) > 0 for number in range(2)] == [
        True,
        False,
    ]
