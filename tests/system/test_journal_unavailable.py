"""While the journal cannot be written, deliveries are refused with 503 and retried, and nothing is lost."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from simulator import Consumer, WhatsApp
from tests.system.running import CONSUMERS, Site, site

pytestmark = pytest.mark.system


def texts(running: Site, consumer: Consumer) -> list[str]:
    return [
        event["data"]["message"]["text"]
        for event in running.core.events
        if event["data"]["conversation"]["consumer"]["id"] == consumer.id
    ]


async def write(running: Site, name: str, texts_to_send: list[str], accepted: list[str]) -> None:
    """Send the texts one after another, waiting until each is accepted."""
    for text in texts_to_send:
        (answer,) = await running.platforms[name].send(CONSUMERS[name], text)
        assert answer.accepted, answer
        accepted.append(text)


@pytest.mark.sqlite
async def test_a_locked_journal_delays_deliveries_without_loss(tmp_path: Path) -> None:
    names = ["whatsapp", "messenger", "twilio", "apple"]
    async with site(tmp_path) as running:
        for platform in running.platforms.values():
            platform.retries_for = 60.0
        texts_to_send = [f"{number}" for number in range(60)]
        accepted: dict[str, list[str]] = {name: [] for name in names}
        writing = asyncio.gather(*(write(running, n, texts_to_send, accepted[n]) for n in names))
        await asyncio.sleep(0.2)
        locked = _lock_journal(tmp_path / "data" / "journal.db", seconds=3)
        before = {name: len(taken) for name, taken in accepted.items()}
        async with running.http.get(f"{running.url}/healthz") as response:
            assert response.status == 200
        await asyncio.to_thread(locked.communicate)
        await writing
        assert all(before[name] < len(texts_to_send) for name in names)
        await running.until(lambda es: len(es) >= 60 * len(names), seconds=60)
        for name in names:
            assert texts(running, CONSUMERS[name]) == texts_to_send
        assert await running.stop() == 0


def _lock_journal(journal: Path, seconds: float) -> "subprocess.Popen[bytes]":
    """Start a process that locks the journal; return once it holds the lock."""
    script = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print(flush=True); time.sleep(float(sys.argv[2]))"
    )
    command = ["python3", "-c", script, str(journal), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


@contextlib.contextmanager
def small_disk(at: Path, megabytes: int) -> Iterator[None]:
    """Mount a small in-memory file system, which needs root."""
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(at)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a file system here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@contextlib.asynccontextmanager
async def on_that_disk(tmp_path: Path) -> AsyncIterator[tuple[Site, WhatsApp]]:
    """Run a gateway with its data on the small disk and a core that refuses every event."""
    settings = {"gateway": {"data": str(tmp_path / "disk" / "data")}}
    async with site(tmp_path, settings=settings) as running:
        platform = running.platforms["whatsapp"]
        assert isinstance(platform, WhatsApp)
        running.core.judge = lambda event: 503
        yield running, platform


@pytest.mark.sqlite
async def test_a_full_disk_refuses_deliveries_drains_and_recovers(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 64):
        async with on_that_disk(tmp_path) as (running, platform):
            sent = await _fill(running, platform, CONSUMERS["whatsapp"])
            free = os.statvfs(tmp_path / "disk")
            assert free.f_bavail * free.f_frsize > 1_000_000
            assert (await running.call("GET", "/readyz"))[0] == 503
            async with running.http.get(f"{running.url}/healthz") as response:
                assert response.status == 200
            running.core.judge = lambda event: 204
            await running.until(lambda es: len(es) == len(sent), seconds=120)
            assert texts(running, CONSUMERS["whatsapp"]) == sent
            platform.retries_for = 90.0
            (answer,) = await platform.send(CONSUMERS["whatsapp"], "there is room again")
            assert answer.accepted, answer
            await running.until(lambda es: len(es) == len(sent) + 1)
            assert await running.stop() == 0
        with contextlib.closing(sqlite3.connect(tmp_path / "disk/data/journal.db")) as journal:
            assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.sqlite
async def test_a_burst_is_refused_before_accepted_deliveries_lack_space(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", 48):
        async with on_that_disk(tmp_path) as (running, platform):
            crowd = [Consumer(f"4917{number:07d}", "Ann") for number in range(40)]
            sent = dict(
                zip(
                    (consumer.id for consumer in crowd),
                    await asyncio.gather(*(_fill(running, platform, who) for who in crowd)),
                    strict=True,
                )
            )
            running.core.judge = lambda event: 204
            count = sum(map(len, sent.values()))
            await running.until(lambda es: len(es) == count, seconds=120)
            for consumer in crowd:
                assert texts(running, consumer) == sent[consumer.id]
            assert await running.stop() == 0
        assert "journal_write_failed" not in (running.folder / "gateway.log").read_text()


async def _fill(running: Site, platform: WhatsApp, consumer: Consumer) -> list[str]:
    """Send until the gateway keeps refusing; return the accepted texts."""
    sent = list[str]()
    while True:
        texts_to_send = [f"{len(sent) + n} " + "x" * 4000 for n in range(20)]
        messages = [platform.message(consumer, "text", {"body": text}) for text in texts_to_send]
        (answer,) = await platform.deliver([platform.change(consumer, messages)])
        if answer.status == 503:
            # The refusal may be only because of deliveries that are not parsed yet.
            await asyncio.sleep(1.0)
            if (await running.call("GET", "/readyz"))[0] == 503:
                return sent
            continue
        assert answer.status == 200
        sent += texts_to_send
        assert len(sent) < 100_000
