"""Hosts and consumers that take long hold nobody else's photos, with real processes and the emulated platforms."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from simulator import Consumer, Fault, Platform, photo, video
from simulator.samples import Sample
from tests.system.running import CONSUMERS, Site, attachments, site

pytestmark = pytest.mark.system

#: Seconds within which an innocent photo is ready. Alone it takes a tenth of a second, behind the others 12 or more.
SOON = 8.0
SMALL_WIDTH = 320
SMALL = photo(width=SMALL_WIDTH, height=240, seed=7)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path, settings={"core": {"hold_seconds": 0}}) as started:
        yield started


async def flood(platform: Platform, consumers: int, sample: Sample, each: int = 1) -> None:
    """Send files of many consumers, and wait until all are accepted."""
    gate = asyncio.Semaphore(16)

    async def send(number: int) -> None:
        async with gate:
            for _ in range(each):
                await platform.send(consumer(platform, number), None, [sample])

    await asyncio.gather(*(send(number) for number in range(consumers)))


def consumer(platform: Platform, number: int) -> Consumer:
    known = CONSUMERS[platform.name]
    prefix = "+1555010" if platform.name == "twilio" else "491520"
    name = f"urn:mbid:AQ{number:06d}" if platform.name == "apple" else f"{prefix}{number:06d}"
    return Consumer(name, known.name)


async def seconds_until_ready(running: Site, platform: Platform) -> float:
    """Send a small photo of an innocent consumer and return the seconds until the core has it."""
    innocent = CONSUMERS[platform.name]
    begin = time.monotonic()
    await platform.send(innocent, None, [SMALL])
    await running.until(lambda events: innocent.id in consumers_of_ready(events), 200)
    return time.monotonic() - begin


def consumers_of_ready(events: list[dict[str, Any]]) -> set[str]:
    return {
        event["data"]["conversation"]["consumer"]["id"]
        for event in events
        if any(a["state"] == "ready" for a in attachments([event]).values())
    }


@pytest.mark.parametrize("fault", [Fault(hang=True), Fault(drip=True)], ids=["hang", "drip"])
@pytest.mark.parametrize("name", ["messenger", "whatsapp", "apple"])
async def test_a_slow_host_holds_no_other_hosts_photo(
    running: Site, name: str, fault: Fault
) -> None:
    slow = running.platforms[name]
    slow.fault_for_all = fault
    await flood(slow, 160, photo(width=640, height=480, seed=1))
    await asyncio.sleep(1)
    assert await seconds_until_ready(running, running.platforms["twilio"]) < SOON


async def test_a_hanging_look_up_holds_no_other_hosts_photo(running: Site) -> None:
    slow = running.platforms["whatsapp"]
    slow.fault_for_all = Fault(hang=True, at="lookup")
    await flood(slow, 160, SMALL)
    await asyncio.sleep(1)
    assert await seconds_until_ready(running, running.platforms["messenger"]) < SOON


async def test_a_consumers_files_visibly_wait_for_their_turn(running: Site) -> None:
    slow = running.platforms["messenger"]
    slow.fault_for_all = Fault(hang=True)
    await flood(slow, 1, SMALL, each=20)
    known = attachments(await running.until(lambda events: len(attachments(events)) == 20))
    steps = []
    for id in known:
        status, found = await running.call("GET", f"/v1/attachments/{id}")
        assert (status, found["state"]) == (200, "pending")
        steps.append((found["progress"]["step"], found["progress"]["next_try_at"]))
    assert sorted(steps) == [("fetching", None)] * 8 + [("waiting_for_turn", None)] * 12


def heavy() -> Sample:
    """A photo within all limits that takes a decoder about two seconds."""
    noise = Image.effect_noise((1000, 1000), 40).convert("RGB").resize((8000, 8000))
    content = io.BytesIO()
    noise.save(content, "JPEG", quality=75, progressive=True)
    return Sample("IMG_9001.JPG", "image/jpeg", content.getvalue())


async def test_a_consumers_heavy_photos_hold_nobody_elses(running: Site) -> None:
    platform = running.platforms["whatsapp"]
    await flood(platform, 1, heavy(), each=60)
    await seconds_until_ready(running, platform)
    # Without turns, the innocent photo is the last.
    assert heavy_ones_ready(running.core.events) < 60


def heavy_ones_ready(events: list[dict[str, Any]]) -> int:
    return sum(
        one["state"] == "ready" and one["renditions"]["preview"]["width"] > SMALL_WIDTH
        for one in attachments(events).values()
    )


async def test_videos_occupy_not_every_cell(running: Site) -> None:
    platform = running.platforms["whatsapp"]
    await flood(platform, 20, video(seconds=20, width=1280, height=720))
    await asyncio.sleep(0.5)
    assert await seconds_until_ready(running, platform) < SOON
