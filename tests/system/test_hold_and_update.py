"""A message waits for its media no longer than allowed, whatever the host does; the media follow in an update."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator import Consumer, Fault, photo
from tests.system.running import CONSUMERS, Site, attachments, ended, site

pytestmark = pytest.mark.system

HOLD = 1.0


@dataclass(frozen=True, slots=True)
class HostFault:
    """A fault of the media host before it finally serves the file."""

    platform: str
    fault: Fault


FAULTS = {
    "hangs": HostFault("messenger", Fault(hang=True, times=1)),
    "drips 1 kB/s": HostFault("messenger", Fault(drip=True, times=1)),
    "answers 503 twice": HostFault("messenger", Fault(status=503, times=2)),
    "does not have it yet": HostFault("twilio", Fault(status=404, times=2)),
    "lets the address expire": HostFault("whatsapp", Fault(status=404, times=2)),
    "refuses the token twice": HostFault("whatsapp", Fault(status=401, times=2, at="lookup")),
    "refuses the download twice": HostFault("whatsapp", Fault(status=401, times=2)),
    "ends in the middle": HostFault("apple", Fault(truncate=True, times=2)),
}


async def test_pending_media_are_announced_in_time_and_updated_later(
    tmp_path: Path,
) -> None:
    async with site(tmp_path, settings={"core": {"hold_seconds": HOLD}}) as running:
        accepted = {}
        for number, (what, case) in enumerate(FAULTS.items()):
            platform = running.platforms[case.platform]
            sample = photo(width=800, height=600, seed=number, name=f"{number}.jpg")
            platform.faults[sample.name] = case.fault
            await platform.send(_consumer(case.platform, number), what, [sample])
            accepted[what] = time.monotonic()
        ordinary = await _latency_of_text(running)
        await running.until(lambda es: len(_texts_of(es, "message.received")) == len(FAULTS), 30)
        for received in running.core.taken:
            what = _text(received.event)
            if what in FAULTS and received.event["type"] == "message.received":
                # A busy machine delays everything, so the latency of an ordinary text is allowed in addition.
                assert received.at - accepted[what] <= HOLD + 5.0 + ordinary, what
                (shown,) = received.event["data"]["message"]["attachments"]
                assert shown["state"] == "pending", what
        events = await running.until(lambda es: len(ended(es)) == len(FAULTS), seconds=90)
        assert {a["state"] for a in attachments(events).values()} == {"ready"}
        assert sorted(_texts_of(events, "attachment.updated")) == sorted(FAULTS)
        assert {what: case.fault.times for what, case in FAULTS.items()} == dict.fromkeys(FAULTS, 0)


def _consumer(platform: str, number: int) -> Consumer:
    """Return a separate consumer for each fault, so that each has its own conversation."""
    return Consumer(CONSUMERS[platform].id[:-1] + str(number), "Kim")


def _texts_of(events: list[dict[str, Any]], type: str) -> list[str]:
    return [_text(e) for e in events if e["type"] == type and _text(e) in FAULTS]


async def _latency_of_text(running: Site) -> float:
    """Measure the latency of a text in another conversation while the hosts misbehave."""
    sent = time.monotonic()
    await running.platforms["twilio"].send(Consumer("+15550009999", "Kim"), "by the way")
    await running.until(lambda es: any(_text(e) == "by the way" for e in es), seconds=30)
    (came,) = [r.at for r in running.core.taken if _text(r.event) == "by the way"]
    return came - sent


def _text(event: dict[str, Any]) -> Any:
    return event["data"].get("message", {}).get("text")


async def test_a_hanging_host_delays_neither_texts_nor_other_hosts(
    tmp_path: Path,
) -> None:
    async with site(tmp_path, settings={"core": {"hold_seconds": 0.2}}) as running:
        slow, quick = running.platforms["messenger"], running.platforms["apple"]
        slow.fault_for_all = Fault(hang=True)
        picture = photo(width=320, height=240, seed=4)
        await asyncio.gather(
            *(slow.send(Consumer(f"77{n:014d}", "Lee"), "slow", [picture]) for n in range(80))
        )
        for number in range(5):
            await quick.send(CONSUMERS["apple"], f"quick {number}", [picture])
            await running.platforms["twilio"].send(CONSUMERS["twilio"], f"words {number}")
        events = await running.until(lambda es: len(ended(es)) == 5, seconds=12)
        assert {a["state"] for a in ended(events)} == {"ready"}
        assert len([e for e in events if e["source"] == "twilio"]) == 5
