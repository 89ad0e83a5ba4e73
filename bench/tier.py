"""Meta's highest tier for one number, on this machine: how much of it one gateway takes, and what limits it.

    python -m bench.tier [--seconds N] [--journal postgresql] [--media s3://…] [--publish]

The tier is 3,300 webhooks a second (1,000 messages, and 2,300 statuses of texts), each acknowledged only once it is on
disk, while five photos of 1,600 pixels a second are fetched and made safe. The gateway, its decoders, the generator,
the emulated platform and the core share the machine's processors. Shares of the tier are tried from the whole
downwards until one meets all goals.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.deliveries import CONNECTOR, delivery, request, status
from bench.generator import WARM_UP, Load, open_loop
from bench.postgresql import postgresql
from bench.processes import Times, family, proportional
from bench.report import machine, options, publish, table
from bench.servers import Server, airlock, free_port
from bench.sink import Sink
from simulator import Consumer, WhatsApp, photo
from simulator.samples import Sample

_SECRET = "whsec_YmVuY2htYXJrcyBuZWVkIGEgc2VjcmV0"
#: The tier, in webhooks, messages among them, and photos, each a second.
WEBHOOKS, MESSAGES, PHOTOS = 3_300, 1_000, 5
_PHOTO_SIDE = 1_600
SHARES = (1.0, 0.75, 0.5, 0.35, 0.25, 0.1)
#: Goals: seconds, and bytes.
_P50, _P99, _MEMORY = 0.25, 1.0, 512 * 2**20
_CONNECTIONS = 128
_CONVERSATIONS = 50_000
#: Seconds for what was accepted to reach the core afterwards.
_DRAIN = 120.0
#: Shares of the time above which processors count as the limit.
_BUSY_LOOP, _BUSY_MACHINE = 0.85, 0.9
#: Processors of other work above which the figures say little.
_FOREIGN = 0.3
PROCESSORS = os.cpu_count() or 1


@dataclass(frozen=True)
class Setup:
    server: Server
    platform: WhatsApp
    sink: Sink


@dataclass(frozen=True)
class Taken:
    """One run at a share of the tier. Times are in seconds, memory in bytes."""

    share: float
    load: Load
    #: Messages that reached the core, of those accepted, and the seconds that took after the load.
    delivered: int
    drained: float
    photos_sent: int
    photos_ready: int
    #: Processors that were used on average: by the main process, by the decoders, by this program with platform and
    #: core; and the share of all processors that was used by anything.
    main: float
    decoders: float
    own: float
    whole: float
    main_memory: int
    all_memory: int

    @property
    def rate(self) -> float:
        return self.load.rate

    def missed(self) -> list[str]:
        wanted = self.share * WEBHOOKS
        checks = {
            f"{self.rate:,.0f}/s instead of {wanted:,.0f}/s": self.rate >= 0.97 * wanted,
            "refusals": set(self.load.statuses) == {200},
            f"median {self.load.percentile(0.5) * 1e3:.0f} ms": self.load.percentile(0.5) <= _P50,
            f"p99 {self.load.percentile(0.99) * 1e3:.0f} ms": self.load.percentile(0.99) <= _P99,
            f"memory {self.all_memory / 2**20:.0f} MiB": self.all_memory <= _MEMORY,
            "photos": self.photos_ready == self.photos_sent,
        }
        return [what for what, is_met in checks.items() if not is_met]

    @property
    def foreign(self) -> float:
        """The processors that other work on the machine used."""
        return max(0.0, self.whole * PROCESSORS - self.main - self.decoders - self.own)

    def limit(self) -> str:
        """Return what the processors were doing."""
        if self.foreign > _FOREIGN:
            return f"other work on the machine, which used {self.foreign:.2f} processors"
        if self.main >= _BUSY_LOOP:
            return "the one processor of the main process"
        if self.whole >= _BUSY_MACHINE:
            return f"all processors; generator, platform and core use {self.own:.2f} of them"
        return "waiting for the disk"


@asynccontextmanager
async def setup(journal: str, media: str) -> AsyncIterator[Setup]:
    port, sink = free_port(), Sink()
    platform = WhatsApp(f"http://127.0.0.1:{port}/webhooks/photos")
    await platform.start()
    await sink.start()
    texts = {**CONNECTOR, "api_url": platform.api_url}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        content: dict[str, Any] = {
            "gateway": {
                "listen": f"127.0.0.1:{port}",
                "data": f"{folder}/data",
                "api_tokens": ["bench-token"],
                "journal": journal,
                "media": media,
            },
            "core": {
                "url": f"http://127.0.0.1:{sink.port}/",
                "secrets": [_SECRET],
                "batch": 100,
                "hold_seconds": 2,
            },
            "fetch": {"allow_private_hosts": True},
            "media": {"isolation": "reduced"},
            "connectors": {"photos": platform.settings(), "bench": texts},
        }
        settings = Path(folder) / "connectors.yaml"
        settings.write_text(json.dumps(content))
        with airlock(settings, port) as server:
            yield Setup(server, platform, sink)
    await platform.close()
    await sink.close()


def webhooks(seconds: int, share: float) -> tuple[list[bytes], int]:
    """Return the requests in their order, messages spread evenly among statuses, and the number of messages."""
    count = round(seconds * share * WEBHOOKS)
    requests: list[bytes] = []
    messages = 0
    for number in range(count):
        if (number + 1) * MESSAGES // WEBHOOKS > messages:
            requests.append(request(delivery(messages, _CONVERSATIONS)))
            messages += 1
        else:
            requests.append(request(status(number, _CONVERSATIONS)))
    return requests, messages


async def measure(seconds: int, share: float, journal: str, media: str) -> Taken:
    requests, messages = webhooks(seconds, share)
    sample = photo(width=_PHOTO_SIDE, height=_PHOTO_SIDE * 3 // 4, seed=7)
    async with setup(journal, media) as running:
        memory = Memory(running.server.process.pid)
        with memory.watched():
            sending = asyncio.create_task(_photos(running.platform, sample, seconds, share))
            before = Times.now(running.server.process.pid)
            begin = time.perf_counter()
            rate = share * WEBHOOKS
            load = await open_loop(running.server.port, requests, _CONNECTIONS, rate, WARM_UP)
            wall = time.perf_counter() - begin
            used = Times.now(running.server.process.pid).since(before)
            sent = await sending
            begin = time.perf_counter()
            await _settled(running.sink, messages, sent)
            drained = time.perf_counter() - begin
        return Taken(
            share,
            load,
            len(running.sink.taken),
            drained,
            sent,
            len(running.sink.ready),
            used.main / wall,
            (used.family - used.main) / wall,
            used.own / wall,
            used.machine / wall / PROCESSORS,
            memory.main,
            memory.family,
        )


async def _photos(platform: WhatsApp, sample: Sample, seconds: int, share: float) -> int:
    """Send photos at a steady pace; return how many were accepted."""
    accepted = 0
    begin = time.perf_counter()
    for number in range(round(seconds * share * PHOTOS)):
        await asyncio.sleep(max(0.0, begin + number / (share * PHOTOS) - time.perf_counter()))
        deliveries = await platform.send(Consumer(f"4915200{number:06d}", "Ann"), None, [sample])
        accepted += all(one.accepted for one in deliveries)
    return accepted


async def _settled(sink: Sink, messages: int, photos: int) -> None:
    until = time.perf_counter() + _DRAIN
    while time.perf_counter() < until:
        if len(sink.taken) >= messages and len(sink.ready) >= photos:
            return
        await asyncio.sleep(0.05)


class Memory:
    """The peaks of a gateway's memory: of its main process, and of all its processes together, shared pages once."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.main = self.family = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            self._look()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._look()

    def _look(self) -> None:
        sizes = {pid: proportional(pid) for pid in family(self._pid)}
        self.main = max(self.main, sizes.get(self._pid, 0))
        self.family = max(self.family, sum(sizes.values()))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument(
        "--journal",
        default="sqlite",
        help="gateway.journal; postgresql alone means a server that is started for the run",
    )
    parser.add_argument("--media", default="file", help="gateway.media, such as s3://…")
    parser.add_argument("--shares", default=",".join(map(str, SHARES)), help="shares to try")
    arguments = parser.parse_args()
    found: list[Taken] = []
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for share in map(float, arguments.shares.split(",")):
            with _journal(arguments.journal) as journal:
                work = measure(arguments.seconds, share, journal, arguments.media)
                found.append(runner.run(work))
            print(report(found), flush=True)
            if not found[-1].missed():
                break
    text = f"{machine()} Journal: {arguments.journal.partition(':')[0]}.\n\n{report(found)}"
    if arguments.publish:
        publish("tier", text)


@contextmanager
def _journal(asked: str) -> Iterator[str]:
    """Return the setting `gateway.journal`."""
    if asked != "postgresql":
        yield asked
        return
    with postgresql() as database:
        yield database.url


def report(found: Sequence[Taken]) -> str:
    heads = [
        "share of the tier",
        "webhooks",
        "p50",
        "p99",
        "refused",
        "photos ready",
        "core has all after",
        "main process",
        "decoders",
        "generator, platform, core",
        "other work",
        "memory, main and all",
    ]
    rows = [
        [
            f"{one.share:.2f}",
            f"{one.rate:,.0f}/s",
            f"{one.load.percentile(0.5) * 1e3:.0f} ms",
            f"{one.load.percentile(0.99) * 1e3:.0f} ms",
            f"{sum(n for code, n in one.load.statuses.items() if code != 200):,}",
            f"{one.photos_ready} of {one.photos_sent}",
            f"{one.drained:.1f} s",
            f"{one.main:.2f}",
            f"{one.decoders:.2f}",
            f"{one.own:.2f}",
            f"{one.foreign:.2f}",
            f"{one.main_memory / 2**20:.0f}, {one.all_memory / 2**20:.0f} MiB",
        ]
        for one in found
    ]
    return f"{table(heads, rows)}\n\n{_verdict(found)}"


def _verdict(found: Sequence[Taken]) -> str:
    best = next((one for one in found if not one.missed()), None)
    first = found[0]
    reached = (
        f"All goals are met at {best.share:.2f} of the tier ({best.rate:,.0f} webhooks/s)."
        if best
        else "No share that was tried meets all goals."
    )
    why = f" At {first.share:.2f}: {', '.join(first.missed()) or 'nothing missed'}; limit: {first.limit()}."
    highest = statistics.fmean([max(one.rate for one in found)])
    return f"{reached} The highest rate was {highest:,.0f}/s.{why}"


if __name__ == "__main__":
    main()
