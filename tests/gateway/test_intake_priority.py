"""Accepting goes first: what follows acceptance gives way while deliveries wait, and is never stopped."""

import asyncio

from gateway.intake_priority import IntakePriority

_WORK = 0.001


async def _count_turns(priority: IntakePriority, seconds: float) -> int:
    """How many turns are granted within `seconds` to somebody who always wants one more."""
    count = 0

    async def take_turns() -> None:
        nonlocal count
        while True:
            await priority.wait_turn(_WORK)
            count += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(take_turns())
    await asyncio.sleep(seconds)
    task.cancel()
    return count


async def test_nobody_gives_way_while_few_deliveries_wait() -> None:
    priority = IntakePriority()
    for _ in range(5):
        priority.arrived()
    async with asyncio.timeout(5):
        for _ in range(10_000):
            await priority.wait_turn(1.0)


async def test_a_stall_after_which_all_are_answered_is_no_onslaught() -> None:
    priority = IntakePriority()
    await asyncio.sleep(0.05)
    for _ in range(500):
        priority.arrived()
    for _ in range(500):
        priority.answered()
    assert priority.is_low()


async def test_the_more_deliveries_wait_the_fewer_turns_are_granted_but_some_always() -> None:
    few_waiting, many_waiting = IntakePriority(), IntakePriority()
    for _ in range(6):
        few_waiting.arrived()
    for _ in range(500):
        many_waiting.arrived()
    await asyncio.sleep(0.1)
    more, fewer = await asyncio.gather(
        _count_turns(few_waiting, 1.0), _count_turns(many_waiting, 1.0)
    )
    # (5/6)³ of a second's 1,000 turns of a millisecond, and an eighth; a slow machine grants fewer.
    assert 0 < fewer <= 140
    assert fewer < more <= 620


async def test_those_who_gave_way_go_on_once_the_wave_is_over() -> None:
    priority = IntakePriority()
    for _ in range(500):
        priority.arrived()
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(priority.wait_turn(10.0)) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert not all(task.done() for task in waiting)
    for _ in range(500):
        priority.answered()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)


async def test_one_who_no_longer_wants_its_turn_does_not_hold_up_the_next() -> None:
    priority = IntakePriority()
    for _ in range(500):
        priority.arrived()
    first, second = (asyncio.create_task(priority.wait_turn(_WORK)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(5):
        await second
