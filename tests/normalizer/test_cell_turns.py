"""Cells of the sandbox pool: owners take turns, and neither videos nor one owner occupy every cell."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from normalizer.sandbox.turns import Claim, Turns

MB = 1_000_000


class Cells:
    """Turns whose jobs end when a test says so; `started` holds the names of jobs in the order of their turns."""

    def __init__(self, cells: int, reserved: int = 0) -> None:
        self.turns = Turns(cells, reserved=reserved)
        self.started: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def add(self, jobs: Iterable[tuple[str, Claim]]) -> None:
        for name, claim in jobs:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._run(name, claim))
        await settle()

    async def _run(self, name: str, claim: Claim) -> None:
        async with self.turns.turn(claim):
            self.started.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settle()

    async def end_in_turn(self) -> list[str]:
        """End each job as it comes, and return all in the order of their turns."""
        for _ in range(len(self.tasks)):
            for name in self.started:
                await self.end(name)
        return self.started


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def photos(owner: str, count: int, size: int = MB) -> list[tuple[str, Claim]]:
    return [(f"{owner}{number}", Claim(owner, size)) for number in range(count)]


def videos(owner: str, count: int) -> list[tuple[str, Claim]]:
    return [(name, replace(claim, is_photo=False)) for name, claim in photos(owner, count)]


async def test_owners_take_turns() -> None:
    cells = Cells(1)
    await cells.add([*photos("a", 3), *photos("b", 3)])
    assert await cells.end_in_turn() == ["a0", "b0", "a1", "b1", "a2", "b2"]


async def test_an_owners_small_files_come_first() -> None:
    cells = Cells(1)
    await cells.add([("first", Claim("a", MB))])
    await cells.add([("large", Claim("a", 9 * MB)), ("small", Claim("a", 1))])
    assert await cells.end_in_turn() == ["first", "small", "large"]


async def test_an_owner_without_a_running_job_comes_first() -> None:
    cells = Cells(2)
    await cells.add(photos("a", 10))
    await cells.add(photos("b", 1, 25 * MB))
    await cells.end("a0")
    assert cells.started == ["a0", "a1", "b0"]


async def test_a_reserved_cell_serves_an_owner_without_a_running_job() -> None:
    cells = Cells(2, reserved=1)
    await cells.add(photos("a", 10))
    assert cells.started == ["a0", "a1"]
    await cells.add([*photos("b", 2), *photos("c", 1, 5)])
    assert cells.started == ["a0", "a1", "b0"]
    await cells.end("b0")
    assert cells.started == ["a0", "a1", "b0", "c0"]


async def test_videos_of_many_owners_never_occupy_the_reserved_cell() -> None:
    cells = Cells(2, reserved=1)
    for owner in "abcdef":
        await cells.add(videos(owner, 1))
    assert cells.started == ["a0", "b0"]
    await cells.add(photos("z", 1))
    assert cells.started == ["a0", "b0", "z0"]
    await cells.end("a0")
    assert cells.started == ["a0", "b0", "z0", "c0"]


async def test_newcomers_do_not_starve_an_owner_with_many_files() -> None:
    cells = Cells(1)
    await cells.add(photos("a", 3))
    for number in range(20):
        await cells.add([(f"n{number}", Claim(number, 1))])
        await cells.end(cells.started[-1])
    assert cells.started[:6] == ["a0", "n0", "a1", "n1", "n2", "a2"]


async def test_jobs_without_an_owner_run_in_order_of_arrival() -> None:
    cells = Cells(2, reserved=1)
    await cells.add((str(number), Claim()) for number in range(5))
    assert cells.started == ["0", "1"]
    assert await cells.end_in_turn() == ["0", "1", "2", "3", "4"]


async def test_a_cell_freed_while_a_waiting_job_is_cancelled_is_not_lost() -> None:
    cells = Cells(1)
    await cells.add([*photos("a", 1), *photos("b", 1), *photos("c", 1)])
    cells.tasks["b0"].cancel()
    await cells.end("a0")
    assert cells.started == ["a0", "c0"]


@pytest.mark.parametrize("name", ["a0", "a1"])
async def test_a_cancelled_job_holds_no_cell(name: str) -> None:
    cells = Cells(1)
    await cells.add(photos("a", 2))
    cells.tasks[name].cancel()
    await settle()
    await cells.add(photos("b", 1))
    await cells.end_in_turn()
    assert {*cells.started} >= {"b0"}
    assert not cells.turns._waiting
    assert not cells.turns._running
    assert not cells.turns._last_turn


async def test_a_job_says_whether_it_waits() -> None:
    said: list[bool] = []
    cells = Cells(1)
    await cells.add(photos("a", 1))
    await cells.add([("b", Claim("b", on_wait=said.append))])
    assert said == [True]
    await cells.end("a0")
    assert said == [True, False]
