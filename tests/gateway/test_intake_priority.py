"""Accepting deliveries has priority: other work is slowed while deliveries wait, but never stopped."""

import asyncio

from gateway.intake_priority import IntakePriority

_WORK = 0.001


async def _count_turns(priority: IntakePriority, seconds: float) -> int:
    """Count the turns granted within `seconds` to a task that always waits for the next one."""
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


async def test_work_is_not_slowed_while_few_deliveries_wait() -> None:
    priority = IntakePriority()
    for _ in range(5):
        priority.arrived()
    async with asyncio.timeout(20):
        for _ in range(10_000):
            await priority.wait_turn(1.0)


async def test_a_short_stall_is_not_treated_as_overload() -> None:
    priority = IntakePriority()
    await asyncio.sleep(0.05)
    for _ in range(500):
        priority.arrived()
    for _ in range(500):
        priority.answered()
    assert priority.is_low()


async def test_more_waiting_deliveries_mean_fewer_turns_but_some() -> None:
    few_waiting, many_waiting = IntakePriority(), IntakePriority()
    for _ in range(6):
        few_waiting.arrived()
    for _ in range(500):
        many_waiting.arrived()
    await asyncio.sleep(0.1)
    more, fewer = await asyncio.gather(
        _count_turns(few_waiting, 1.0), _count_turns(many_waiting, 1.0)
    )
    # Of 1,000 turns of a millisecond per second: (5/6)³ with few waiting, an eighth with many. Slow machines grant fewer.
    assert 0 < fewer <= 140
    assert fewer < more <= 620


async def test_waiting_work_resumes_when_the_wave_is_over() -> None:
    priority = IntakePriority()
    for _ in range(500):
        priority.arrived()
    await asyncio.sleep(0.05)
    waiting = [asyncio.create_task(priority.wait_turn(10.0)) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert not all(task.done() for task in waiting)
    for _ in range(500):
        priority.answered()
    async with asyncio.timeout(20):
        await asyncio.gather(*waiting)


async def test_a_cancelled_turn_does_not_block_the_next() -> None:
    priority = IntakePriority()
    for _ in range(500):
        priority.arrived()
    first, second = (asyncio.create_task(priority.wait_turn(_WORK)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(20):
        await second
