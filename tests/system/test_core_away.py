"""An unavailable core: the journal grows, memory does not, and every event arrives later."""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from simulator import Consumer, Core, WhatsApp
from tests.system.running import CONSUMERS, SECRET, Site, free_port, site

pytestmark = pytest.mark.system

LONG, MANY = 3_000, 2_000


def resident(running: Site) -> int:
    """Return the resident memory of the gateway's main process in MiB."""
    assert running.process is not None
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) // 1024


async def speak(platform: WhatsApp, consumers: list[Consumer], first: int = 0) -> None:
    """Send one text from each consumer, a hundred per delivery."""
    for start in range(0, len(consumers), 100):
        changes = [
            platform.change(who, [platform.message(who, "text", {"body": str(first + start + n)})])
            for n, who in enumerate(consumers[start : start + 100])
        ]
        (answer,) = await platform.deliver(changes)
        assert answer.status == 200


def by_conversation(events: list[dict[str, Any]]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event in events:
        message = event["data"]["message"]
        found[event["subject"]].append((message["sequence"], message["text"]))
    return found


async def test_a_returning_core_gets_the_whole_backlog_in_order(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with site(tmp_path, core_url=f"http://127.0.0.1:{port}/events") as running:
        platform = running.platforms["whatsapp"]
        assert isinstance(platform, WhatsApp)
        crowd = [Consumer(f"4917{n:07d}", "Ann") for n in range(MANY)]
        await speak(platform, [CONSUMERS["whatsapp"]] * LONG)
        before = resident(running)
        await speak(platform, crowd)
        await asyncio.sleep(1.0)
        assert resident(running) < 256
        assert resident(running) - before < 64
        core = Core(SECRET)
        await core.start(port=port)
        events = await core.until(lambda es: len(es) >= LONG + MANY, seconds=120)
        assert resident(running) < 256
        await core.close()
        found = by_conversation(events)
        assert len(found) == 1 + MANY
        (long,) = [messages for messages in found.values() if len(messages) > 1]
        assert long == [(n + 1, str(n)) for n in range(LONG)]
        assert {sequence for messages in found.values() for sequence, _ in messages[:1]} == {1}
        assert await running.stop() == 0


async def test_after_410_forwarding_stops_until_an_operator_retries(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as running:
        platform = running.platforms["whatsapp"]
        running.core.judge = lambda event: 410
        await platform.send(CONSUMERS["whatsapp"], "one")
        async with asyncio.timeout(20):
            while running.core.refused == 0:
                await asyncio.sleep(0.05)
        for number in range(20):
            await platform.send(Consumer(f"4917{number:07d}", "Ann"), "two")
        await asyncio.sleep(2.0)
        assert running.core.refused == 1
        status, report = await running.call("GET", "/readyz")
        assert (status, report["status"]) == (200, "degraded")
        assert report["checks"]["core"]["state"] == "fail"
        running.core.judge = lambda event: 204
        status, answer = await running.call("POST", "/v1/failures/all/retry")
        assert (status, [r["status"] for r in answer["results"]]) == (202, ["accepted"])
        events = await running.until(lambda es: len(es) == 21)
        assert sorted(e["data"]["message"]["text"] for e in events) == ["one"] + ["two"] * 20


async def test_retry_after_from_the_core_is_respected(tmp_path: Path) -> None:
    async with site(tmp_path) as running:
        running.core.headers_of_refusal = {"retry-after": "3"}
        asked: list[float] = []

        def judge(event: dict[str, Any]) -> int:
            asked.append(asyncio.get_running_loop().time())
            return 204 if len(asked) > 1 else 503

        running.core.judge = judge
        await running.platforms["whatsapp"].send(CONSUMERS["whatsapp"], "one")
        await running.until(lambda es: len(es) == 1)
        assert asked[1] - asked[0] >= 2.9
