"""Photos, videos, sound and documents from the webhook until the core receives `ready`, and their effect on texts.

    python -m bench.media [--photos N] [--videos N] [--parallel N] [--publish]

It runs `airlock serve` with an emulated platform that serves the files on loopback. Latencies are those of one
file at a time on an idle machine; memory is the peak of the main process alone.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from bench.deliveries import CONNECTOR, requests
from bench.documents import invoice, scan
from bench.generator import closed_loop, open_loop
from bench.report import machine, options, publish, table
from bench.sanitize_inputs import photos, videos
from bench.servers import Server, airlock, free_port
from simulator import Consumer, Core, Platform, WhatsApp
from simulator.samples import Sample, padded, voice

_SECRET = "whsec_YmVuY2htYXJrcyBuZWVkIGEgc2VjcmV0"
_TIMEOUT = 300.0
#: Texts per second beside the videos: a busy hour of a large brand.
_TEXTS = 300.0
_VIDEOS_BESIDE = 20
_CONVERSATIONS = 10_000
#: The largest video that is accepted; part of it is a free-space atom.
_VIDEO_BYTES = 24_900_000
_MEMORY_GOAL = 256 * 2**20


@dataclass(frozen=True)
class Setup:
    """A gateway with an emulated platform and a core."""

    server: Server
    platform: Platform
    core: Core


@asynccontextmanager
async def setup() -> AsyncIterator[Setup]:
    port = free_port()
    platform, core = WhatsApp(f"http://127.0.0.1:{port}/webhooks/whatsapp"), Core(_SECRET)
    await platform.start()
    await core.start()
    texts = {**CONNECTOR, "api_url": platform.api_url}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        content: dict[str, Any] = {
            "gateway": {
                "listen": f"127.0.0.1:{port}",
                "data": f"{folder}/data",
                "api_tokens": ["bench-token"],
            },
            "core": {"url": core.url, "secrets": [_SECRET]},
            "fetch": {"allow_private_hosts": True},
            "connectors": {"whatsapp": platform.settings(), "bench": texts},
        }
        settings = Path(folder) / "connectors.yaml"
        settings.write_text(json.dumps(content))
        with airlock(settings, port) as server:
            yield Setup(server, platform, core)
    await platform.close()
    await core.close()


def _consumer(number: int) -> Consumer:
    return Consumer(f"4915200{number:06d}", "Ann")


def _ready(core: Core) -> int:
    return sum(
        attachment["state"] == "ready"
        for event in core.distinct
        for attachment in event["data"].get("message", {}).get("attachments", ())
    )


async def latencies(setup: Setup, sample: Sample, count: int) -> list[float]:
    """Return the seconds from the webhook to `ready` for one file at a time; the first three only warm up."""
    found: list[float] = []
    for number in range(count + 3):
        before, begin = _ready(setup.core), time.perf_counter()
        await setup.platform.send(_consumer(number), None, [sample])
        await setup.core.until(lambda _, wanted=before + 1: _ready(setup.core) >= wanted, _TIMEOUT)  # type: ignore[misc]  # the default binds the value of this round
        found.append(time.perf_counter() - begin)
    return sorted(found[3:])


async def together(setup: Setup, sample: Sample, count: int) -> float:
    """Return the seconds until `count` files that arrive at the same time are ready."""
    before, begin = _ready(setup.core), time.perf_counter()
    sent = (setup.platform.send(_consumer(number), None, [sample]) for number in range(count))
    await asyncio.gather(*sent)
    await setup.core.until(lambda _: _ready(setup.core) >= before + count, _TIMEOUT)
    return time.perf_counter() - begin


async def acknowledgements(setup: Setup, sample: Sample) -> list[float]:
    """Return the seconds in which texts are acknowledged while videos are made safe."""
    working = asyncio.create_task(together(setup, sample, _VIDEOS_BESIDE))
    found: list[float] = []
    start = 0
    while not working.done():
        load = await open_loop(setup.server.port, requests(round(_TEXTS), 1000, start), 32, _TEXTS)
        found += load.latencies
        start += round(_TEXTS)
    await working
    return sorted(found)


def _unavailable(_: dict[str, Any]) -> int:
    return 503


async def in_flight(setup: Setup) -> int:
    """Return the peak of resident bytes while `_CONVERSATIONS` conversations wait for a core that is down."""
    setup.core.judge = _unavailable
    await closed_loop(setup.server.port, requests(_CONVERSATIONS, _CONVERSATIONS), 64)
    await asyncio.sleep(10)
    return setup.server.resident()


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _sound_and_pages(count: int) -> dict[str, Callable[[Setup], Awaitable[list[float]]]]:
    samples = {
        "voice message of 20 s": voice(20.0),
        "invoice of one page": Sample("invoice.pdf", "application/pdf", invoice()),
        "scan of ten pages": Sample("scan.pdf", "application/pdf", scan(10)),
    }
    return {
        what: partial(latencies, sample=sample, count=count) for what, sample in samples.items()
    }


async def _measure(arguments: argparse.Namespace) -> list[list[str]]:
    photo = Sample("IMG_1600.JPG", "image/jpeg", photos()["2 MP sRGB"])
    video = padded(Sample("IMG_0042.MP4", "video/mp4", videos()["MP4 of 23 MB"]), _VIDEO_BYTES)
    short = Sample("clip.mp4", "video/mp4", videos()["MP4 of 2 MB"])

    async def in_new_setup(work: Callable[[Setup], Awaitable[Any]]) -> Any:
        async with setup() as running:
            result = await work(running)
            return result, running.server.resident()

    one, _ = await in_new_setup(lambda s: latencies(s, photo, arguments.photos))
    two, _ = await in_new_setup(lambda s: latencies(s, video, arguments.videos))
    others = [
        [f"{what} until ready, p95", "", _ms((await in_new_setup(one))[0], 0.95)]
        for what, one in _sound_and_pages(arguments.photos // 3).items()
    ]
    beside, _ = await in_new_setup(lambda s: acknowledgements(s, short))
    seconds, parallel = await in_new_setup(lambda s: together(s, video, arguments.parallel))
    waiting, _ = await in_new_setup(in_flight)
    return [
        ["photo of 1,600 px until ready, p95", "≤ 120 ms", _ms(one, 0.95)],
        ["the same, p50", "", _ms(one, 0.5)],
        ["MP4 of 25 MB until ready, p95", "≤ 1,000 ms", _ms(two, 0.95)],
        ["the same, p50", "", _ms(two, 0.5)],
        *others,
        [f"texts acknowledged beside {_VIDEOS_BESIDE} videos, longest", "≤ 250 ms", _ms(beside, 1)],
        ["the same, p99", "", _ms(beside, 0.99)],
        [
            f"memory, {arguments.parallel} videos of 25 MB at once ({seconds:.0f} s)",
            *_mib(parallel),
        ],
        [f"memory, {_CONVERSATIONS:,} conversations in flight, core down", *_mib(waiting)],
    ]


def _ms(ordered: Sequence[float], share: float) -> str:
    return f"{_percentile(ordered, share) * 1e3:,.0f} ms"


def _mib(found: int) -> list[str]:
    return [f"≤ {_MEMORY_GOAL / 2**20:.0f} MiB", f"{found / 2**20:.0f} MiB"]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--videos", "--films", type=int, default=20)  # allow-word
    parser.add_argument("--parallel", type=int, default=100)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(_measure(arguments))
    text = f"{machine()}\n\n{table(['measured', 'goal', 'reached'], rows)}"
    print(text)
    if arguments.publish:
        publish("media", text)


if __name__ == "__main__":
    main()
