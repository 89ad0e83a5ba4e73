"""The whole path of a text, from the webhook to the core's answer, with the gateway on one processor.

    python -m bench.pipeline [--messages N] [--rounds N] [--publish]

Once with one event in each POST, and once with `core.batch: 100`.

Throughput: N deliveries as fast as they are accepted, until the core has accepted the last event. Latency: at
half of that rate, from when a delivery was due until the core accepted its event. The baseline is `floor`, the same
web server that only verifies and answers, in the same run.
"""

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.deliveries import requests
from bench.generator import WARM_UP, closed_loop, open_loop
from bench.ingest import CONNECTIONS, CONVERSATIONS, GENERATOR_CORE, SERVER_CORE, Measured
from bench.ingest import measure as measure_ingest
from bench.report import machine, options, publish, table
from bench.servers import gateway
from bench.sink import Sink

_TIMEOUT = 300.0
#: Events in one POST, at most.
BATCHES = (1, 100)


@dataclass(frozen=True)
class Run:
    """Events per second, latencies in seconds, CPU seconds per message, and resident bytes."""

    rate: float
    p50: float
    p99: float
    cpu: float
    resident: int


async def measure(messages: int, rate: float | None, batch: int = 1) -> Run:
    sink = Sink()
    await sink.start()
    prepared = requests(messages, CONVERSATIONS)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        with gateway(Path(folder), f"http://127.0.0.1:{sink.port}/", SERVER_CORE, batch) as server:
            before, begin = server.cpu(), time.perf_counter()
            if rate is None:
                await closed_loop(server.port, prepared, CONNECTIONS)
            else:
                load = await open_loop(server.port, prepared, 2 * CONNECTIONS, rate, WARM_UP)
                begin = load.begin
            await sink.until(messages, _TIMEOUT)
            used, resident = server.cpu() - before, server.resident()
    await sink.close()
    whole = max(sink.taken.values()) - begin
    counted = round(WARM_UP * rate) if rate else 0
    waits = sorted(
        taken - (begin + (number / rate if rate else 0))
        for number, taken in sink.taken.items()
        if number >= counted
    )
    return Run(
        messages / whole,
        waits[len(waits) // 2],
        waits[int(len(waits) * 0.99)],
        used / messages,
        resident,
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {GENERATOR_CORE})
    floors: list[Measured] = []
    full: dict[int, list[Run]] = {batch: [] for batch in BATCHES}
    half_load: dict[int, list[Run]] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(arguments.rounds):
            floors.append(runner.run(measure_ingest("floor", arguments.messages)))
            for batch in BATCHES:
                full[batch].append(runner.run(measure(arguments.messages, None, batch)))
        for batch in BATCHES:
            rate = statistics.median(run.rate for run in full[batch]) / 2
            half_load[batch] = [
                runner.run(measure(arguments.messages // 3, rate, batch))
                for _ in range(arguments.rounds)
            ]
    text = report(floors, full, half_load)
    print(text)
    if arguments.publish:
        publish("pipeline", text)


def report(
    floors: list[Measured], full: dict[int, list[Run]], half_load: dict[int, list[Run]]
) -> str:
    floor, floor_cpu = (
        float(statistics.median(getattr(run, figure) for run in floors))
        for figure in ("rate", "cpu")
    )
    heads = [
        "load",
        "events",
        "÷ floor",
        "p50",
        "p99",
        "CPU/message",
        "floor's CPU ÷ that",
        "memory",
    ]
    rows = [
        [
            "floor: verify and answer",
            f"{floor:,.0f}/s",
            "1.00",
            "",
            "",
            f"{floor_cpu * 1e6:.0f} µs",
            "1.00",
            "",
        ]
    ]
    for batch in BATCHES:
        name = "one event in each POST" if batch == 1 else f"core.batch: {batch}"
        rows += _rows(name, floor, floor_cpu, full[batch], half_load[batch])
    return f"{machine()}\n\n{table(heads, rows)}"


def _rows(
    name: str, floor: float, floor_cpu: float, full: list[Run], half_load: list[Run]
) -> list[list[str]]:
    def of(runs: list[Run], figure: str) -> float:
        return float(statistics.median(getattr(run, figure) for run in runs))

    rate = of(full, "rate")
    return [
        [
            f"{name}, as fast as accepted",
            f"{rate:,.0f}/s",
            f"{rate / floor:.2f}",
            "",
            "",
            f"{of(full, 'cpu') * 1e6:.0f} µs",
            f"{floor_cpu / of(full, 'cpu'):.2f}",
            f"{of(full, 'resident') / 2**20:.0f} MiB",
        ],
        [
            "half of that, after one second of warm-up",
            f"{rate / 2:,.0f}/s",
            "",
            f"{of(half_load, 'p50') * 1e3:.1f} ms",
            f"{of(half_load, 'p99') * 1e3:.1f} ms",
            f"{of(half_load, 'cpu') * 1e6:.0f} µs",
            "",
            f"{of(half_load, 'resident') / 2**20:.0f} MiB",
        ],
    ]


if __name__ == "__main__":
    main()
