"""Bodies before proof: their room, their time, and the log of what is refused."""

import asyncio
from contextlib import ExitStack

import pytest
from structlog.testing import capture_logs

from gateway.inbound.refusal_log import RefusalLog
from gateway.inbound.unproved import NoRoom, Share, TooSlow, UnprovedBodies


async def body(bodies: UnprovedBodies, pieces: list[int], end: asyncio.Event) -> str:
    """Read a body piece by piece, and then wait for its end."""
    with bodies.share() as share:
        try:
            async with bodies.arriving(share):
                for piece in pieces:
                    bodies.add(share, bytes(piece))
                    await asyncio.sleep(0)
                await end.wait()
        except NoRoom:
            return "no room"
        except TooSlow:
            return "too slow"
        return "arrived"


async def test_the_body_that_waited_longest_gives_way() -> None:
    bodies, end = UnprovedBodies(max_bytes=100), asyncio.Event()
    first, second, third = (
        asyncio.create_task(body(bodies, [10, size], end)) for size in (40, 30, 30)
    )
    assert await first == "no room"
    assert bodies.bytes == 80
    end.set()
    assert list(await asyncio.gather(second, third)) == ["arrived", "arrived"]
    assert bodies.bytes == 0


async def test_a_body_larger_than_all_room_gives_way_itself() -> None:
    bodies = UnprovedBodies(max_bytes=100)
    assert await body(bodies, [60, 60], asyncio.Event()) == "no room"
    assert bodies.bytes == 0


async def test_bodies_that_are_being_verified_keep_their_room() -> None:
    bodies = UnprovedBodies(max_bytes=100)
    with ExitStack() as verifying:
        for _ in range(2):
            share = verifying.enter_context(bodies.share())
            async with bodies.arriving(share):
                bodies.add(share, bytes(45))
        assert await body(bodies, [20], asyncio.Event()) == "no room"
        assert bodies.bytes == 90
    assert bodies.bytes == 0


async def test_the_number_of_bodies_is_limited() -> None:
    bodies, end = UnprovedBodies(max_bodies=2), asyncio.Event()
    tasks = [asyncio.create_task(body(bodies, [1], end)) for _ in range(3)]
    assert await tasks[0] == "no room"
    end.set()
    assert await asyncio.gather(*tasks[1:]) == ["arrived", "arrived"]


async def test_a_body_that_takes_too_long_is_given_up() -> None:
    bodies = UnprovedBodies(max_seconds=0.01)
    assert await body(bodies, [1], asyncio.Event()) == "too slow"
    assert bodies.bytes == 0


async def test_a_share_ends_with_an_error() -> None:
    bodies = UnprovedBodies()

    async def broken(share: Share) -> None:
        async with bodies.arriving(share):
            bodies.add(share, bytes(10))
            raise KeyError

    with pytest.raises(KeyError), bodies.share() as share:
        await broken(share)
    assert bodies.bytes == 0


async def test_a_connector_logs_one_refusal_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inbound.refusal_log._SECONDS", 0.05)
    refusals = RefusalLog()
    with capture_logs() as lines:
        for _ in range(100):
            refusals.note("desk", "unproven", "no match")
        refusals.note("sms", "no_proof", "missing")
        await asyncio.sleep(0.08)
        refusals.note("desk", "too_large", "at most 5 bytes")
        await asyncio.sleep(0.2)
    logged = [(line["connector"], line["reason"], line["refused"]) for line in lines]
    assert logged == [
        ("desk", "no match", 1),
        ("sms", "missing", 1),
        ("desk", "no match", 99),
        ("desk", "at most 5 bytes", 1),
    ]
