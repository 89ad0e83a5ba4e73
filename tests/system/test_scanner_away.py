"""Files fetched while the scanner was unavailable are scanned after a crash, without fetching them again."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from simulator import photo, video
from tests.normalizer.daemon import EICAR, Daemon
from tests.system.running import CONSUMERS, Site, ended, site

pytestmark = pytest.mark.system

#: Seconds; longer than any platform's media URL is valid.
LONG = 30 * 24 * 3600.0


async def send_all(running: Site) -> int:
    """Send a photo, a video and an infected photo on each platform; return the number of files."""
    clean = photo(width=320, height=240, seed=1)
    infected = replace(photo(width=320, height=240, seed=2), content=clean.content + EICAR)
    for name, platform in running.platforms.items():
        for file in (clean, video(), infected):
            assert all(d.accepted for d in await platform.send(CONSUMERS[name], "", [file]))
    return 3 * len(running.platforms)


async def until_kept(quarantine: Path, count: int) -> None:
    """Wait until so many originals are kept. No event says so."""
    async with asyncio.timeout(60):
        while len(list(quarantine.iterdir())) != count:
            await asyncio.sleep(0.05)


async def test_fetched_files_are_scanned_after_a_crash_without_refetching(
    tmp_path: Path,
) -> None:
    daemon = Daemon(tmp_path / "clamd")
    settings = {"media": {"scanner": daemon.unix}, "core": {"hold_seconds": 0.2}}
    async with site(tmp_path, settings=settings) as running:
        try:
            count = await send_all(running)
            quarantine = tmp_path / "data" / "quarantine"
            await until_kept(quarantine, count)
            assert not ended(running.core.events)
            await running.kill()
            for platform in running.platforms.values():
                platform.age(LONG)
            await daemon.start()
            await running.start()
            events = await running.until(lambda events: len(ended(events)) == count)
            # The event goes out just before the original is removed.
            await until_kept(quarantine, 0)
        finally:
            daemon.stop()
    states = sorted((a["state"], a["reason"] or "") for a in ended(events))
    assert states == [("ready", "")] * (2 * count // 3) + [("rejected", "malware")] * (count // 3)
    asked = [hosted.asked for p in running.platforms.values() for hosted in p.hosted.values()]
    assert asked == [1] * count
