"""A web channel with a gateway for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .gateway import FakeGateway
from .running import Clock, Server, running


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    async with FakeGateway() as started:
        yield started


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(tmp_path: Path, gateway: FakeGateway, clock: Clock) -> AsyncIterator[Server]:
    async with running(tmp_path / "webchat", gateway, clock) as started:
        yield started
