"""Stopping the gateway under load: it exits in time, and the next process continues without loss."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from simulator import Fault, photo
from tests.system.running import CONSUMERS, Site, ended, messages, site

pytestmark = pytest.mark.system

NAMES = ["whatsapp", "messenger", "twilio", "apple"]
#: Seconds in which the gateway promises to exit.
IN_TIME = 10.0


async def chat(running: Site, name: str, end: asyncio.Event, accepted: list[str]) -> None:
    number = 0
    while not end.is_set():
        number += 1
        files = [photo(width=320, height=240, seed=1)] if number % 5 == 0 else []
        answers = await running.platforms[name].send(CONSUMERS[name], f"{name} {number}", files)
        assert all(answer.accepted for answer in answers)
        accepted.append(f"{name} {number}")
        await asyncio.sleep(0.01)


def received(running: Site, name: str) -> list[tuple[int, str]]:
    messages = [
        event["data"]["message"]
        for event in running.core.events
        if event["source"] == name and event["type"] == "message.received"
    ]
    return list(dict.fromkeys((message["sequence"], message["text"]) for message in messages))


async def ended_in_time(running: Site) -> int:
    begun = time.monotonic()
    status = await running.stop()
    assert time.monotonic() - begun < IN_TIME
    return status


async def all_arrived(running: Site, accepted: dict[str, list[str]]) -> None:
    def complete(events: list[dict[str, Any]]) -> bool:
        del events
        return all(len(received(running, name)) >= len(texts) for name, texts in accepted.items())

    await running.until(complete, seconds=60)
    for name, texts in accepted.items():
        assert received(running, name) == [(n + 1, text) for n, text in enumerate(texts)]


async def test_repeated_sigterm_under_load_exits_0_in_time(
    tmp_path: Path,
) -> None:
    async with site(tmp_path, settings={"core": {"hold_seconds": 0.5, "batch": 20}}) as running:
        for platform in running.platforms.values():
            platform.retries_for = 60.0
        end = asyncio.Event()
        accepted: dict[str, list[str]] = {name: [] for name in NAMES}
        writing = asyncio.gather(*(chat(running, name, end, accepted[name]) for name in NAMES))
        for _ in range(3):
            await asyncio.sleep(1.5)
            assert await ended_in_time(running) == 0
            await running.start()
        end.set()
        await writing
        await all_arrived(running, accepted)
        assert sum(len(texts) for texts in accepted.values()) > 50


async def test_sigterm_exits_in_time_despite_hanging_peers(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as running:
        running.core.delay = 14.0
        running.platforms["messenger"].fault_for_all = Fault(hang=True)
        await running.platforms["messenger"].send(
            CONSUMERS["messenger"], "look", [photo(width=320, height=240, seed=1)]
        )
        await running.platforms["twilio"].send(CONSUMERS["twilio"], "words")
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(0.5)
        assert await ended_in_time(running) == 0
        writer.close()
        running.core.delay = 0.0
        running.platforms["messenger"].fault_for_all = None
        await running.start()
        events = await running.until(lambda es: len(ended(es)) == 1, seconds=60)
        assert {e["data"]["message"]["text"] for e in messages(events)} == {"look", "words"}


async def test_a_successor_waits_and_takes_over_without_loss(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as running:
        for platform in running.platforms.values():
            platform.retries_for = 60.0
        end = asyncio.Event()
        accepted: dict[str, list[str]] = {name: [] for name in NAMES}
        writing = asyncio.gather(*(chat(running, name, end, accepted[name]) for name in NAMES))
        for _ in range(3):
            await asyncio.sleep(1.0)
            old = running.process
            assert old is not None
            # The old process still answers, so this returns at once; the new one waits for the data folder.
            await running.start()
            new = running.process
            await asyncio.sleep(1.5)
            assert new is not None
            assert new.returncode is None
            old.terminate()
            async with asyncio.timeout(IN_TIME):
                assert await old.wait() == 0
        end.set()
        await writing
        await all_arrived(running, accepted)
