"""The cost of a message as the journal grows: the same load on journals of increasing size.

    python -m bench.growth [--messages N] [--sizes N,N,…] [--publish]

Each journal is filled by the gateway's own code. Then `airlock serve` accepts, orders and forwards the same load
with that journal. CPU is that of the main process until the core has accepted the last event.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench.deliveries import requests
from bench.generator import closed_loop
from bench.ingest import CONNECTIONS, CONVERSATIONS, GENERATOR_CORE, SERVER_CORE
from bench.report import machine, options, publish, table
from bench.servers import gateway
from bench.sink import Sink
from connectors import Message, Party
from gateway.journal import Batch, Reading
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.timestamps import now_ms

_BATCH = 200
_TEXT = "The parcel arrived with a dent and the box was open. " * 12


async def fill(folder: Path, size: int) -> None:
    """Record `size` messages in as many conversations as the load has, all of them delivered to the core."""
    journal = await SqliteJournal.open(folder, hold_seconds=2)
    for readings in _batches(size):
        recorded = await journal.record(Batch((), readings))
        await journal.mark_delivered(
            [(entry.conversation, entry.key) for entry in recorded.entries]
        )
    await journal.close()


def _batches(size: int) -> Iterator[tuple[Reading, ...]]:
    for start in range(0, size, _BATCH):
        yield tuple(_reading(number) for number in range(start, min(start + _BATCH, size)))


def _reading(number: int) -> Reading:
    party = Party(id=f"4915100{number % CONVERSATIONS:07d}", name="Ann")
    message = Message(id=f"old.{number}", account="106540352242922", party=party, text=_TEXT)
    return Reading("bench", "whatsapp", now_ms(), message)


async def measure(size: int, messages: int) -> tuple[float, float]:
    """Return the CPU seconds per message, and the size of the journal in bytes."""
    sink = Sink()
    await sink.start()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        await fill(data, size)
        with gateway(Path(folder), f"http://127.0.0.1:{sink.port}/", SERVER_CORE) as server:
            before = server.cpu()
            await closed_loop(server.port, requests(messages, CONVERSATIONS), CONNECTIONS)
            await sink.until(messages, 300)
            used = server.cpu() - before
        bytes_on_disk = (data / "journal.db").stat().st_size
    await sink.close()
    return used / messages, bytes_on_disk


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--sizes", default="1000,100000,1000000")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {GENERATOR_CORE})
    sizes = [int(size) for size in arguments.sizes.split(",")]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = [runner.run(measure(size, arguments.messages)) for size in sizes]
    least = found[0][0]
    rows = [
        [f"{size:,}", f"{cpu * 1e6:.0f} µs", f"{cpu / least:.2f}", f"{on_disk / 2**20:,.0f} MiB"]
        for size, (cpu, on_disk) in zip(sizes, found, strict=True)
    ]
    heads = ["messages in the journal", "CPU/message", "÷ the smallest", "journal on disk"]
    text = f"{machine()}\n\n{table(heads, rows)}"
    print(text)
    if arguments.publish:
        publish("growth", text)


if __name__ == "__main__":
    main()
