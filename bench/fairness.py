"""What an innocent consumer notices of attacks, of hanging hosts and of heavy senders.

    python -m bench.fairness [--seconds N] [--only NAME…] [--publish]

It runs `airlock serve` with emulated platforms, for each attack on a new journal: first calm, then beside the attack.
All the while, innocent consumers send texts and small photos, each on a new connection. `webhook` is the time until a
text is acknowledged, `text` until the core has it, `photo` until the core has the photo ready.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from PIL import Image

from bench.deliveries import CONNECTOR, delivery, request
from bench.fairness_attacks import ATTACKS
from bench.report import machine, options, publish, table
from bench.sanitize_inputs import photos, videos
from bench.servers import Server, airlock, free_port
from simulator import Consumer, Core, Fault, Messenger, Platform, Twilio, WhatsApp
from simulator.samples import Sample
from tests.normalizer.media_samples import encoded, natural

_SECRET = "whsec_YmVuY2htYXJrcyBuZWVkIGEgc2VjcmV0"
_TEXTS_A_SECOND = 40.0
_PHOTOS_A_SECOND = 2.0
#: Seconds after which an innocent text or photo counts as lost; it then has this latency.
_PATIENCE = 60.0
#: The number of the first innocent beside an attack.
_MANY = 1_000_000
#: Seconds of an attack before anything is measured.
_LEAD = 4.0
#: Descriptors of the gateway at its start, as most systems set them.
_DESCRIPTORS = 1024
_MEMORY_GOAL = 350 * 10**6
_WEBHOOK_GOAL, _WEBHOOK_RATIO = 0.25, 5.0
_PHOTO_EXTRA, _PHOTO_RATIO = 1.0, 3.0


@dataclass(frozen=True)
class Setup:
    """A gateway with emulated platforms and a core. Innocents are on `whatsapp` and on the connector `bench`."""

    server: Server
    whatsapp: Platform
    messenger: Platform
    core: Core


@dataclass
class Found:
    """Latencies in seconds, deliveries that were not accepted, and resident bytes of the main process."""

    webhook: list[float] = field(default_factory=list)
    text: list[float] = field(default_factory=list)
    photo: list[float] = field(default_factory=list)
    refused: int = 0
    resident: int = 0


@asynccontextmanager
async def setup() -> AsyncIterator[Setup]:
    port = free_port()
    core = Core(_SECRET)
    kinds: dict[str, type[Platform]] = {
        "whatsapp": WhatsApp,
        "messenger": Messenger,
        "twilio": Twilio,
    }
    platforms = {
        name: kind(f"http://127.0.0.1:{port}/webhooks/{name}") for name, kind in kinds.items()
    }
    await core.start()
    for platform in platforms.values():
        await platform.start()
    texts = {**CONNECTOR, "api_url": platforms["whatsapp"].api_url}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        content: dict[str, Any] = {
            "gateway": {"listen": f"127.0.0.1:{port}", "data": f"{folder}/data"},
            "core": {"url": core.url, "secrets": [_SECRET], "hold_seconds": 0},
            "fetch": {"allow_private_hosts": True},
            "connectors": {name: p.settings() for name, p in platforms.items()} | {"bench": texts},
        }
        settings = Path(folder) / "connectors.yaml"
        settings.write_text(json.dumps(content))
        with airlock(settings, port) as server:
            yield Setup(server, platforms["whatsapp"], platforms["messenger"], core)
    for platform in platforms.values():
        await platform.close()
    await core.close()


Attack = Callable[[Setup], Awaitable[None]]


@cache
def _heavy() -> bytes:
    large = natural(4000, 4000).resize((8000, 8000), Image.Resampling.BICUBIC)
    return encoded(large, quality=75, progressive=True)


def _prepare() -> None:
    """Make all files before anything is measured: it takes long, and all processors."""
    _heavy(), photos(), videos()


async def _nothing(setup: Setup) -> None:
    """Leave the gateway calm."""


def _slow_host(fault: Fault) -> Attack:
    """Let 200 consumers send photos that are on a slow host."""

    async def attack(setup: Setup) -> None:
        setup.messenger.fault_for_all = fault
        photo = Sample("IMG_1600.JPG", "image/jpeg", photos()["2 MP sRGB"])
        await _send(setup.messenger, [f"77123456789{n:05d}" for n in range(200)], photo)

    return attack


async def _heavy_photos(setup: Setup) -> None:
    """Let one consumer send 40 photos within all limits that take decoders seconds each."""
    sample = Sample("IMG_1.JPG", "image/jpeg", _heavy())
    await _send(setup.whatsapp, ["4915200000001"] * 40, sample)


async def _videos(setup: Setup) -> None:
    sample = Sample("IMG_0042.MP4", "video/mp4", videos()["MP4 of 23 MB"])
    await _send(setup.whatsapp, [f"49152{n:08d}" for n in range(20)], sample)


async def _send(platform: Platform, consumers: Sequence[str], sample: Sample) -> None:
    await asyncio.gather(*(platform.send(Consumer(c, "Max"), None, [sample]) for c in consumers))


@contextmanager
def _unproved(name: str, port: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "bench.fairness_attacks", name, str(port)])
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


#: What happens beside the innocents. Those in `ATTACKS` run in a process of their own.
SCENES: dict[str, tuple[str, Attack]] = {
    "forged-forms": ("20 clients post forged forms of 4 MB", _nothing),
    "half-bodies": ("150 connections with half a body each", _nothing),
    "idle-sockets": ("1,150 idle connections", _nothing),
    "hanging-host": ("200 photos on a host that hangs", _slow_host(Fault(hang=True))),
    "dripping-host": ("200 photos on a host that drips", _slow_host(Fault(drip=True))),
    "heavy-photos": ("40 heavy photos of one consumer", _heavy_photos),
    "videos": ("20 videos of 23 MB", _videos),
}


async def measure(scene: str, seconds: float) -> tuple[Found, Found]:
    """Return what the innocents found while it was calm, and then beside the attack, in the same gateway."""
    async with setup() as running:
        calm = await _found(running, seconds, first=0)
        with contextlib.ExitStack() as stack:
            if scene in ATTACKS:
                stack.enter_context(_unproved(scene, running.server.port))
            attack = asyncio.create_task(_as_task(SCENES[scene][1](running)))
            await asyncio.sleep(_LEAD)
            found = await _found(running, seconds, first=_MANY)
            await attack
    return calm, found


async def _found(running: Setup, seconds: float, first: int) -> Found:
    """Send innocents' texts and photos, numbered from `first` on, and measure how long they take."""
    found = Found()
    sent = await asyncio.gather(
        _send_texts(running, found, seconds, first), _send_photos(running, found, seconds, first)
    )
    found.text, found.photo = await _arrivals(running.core, *sent)
    found.resident = running.server.resident()
    return found


async def _as_task(work: Awaitable[None]) -> None:
    await work


async def _send_texts(running: Setup, found: Found, seconds: float, first: int) -> dict[str, float]:
    """Send texts at a steady rate; return when each was due, by its first words."""
    due: dict[str, float] = {}
    begin = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(round(seconds * _TEXTS_A_SECOND)):
            at = due[f"Message {first + number}."] = begin + number / _TEXTS_A_SECOND
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            group.create_task(_send_text(running, found, first + number, at))
    return due


async def _send_text(running: Setup, found: Found, number: int, due: float) -> None:
    status = 0
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(_PATIENCE):
            status = await _post(running.server.port, request(delivery(number, 1000)))
    found.refused += status != 200
    found.webhook.append(time.monotonic() - due if status == 200 else _PATIENCE)


async def _post(port: int, content: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(content)
        return int((await reader.readline())[9:12])


async def _send_photos(
    running: Setup, found: Found, seconds: float, first: int
) -> dict[str, float]:
    """Send photos of ever new consumers; return when each was due, by consumer."""
    small = Sample("IMG_0.JPG", "image/jpeg", photos()["0.3 MP sRGB"])
    due: dict[str, float] = {}
    begin = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(round(seconds * _PHOTOS_A_SECOND)):
            consumer = f"49153{first + number:08d}"
            at = due[consumer] = begin + number / _PHOTOS_A_SECOND
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            group.create_task(_send_photo(running, found, consumer, small))
    return due


async def _send_photo(running: Setup, found: Found, consumer: str, sample: Sample) -> None:
    """Send a photo as the platform does, which repeats a delivery that fails."""
    delivered = []
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            delivered = await running.whatsapp.send(Consumer(consumer, "Mia"), None, [sample])
    found.refused += not any(one.accepted for one in delivered)


async def _arrivals(
    core: Core, texts: dict[str, float], photos: dict[str, float]
) -> tuple[list[float], list[float]]:
    """Return the seconds until the core had each text, and each photo ready."""
    end = time.monotonic() + _PATIENCE
    while True:
        text, photo = _arrived(core)
        missing = (texts.keys() - text.keys()) | (photos.keys() - photo.keys())
        if not missing or time.monotonic() > end:
            break
        await asyncio.sleep(0.1)
    return (
        [text[name] - at if name in text else _PATIENCE for name, at in texts.items()],
        [photo[name] - at if name in photo else _PATIENCE for name, at in photos.items()],
    )


def _arrived(core: Core) -> tuple[dict[str, float], dict[str, float]]:
    text: dict[str, float] = {}
    photo: dict[str, float] = {}
    for received in core.taken:
        data = received.event["data"]
        message = data.get("message") or {}
        if words := message.get("text"):
            text.setdefault(words[: words.find(".") + 1], received.at)
        if any(a["state"] == "ready" for a in message.get("attachments", ())):
            photo.setdefault(data["conversation"]["consumer"]["id"], received.at)
    return text, photo


def percentile(found: Sequence[float], share: float) -> float:
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(results: dict[str, tuple[Found, Found]]) -> str:
    heads = [
        *("beside the innocents", "webhook p99", "÷ calm", "text p99", "÷ calm", "photo p95"),
        *("÷ calm", "refused", "memory", "missed"),
    ]
    rows = [_row("calm", *(_together([calm for calm, _ in results.values()]),) * 2)]
    rows += [_row(SCENES[scene][0], *measured) for scene, measured in results.items()]
    return f"{machine()}\n\n{table(heads, rows)}"


def _together(found: list[Found]) -> Found:
    """Return several measurements as one."""
    return Found(
        [second for one in found for second in one.webhook],
        [second for one in found for second in one.text],
        [second for one in found for second in one.photo],
        sum(one.refused for one in found),
        max(one.resident for one in found),
    )


def _row(name: str, calm: Found, found: Found) -> list[str]:
    figures = [
        cell
        for figure, share in (("webhook", 0.99), ("text", 0.99), ("photo", 0.95))
        for cell in _compared(getattr(found, figure), getattr(calm, figure), share)
    ]
    memory = f"{found.resident / 2**20:.0f} MiB"
    return [name, *figures, str(found.refused), memory, ", ".join(_missed(found, calm))]


def _compared(found: Sequence[float], calm: Sequence[float], share: float) -> list[str]:
    here, there = percentile(found, share), percentile(calm, share)
    return [f"{here * 1e3:,.0f} ms", f"{here / there:.1f}"]


def _missed(found: Found, calm: Found) -> Iterator[str]:
    """Name the goals that were missed."""
    webhook, usual = percentile(found.webhook, 0.99), percentile(calm.webhook, 0.99)
    if webhook > min(_WEBHOOK_GOAL, _WEBHOOK_RATIO * usual):
        yield "webhook"
    usual = percentile(calm.photo, 0.95)
    if percentile(found.photo, 0.95) > _PHOTO_RATIO * usual + _PHOTO_EXTRA:
        yield "photo"
    if found.refused:
        yield "refused"
    if found.resident > _MEMORY_GOAL:
        yield "memory"


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each half")
    parser.add_argument("--only", nargs="+", choices=[*SCENES], help="these attacks")
    arguments = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_DESCRIPTORS, hard), hard))
    text = report(_measure(arguments))
    print(text)
    if arguments.publish:
        publish("fairness", text)


def _measure(arguments: argparse.Namespace) -> dict[str, tuple[Found, Found]]:
    _prepare()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return {
            scene: runner.run(measure(scene, arguments.seconds))
            for scene in arguments.only or SCENES
        }


if __name__ == "__main__":
    main()
