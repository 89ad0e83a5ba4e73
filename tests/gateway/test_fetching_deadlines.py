"""Deadlines: every slow or hanging response ends."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from connectors import Call, Download
from gateway.fetching import BreakerPolicy, Deadlines, Fetcher, Unreachable
from gateway.fetching.deadlines import Budget, ThroughputGuard

from .fetching_fakes import (
    QUICK,
    Behaviour,
    ReceivedRequest,
    answers_with,
    content_of,
    fake_platform,
    fetching,
    hangs,
    http_response,
    scratch_descriptor,
    serving,
)

PHOTO = b"x" * 100_000


async def fetch(fetcher: Fetcher, url: str) -> bytes:
    with scratch_descriptor() as into:
        await fetcher.download(fake_platform(url), Download(Call("GET", url)), into, 1_000_000)
        return content_of(into)


def starts(start: bytes, *, then: bytes = b"", every: float = 0.01) -> Behaviour:
    """Send the start of a response, then `then` repeatedly, or hang."""

    async def behaviour(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while then:
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(every)
        await hangs(received, writer)

    return behaviour


LONG = http_response(content_length="1000000")
CHUNKS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("behaviour", "limits", "detail"),
    [
        pytest.param(hangs, {"first_byte": 0.2}, "no response in time", id="never answers"),
        pytest.param(
            starts(b"HTTP/1.1 200 OK\r\n", then=b"x"),
            {"first_byte": 0.3},
            "no response in time",
            id="drips headers",
        ),
        pytest.param(starts(LONG), {"idle": 0.2}, "no data for 0.2 s", id="hangs before the body"),
        pytest.param(
            starts(LONG + PHOTO), {"idle": 0.2}, "no data for 0.2 s", id="hangs in the body"
        ),
        pytest.param(
            starts(CHUNKS + b"5;", then=b"x"),
            {"idle": 0.2},
            "no data for 0.2 s",
            id="drips outside the body",
        ),
        pytest.param(
            starts(LONG, then=b"x" * 10),
            {"slowest": 8000, "window": 0.3},
            "slower than 8000 bytes/s",
            id="drips",
        ),
        pytest.param(
            starts(LONG + PHOTO, then=b"x" * 10),
            {"slowest": 8000, "window": 0.3},
            "slower than 8000 bytes/s",
            id="begins well and drips",
        ),
        pytest.param(
            starts(LONG, then=b"x" * 10),
            {"download": 0.4, "slowest": 1},
            "not finished within 0.4 s",
            id="takes too long",
        ),
        pytest.param(
            starts(LONG),
            {"download": 0.3},
            "not finished within 0.3 s",
            id="hangs beyond the whole time",
        ),
    ],
)
async def test_a_download_that_is_too_slow_ends(
    behaviour: Behaviour, limits: dict[str, Any], detail: str
) -> None:
    async with (
        serving(behaviour) as server,
        fetching(deadlines=replace(QUICK, **limits)) as fetcher,
    ):
        with pytest.raises(Unreachable, match=detail) as error:
            await fetch(fetcher, server.url)
    assert (error.value.reason, error.value.retry) == ("unreachable", True)


async def test_a_small_slow_file_is_allowed() -> None:
    async def slowly(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        writer.write(http_response(content_length="20"))
        for _ in range(20):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.005)

    async with serving(slowly) as server, fetching() as fetcher:
        assert await fetch(fetcher, server.url) == b"x" * 20


async def test_redirects_count_towards_the_time_limit() -> None:
    async def moves(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(http_response(302, location="/again"))

    async with (
        serving(moves) as server,
        fetching(deadlines=replace(QUICK, download=0.5)) as fetcher,
    ):
        with pytest.raises(Unreachable, match=r"not finished within 0\.5 s"):
            await fetch(fetcher, server.url)


async def test_queueing_does_not_count_towards_the_time_limit() -> None:
    async def slowly(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(http_response(body=PHOTO))

    limits = replace(QUICK, download=1.9)
    async with serving(slowly) as server, fetching(deadlines=limits, at_one_host=1) as fetcher:
        fetched = await asyncio.gather(*[fetch(fetcher, server.url) for _ in range(20)])
    assert fetched == [PHOTO] * 20


async def test_a_host_that_hangs_does_not_block_another() -> None:
    async with (
        serving(hangs) as bad,
        serving(answers_with(http_response(body=PHOTO))) as good,
        fetching(at_one_host=1) as fetcher,
    ):
        waiting = [asyncio.ensure_future(fetch(fetcher, bad.url)) for _ in range(5)]
        assert await fetch(fetcher, good.url) == PHOTO
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_caller_can_cancel_a_download() -> None:
    async with serving(hangs) as server, fetching() as fetcher:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await fetch(fetcher, server.url)


async def test_a_download_works_after_many_timeouts() -> None:
    answers = [True] * 20

    async def moody(received: ReceivedRequest, writer: asyncio.StreamWriter) -> None:
        if answers:
            answers.pop()
            await hangs(received, writer)
        writer.write(http_response(body=PHOTO))

    options = {
        "deadlines": replace(QUICK, first_byte=0.1),
        "policy": BreakerPolicy(failures=10**6),
    }
    async with serving(moody) as server, fetching(**options) as fetcher:
        tries = [fetch(fetcher, server.url) for _ in range(20)]
        ends = await asyncio.gather(*tries, return_exceptions=True)
        assert all(isinstance(end, Unreachable) for end in ends)
    async with serving(moody) as server, fetching() as fetcher:
        assert await fetch(fetcher, server.url) == PHOTO


def test_throughput_is_measured_over_whole_windows() -> None:
    pace = ThroughputGuard(Deadlines(slowest=100, window=10), now=0.0)
    pace.take(1, now=9.9)
    pace.take(999, now=10.0)
    with pytest.raises(Unreachable):
        pace.take(999, now=20.0)


def test_a_fast_start_does_not_excuse_a_slow_body() -> None:
    pace = ThroughputGuard(Deadlines(slowest=100, window=10), now=0.0)
    pace.take(10**9, now=10.0)
    with pytest.raises(Unreachable):
        pace.take(1, now=20.0)


async def test_a_budget_counts_only_running_time() -> None:
    budget = Budget(2.0)
    async with budget.running():
        pass
    await asyncio.sleep(0)
    async with budget.running():
        pass
    spent = Budget(0.0)
    with pytest.raises(Unreachable):
        async with spent.running():
            await asyncio.sleep(3600)
