"""The rate at which deliveries are accepted durably, beside the same web server with less work behind it.

    python -m bench.ingest [--messages N] [--rounds N] [--publish]

Each round measures every server in turn, on one processor, from a generator on another one. Ratios are ratios of
medians. `floor` verifies and answers; `log` also appends to a file with group fdatasync; `single` commits to
SQLite for each request; `airlock` is `airlock serve` with the whole pipeline and a core that accepts every event.
"""

import asyncio
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.deliveries import requests
from bench.generator import WARM_UP, Load, closed_loop, open_loop
from bench.report import machine, options, publish, table
from bench.servers import Server, floor, gateway
from bench.sink import Sink

SERVERS = ("floor", "log", "single", "airlock")
SERVER_CORE, GENERATOR_CORE = 0, 1
CONNECTIONS = 64
CONVERSATIONS = 1_000


@dataclass(frozen=True)
class Measured:
    """One server in one round. `cpu` is in seconds per message, `resident` in bytes."""

    rate: float
    p50: float
    p99: float
    cpu: float
    syncs: float
    resident: int


@contextmanager
def serving(name: str, folder: Path, core_url: str) -> Iterator[Server]:
    if name == "airlock":
        with gateway(folder, core_url, SERVER_CORE) as server:
            yield server
    else:
        with floor(name, folder, SERVER_CORE) as server:
            yield server


async def measure(name: str, messages: int, rate: float | None = None) -> Measured:
    """Measure one server in a closed loop, or in an open loop at `rate`."""
    sink = Sink()
    await sink.start()
    prepared = requests(messages, CONVERSATIONS)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        with serving(name, Path(folder), f"http://127.0.0.1:{sink.port}/") as server:
            before, synced = server.cpu(), server.syncs()
            load = await _load(server.port, prepared, rate)
            used, syncs = server.cpu() - before, server.syncs() - synced
            resident = server.resident()
    await sink.close()
    if load.accepted != messages:
        raise RuntimeError(f"{name} answered {load.statuses}")
    return Measured(
        load.rate,
        load.percentile(0.5),
        load.percentile(0.99),
        used / messages,
        syncs / messages,
        resident,
    )


async def _load(port: int, prepared: list[bytes], rate: float | None) -> Load:
    if rate is None:
        return await closed_loop(port, prepared, CONNECTIONS)
    return await open_loop(port, prepared, CONNECTIONS, rate, WARM_UP)


def median(results: list[Measured], figure: str) -> float:
    return float(statistics.median(getattr(result, figure) for result in results))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {GENERATOR_CORE})
    results: dict[str, list[Measured]] = {name: [] for name in SERVERS}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(arguments.rounds):
            for name in SERVERS:
                # A commit for each request is slow, and fewer requests are enough to measure it.
                count = arguments.messages // (4 if name == "single" else 1)
                results[name].append(runner.run(measure(name, count)))
        half = median(results["airlock"], "rate") / 2
        half_load = [
            runner.run(measure("airlock", arguments.messages // 3, half))
            for _ in range(arguments.rounds)
        ]
    text = report(results, half_load, half)
    print(text)
    if arguments.publish:
        publish("ingest", text)


def report(results: dict[str, list[Measured]], half_load: list[Measured], half: float) -> str:
    base = median(results["floor"], "rate")
    rows = [
        [
            name,
            f"{median(found, 'rate'):,.0f}/s",
            f"{median(found, 'rate') / base:.2f}",
            f"{median(found, 'p50') * 1e3:.1f} ms",
            f"{median(found, 'p99') * 1e3:.1f} ms",
            f"{median(found, 'cpu') * 1e6:.0f} µs",
            f"{median(found, 'syncs'):.3f}" if name == "airlock" else "",
            f"{median(found, 'resident') / 2**20:.0f} MiB",
        ]
        for name, found in results.items()
    ]
    heads = [
        "server",
        "accepted",
        "÷ floor",
        "p50",
        "p99",
        "CPU/message",
        "fsyncs/message",
        "memory",
    ]
    single = median(results["airlock"], "rate") / median(results["single"], "rate")
    return "\n\n".join(
        [
            machine(),
            table(heads, rows),
            _half_load(single, half, half_load),
        ]
    )


def _half_load(single: float, half: float, half_load: list[Measured]) -> str:
    p50, p99 = (median(half_load, figure) * 1e3 for figure in ("p50", "p99"))
    return (
        f"The gateway accepts {single:.1f} times as many deliveries as `single`. At half of its highest rate "
        f"({half:,.0f}/s, open loop, after one second of warm-up) the gateway acknowledges in p50 {p50:.1f} ms, "
        f"p99 {p99:.1f} ms."
    )


if __name__ == "__main__":
    main()
