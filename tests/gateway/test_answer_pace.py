"""Answers to requests whose bodies have not arrived are given one after the other."""

import asyncio

from gateway.http.answer_pace import AnswerPace


async def test_a_few_answers_are_given_at_once() -> None:
    pace = AnswerPace(a_second=0.001, at_once=3)
    async with asyncio.timeout(20):
        assert [await pace.turn() for _ in range(3)] == [True] * 3


async def test_later_answers_wait_and_a_crowd_is_cut_off() -> None:
    pace = AnswerPace(a_second=0.001, at_once=1, max_waiting=2)
    assert await pace.turn()
    waiting = [asyncio.create_task(pace.turn()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not await pace.turn()
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    late = asyncio.create_task(pace.turn())
    await asyncio.sleep(0)
    assert not late.done()
    late.cancel()


async def test_every_answer_comes_in_its_turn() -> None:
    pace = AnswerPace(a_second=200, at_once=1)
    order: list[int] = []

    async def answer(number: int) -> None:
        assert await pace.turn()
        order.append(number)

    await asyncio.gather(*(answer(number) for number in range(8)))
    assert order == list(range(8))
