"""Turns: hosts and conversations take turns for places, and none holds more than its share."""

from typing import Any

import pytest

from gateway.media.turns import UNKNOWN_SIZE, HostBusy, Limits, Turns, Waiting

MB = 1_000_000


def file(number: int, conversation: int = 1, host: str = "a.example", **more: Any) -> Waiting:
    return Waiting(number, 0, number, conversation, host, **{"size": 1000, **more})


def turns(places: int = 128, **more: int) -> Turns:
    return Turns(Limits(places, **more))


def filled(made: Turns, *files: Waiting) -> Turns:
    for one in files:
        made.add(one)
    return made


def taken(made: Turns) -> list[Waiting]:
    """Take files until none may start."""
    found = []
    while (one := made.take()) is not None:
        found.append(one)
    return found


def numbers(files: list[Waiting]) -> list[int]:
    return [one.message for one in files]


def test_file_taken_up_again_stands_beside_its_old_entry() -> None:
    assert numbers(taken(filled(turns(), file(1, is_new=True), file(1)))) == [1, 1]


def test_hosts_take_turns() -> None:
    files = [*(file(n, n) for n in range(3)), *(file(n, n, "b.example") for n in range(10, 13))]
    assert numbers(taken(filled(turns(), *files))) == [0, 10, 1, 11, 2, 12]


def test_conversations_of_a_host_take_turns() -> None:
    files = [*(file(n, 1) for n in range(3)), *(file(n, 2) for n in range(10, 13))]
    assert numbers(taken(filled(turns(), *files))) == [0, 10, 1, 11, 2, 12]


def test_small_files_come_first_and_unknown_ones_between() -> None:
    large, unknown, small = file(1, size=20 * MB), file(2, size=UNKNOWN_SIZE), file(3, size=10)
    assert numbers(taken(filled(turns(), large, unknown, small))) == [3, 2, 1]


def test_equally_large_files_come_in_order_of_arrival() -> None:
    assert numbers(taken(filled(turns(), file(2), file(1), file(3)))) == [1, 2, 3]


def test_files_that_timed_out_come_last() -> None:
    late = [file(n, n, is_late=True) for n in range(2)]
    assert numbers(taken(filled(turns(), *late, file(9, 9)))) == [9, 0, 1]


def test_files_that_timed_out_get_some_turns_of_a_busy_host() -> None:
    busy = [file(n, n) for n in range(10, 40)]
    found = numbers(taken(filled(turns(), *busy, file(1, 1, is_late=True))))
    assert found.index(1) == 7


@pytest.mark.parametrize("hosts", [1, 2, 3, 5, 7])
def test_slow_hosts_leave_a_place_for_every_other(hosts: int) -> None:
    slow = [file(n, n, f"{n % hosts}.slow.example") for n in range(1000)]
    made = filled(turns(), *slow)
    held = taken(made)
    assert len(held) <= 32 * hosts
    assert numbers(taken(filled(made, file(5000, 5000)))) == [5000]


def test_a_conversation_holds_few_places_of_a_host() -> None:
    made = filled(turns(), *(file(n) for n in range(40)))
    assert len(taken(made)) == 8
    assert numbers(taken(filled(made, file(99, 2)))) == [99]


def test_a_conversation_holds_bounded_bytes_but_always_one_file() -> None:
    made = filled(turns(), *(file(n, size=25 * MB) for n in range(5)))
    assert len(taken(made)) == 2
    assert numbers(taken(filled(turns(), file(1, size=900 * MB)))) == [1]


def test_places_return_when_files_are_done() -> None:
    made = filled(turns(), *(file(n) for n in range(40)))
    for one in taken(made):
        made.done(one, was_fetched=False)
    assert numbers(taken(made)) == list(range(8, 16))


def test_a_fetched_file_frees_its_host_but_not_its_conversation() -> None:
    made = filled(turns(at_one_host=1), file(1), file(2, 2))
    (first,) = taken(made)
    made.fetched(first)
    (second,) = taken(made)
    assert second.message == 2
    made.done(first, was_fetched=True)
    made.done(second, was_fetched=False)
    assert not made._files
    assert not made._bytes
    assert not made._fetching


def test_files_being_made_safe_leave_room_for_newcomers() -> None:
    made = turns(places=16)
    for number in range(100):
        made.add(file(number, number % 4))
    for _ in range(20):
        for one in taken(made):
            made.fetched(one)
    assert made._in_safe <= 8
    assert numbers(taken(filled(made, file(500, 500)))) == [500]


def test_a_file_takes_its_place_to_the_host_it_leads_to() -> None:
    made = filled(turns(at_one_host=1), file(1, 1, "api.example"), file(2, 2, "cdn.example"))
    (one, other) = taken(made)
    with pytest.raises(HostBusy, match=r"cdn\.example"):
        made.move(one, "cdn.example")
    made.done(other, was_fetched=False)
    made.move(one, "cdn.example")
    assert numbers(taken(filled(made, file(3, 3, "api.example")))) == [3]
    assert taken(filled(made, file(4, 4, "cdn.example"))) == []


def test_a_file_alone_moves_even_with_one_place() -> None:
    made = filled(turns(places=1), file(1, 1, "api.example"))
    (one,) = taken(made)
    made.move(one, "cdn.example")
    assert one.host == "cdn.example"


def test_nodes_share_the_places_of_a_host() -> None:
    made = Turns(Limits(128), share=lambda limit: limit // 4)
    assert len(taken(filled(made, *(file(n, n) for n in range(20))))) == 8
