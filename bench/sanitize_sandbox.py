"""The cost of the sandbox itself: memory, overhead, deadlines, and the speed of two against one."""

import asyncio
import os
import signal
import statistics
import time
from typing import Any

from normalizer.canvas import Canvas
from normalizer.decoders.photo import job as photo_job
from normalizer.media import Limits, Unsafe
from normalizer.sandbox.errors import SandboxLost
from normalizer.sandbox.job import JobRequest
from normalizer.sandbox.pool import Pool
from normalizer.sanitizer import Sanitizer
from tests.normalizer.media_samples import descriptor


def most_memory(running: Sanitizer) -> int:
    """Return the memory in bytes of the largest sandbox that ended since the last call."""
    zygote = running._pool._zygote
    assert zygote is not None
    most, zygote.peak_memory = zygote.peak_memory, 0
    return most


async def timed(running: Sanitizer, content: bytes) -> tuple[float, str]:
    """Sanitize a file; return the seconds and the outcome."""
    source = descriptor(content)
    begin = time.perf_counter()
    try:
        await running.sanitize(source)
        outcome = "ready"
    except Unsafe as refusal:
        outcome = refusal.reason
    took = time.perf_counter() - begin
    os.close(source)
    return took, outcome


async def empty_job(pool: Pool, times: int) -> float:
    """Return the median seconds from the request of an empty job to its answer."""
    found = []
    for _ in range(times):
        async with pool.sandbox() as sandbox:
            begin = time.perf_counter()
            await sandbox.ask({"job": "empty", "cpu_seconds": 5}, [], 5)
            found.append(time.perf_counter() - begin)
        await asyncio.sleep(0.03)
    return statistics.median(found)


class InProcess:
    """The photo job without a sandbox, with warm memory, as the baseline for what the sandbox adds."""

    def __init__(self) -> None:
        photo_job.warm_up()
        self._canvas = Canvas(4096)
        self._pixels = os.memfd_create("canvas")
        os.ftruncate(self._pixels, self._canvas.size)

    def run(self, content: bytes) -> float:
        source = descriptor(content)
        message: dict[str, Any] = {
            "format": "jpeg",
            "bytes": len(content),
            "max_pixels": 64_000_000,
            "preview_side": 4096,
        }
        begin = time.perf_counter()
        photo_job.photo(JobRequest(message, [source, self._pixels], lambda _: None))
        took = time.perf_counter() - begin
        os.close(source)
        return took


class InSandbox:
    """The same job in a sandbox, without the encoding outside."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._canvas = pool, Canvas(4096)
        self._pixels = os.memfd_create("canvas")
        os.ftruncate(self._pixels, self._canvas.size)

    async def run(self, content: bytes) -> float:
        source = descriptor(content)
        message = {
            "job": "photo",
            "cpu_seconds": 20,
            "format": "jpeg",
            "bytes": len(content),
            "max_pixels": 64_000_000,
            "preview_side": 4096,
        }
        async with self._pool.sandbox() as sandbox:
            begin = time.perf_counter()
            await sandbox.ask(message, [source, self._pixels], 20)
            took = time.perf_counter() - begin
        os.close(source)
        await asyncio.sleep(0.05)
        return took


async def deadline(pool: Pool, seconds: float) -> tuple[float, float]:
    """Return the seconds from a deadline until a stopped sandbox's job fails, and the seconds of the next job."""
    async with pool.sandbox() as sandbox:
        os.kill(sandbox.pid, signal.SIGSTOP)
        begin = time.perf_counter()
        try:
            await sandbox.ask({"job": "empty", "cpu_seconds": 5}, [], seconds)
        except SandboxLost:
            late = time.perf_counter() - begin - seconds
    begin = time.perf_counter()
    async with pool.sandbox() as sandbox:
        await sandbox.ask({"job": "empty", "cpu_seconds": 5}, [], 5)
    return late, time.perf_counter() - begin


async def throughput(content: bytes, sandboxes: int, count: int) -> float:
    """Return the photos per second with `sandboxes` sandboxes on as many processors."""
    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(everything)[:sandboxes]))
    try:
        return await _throughput(content, sandboxes, count)
    finally:
        os.sched_setaffinity(0, everything)


async def _throughput(content: bytes, sandboxes: int, count: int) -> float:
    running = Sanitizer(Limits(preview_max_side=2560), sandboxes=sandboxes)
    await running.start()
    await asyncio.sleep(0.5)
    begin = time.perf_counter()
    await asyncio.gather(*(timed(running, content) for _ in range(count)))
    took = time.perf_counter() - begin
    await running.close()
    return count / took
