"""Crashes at the fault points of expiry leave no expired data behind."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
import pytest

from simulator import Consumer, WhatsApp
from tests.journal_rows import rows
from tests.system.running import SECRET

from . import verdict
from .core import UnreliableCore
from .platforms import PHOTOS
from .process import GatewayProcess

pytestmark = pytest.mark.system

_SENT = 3
#: In this order, each step still has work to do after the process was killed at the one before.
_STEPS = ("after-expire", "after-forget", "before-remove", "after-remove:2", "after-sweep")


@asynccontextmanager
async def aged_house(folder: Path) -> AsyncIterator[tuple[GatewayProcess, UnreliableCore]]:
    """A stopped gateway whose photos have all exceeded their retention period."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        gateway = GatewayProcess(folder, http)
        stack.push_async_callback(gateway.kill)
        core = UnreliableCore(SECRET, random.Random(1), failure_rate=0.0)
        await core.start()
        stack.push_async_callback(core.close)
        platform = WhatsApp(f"{gateway.url}/webhooks/wa")
        await platform.start()
        stack.push_async_callback(platform.close)
        content = {
            "core": {"url": core.url, "secrets": [SECRET]},
            "fetch": {"allow_private_hosts": True},
            "connectors": {"wa": platform.settings()},
        }
        gateway.configure(content)
        await gateway.begin()
        await gateway.listening()
        for number in range(_SENT):
            await platform.send(Consumer(f"4915{number}", "Ann"), "look", [PHOTOS[number]])
        assert await core.until(lambda: _states(core) == ["ready"] * _SENT, 30)
        assert await gateway.stop() == 0
        old = {"media": {"retention": "100ms"}, "gateway": {"text_retention": "100ms"}}
        gateway.configure({**content, **old})
        await asyncio.sleep(0.2)
        yield gateway, core


def _states(core: UnreliableCore) -> list[str]:
    return [attachment["state"] for attachment in verdict.final_states(core.events).values()]


async def test_crashes_during_expiry_leave_no_expired_data(tmp_path: Path) -> None:
    async with aged_house(tmp_path) as (gateway, core):
        for step in _STEPS:
            await gateway.begin(step)
            assert await gateway.ended(20), step
            assert gateway.status == -9
        await gateway.begin()
        await gateway.listening()
        assert await core.until(lambda: _states(core) == ["failed"] * _SENT, 30)
        await asyncio.sleep(0.5)
        assert await gateway.stop() == 0
        reasons = {a["reason"] for a in verdict.final_states(core.events).values()}
        assert reasons == {"expired"}
        assert core.complaints == []
        assert len(core.events) == 2 * _SENT
        assert verdict.stored_amiss(core.events, gateway.data / "media", [gateway.data]) == []
        assert verdict.left_over(gateway.data) == []
        contents = rows(gateway.data, "SELECT content, platform_id FROM message")
        assert [(orjson.loads(c)["text"], id) for c, id in contents] == [(None, "")] * _SENT
