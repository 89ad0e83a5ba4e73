"""Idle connections, and descriptors that run short."""

import asyncio
import resource
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.system.running import Site, site
from tests.system.strangers import SHAPES, connections, delivered, head, log_lines

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    async with site(tmp_path_factory.mktemp("site")) as started:
        # The tests lower the limit beneath a gateway that has all its own files open.
        async with asyncio.timeout(60):
            while not await is_ready(started):
                await asyncio.sleep(0.1)
        yield started


async def is_ready(running: Site) -> bool:
    async with running.http.get(f"{running.url}/readyz") as response:
        return response.status == 200


async def limit(running: Site, soft: int) -> None:
    """Change the gateway's limit of open files, and wait until the gateway has noticed that it is another one."""
    assert running.process is not None
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (soft, 4096))
    await asyncio.sleep(1.5)


async def test_the_descriptor_limit_is_raised_at_start(running: Site) -> None:
    assert running.process is not None
    soft, most = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
    assert soft == min(most, 2**20)


async def test_1150_idle_connections_refuse_no_delivery(running: Site) -> None:
    await limit(running, 1024)
    async with connections(running, 1150):
        for number in range(3):
            await delivered(running, f"beside idle connections {number}")
            await asyncio.sleep(0.5)


async def test_1150_idle_connections_after_a_request_refuse_no_delivery(running: Site) -> None:
    await limit(running, 1024)
    async with connections(running, 1150) as streams:
        for _, writer in streams:
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        await asyncio.sleep(1.5)
        await delivered(running, "beside connections that are kept alive")


async def test_1150_waiting_bodies_refuse_no_delivery(running: Site) -> None:
    await limit(running, 1024)
    async with connections(running, 1150) as streams:
        for _, writer in streams:
            writer.write(head("whatsapp", 1000, SHAPES["whatsapp"]) + b"x")
        await asyncio.sleep(1.5)
        await delivered(running, "beside bodies that never end")


async def test_short_descriptors_are_said_once_a_minute(running: Site) -> None:
    # Fewer than the gateway itself has open, even if it closes connections as fast as they come.
    before = len(log_lines(running, "descriptors_short"))
    await limit(running, 30)
    async with connections(running, 100):
        async with asyncio.timeout(30):
            while len(log_lines(running, "descriptors_short")) == before:
                await asyncio.sleep(0.1)
        await asyncio.sleep(3)
    assert len(log_lines(running, "descriptors_short")) == before + 1
    await limit(running, 4096)
    await delivered(running, "after the shortage")
