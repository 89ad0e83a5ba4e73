"""Gauges of `/metrics` that operators watch: each moves when its cause is provoked."""

import asyncio
import time
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from gateway.observability.loop_lag import LoopLag
from gateway.settings import MediaSettings
from tests.fake_clamd import fake_clamd

from .test_gateway import House, house


async def gauge(home: House, name: str, **labels: str) -> float:
    """Return the value of a gauge's line that has these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    (value,) = [
        float(line.rsplit(" ", 1)[1])
        for line in (await home.metrics()).splitlines()
        if line.startswith((f"{name} ", f"{name}{{")) and all(part in line for part in wanted)
    ]
    return value


async def until(home: House, least: float, name: str, **labels: str) -> None:
    async with asyncio.timeout(30):
        while await gauge(home, name, **labels) < least:
            await asyncio.sleep(0.01)


class Switch:
    """A core that answers with `status`."""

    def __init__(self, status: int) -> None:
        self.status = status

    def __call__(self, *_: Any) -> web.Response:
        return web.Response(status=self.status)


async def test_gauges_follow_a_core_that_refuses_and_recovers(tmp_path: Path) -> None:
    core = Switch(410)
    async with house(tmp_path, core) as home:
        assert await gauge(home, "airlock_core_state", state="ok") == 1
        assert await gauge(home, "airlock_events_waiting") == 0
        assert await gauge(home, "airlock_oldest_event_seconds") == 0

        await home.send({"id": "1", "from": "ann", "text": "hello"})
        await until(home, 1, "airlock_core_state", state="gone")
        assert await gauge(home, "airlock_core_state", state="ok") == 0
        assert await gauge(home, "airlock_events_waiting") == 1
        await until(home, 0.05, "airlock_oldest_event_seconds")

        status, report = await home.call("GET", "/readyz")
        assert (status, report["status"]) == (200, "degraded")
        assert report["checks"]["core"]["state"] == "fail"
        assert "forwarding has stopped, and 1 events wait" in report["checks"]["core"]["detail"]

        core.status = 204
        _, found = await home.call("GET", "/v1/failures")
        await home.call("POST", f"/v1/failures/{found['failures'][0]['id']}/retry")
        await until(home, 1, "airlock_core_state", state="ok")
        await until(home, 0, "airlock_events_waiting")
        async with asyncio.timeout(30):
            while await gauge(home, "airlock_oldest_event_seconds"):
                await asyncio.sleep(0.01)
        assert (await home.call("GET", "/readyz"))[1]["status"] == "ready"


async def test_a_held_message_counts_as_waiting(tmp_path: Path) -> None:
    released = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await released.wait()
        return web.Response(status=404)

    async with house(tmp_path, hold_seconds=60) as home:
        home.files["1"] = slow
        await home.send({"id": "1", "from": "ann", "media": [["photo", f"{home.media_url}/1"]]})
        await until(home, 0.01, "airlock_oldest_event_seconds")
        released.set()


async def test_the_scanner_gauge_follows_the_scanner(tmp_path: Path) -> None:
    async with fake_clamd() as clamd:
        media = MediaSettings(scanner=clamd.address)
        async with house(tmp_path, media=media) as home:
            assert await gauge(home, "airlock_scanner_state", state="ok") == 1
    async with house(tmp_path / "away", media=media) as home:
        assert await gauge(home, "airlock_scanner_state", state="unavailable") == 1
        assert await gauge(home, "airlock_scanner_state", state="ok") == 0
    async with house(tmp_path / "none") as home:
        assert await gauge(home, "airlock_scanner_state", state="none") == 1


async def test_gauges_of_disk_build_lag_and_last_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.observability.loop_lag._EVERY", 0.01)
    async with house(tmp_path) as home:
        assert await gauge(home, "airlock_disk_free_bytes") > 0
        monkeypatch.setattr(
            "gateway.http.gauges.shutil.disk_usage", lambda _: SimpleNamespace(free=5)
        )
        assert await gauge(home, "airlock_disk_free_bytes") == 5
        assert await gauge(home, "airlock_build_info", version=version("airlock-messaging")) == 1

        time.sleep(0.1)
        await until(home, 0.05, "airlock_event_loop_lag_seconds")

        before = time.time()
        await home.send({"id": "1", "from": "ann", "text": "hello"}, password="wrong")
        last = await gauge(home, "airlock_last_delivery_timestamp_seconds", connector="desk")
        assert last < before
        await home.send({"id": "1", "from": "ann", "text": "hello"})
        last = await gauge(home, "airlock_last_delivery_timestamp_seconds", connector="desk")
        assert last >= before


async def test_the_lag_shows_a_blocked_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.observability.loop_lag._EVERY", 0.01)
    lag = LoopLag()
    measuring = asyncio.create_task(lag.run())
    await asyncio.sleep(0)
    assert lag.worst() == 0

    time.sleep(0.1)
    async with asyncio.timeout(10):
        while lag.worst() < 0.05:
            await asyncio.sleep(0.01)
    measuring.cancel()
