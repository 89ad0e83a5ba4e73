"""Accepting with the journal in PostgreSQL beside SQLite on the same machine, and two nodes beside one.

    python -m bench.cluster [--messages N] [--rounds N] [--share S] [--publish]

Each round measures all three in turn: one gateway on SQLite, one on PostgreSQL, two on PostgreSQL. The first node has
the first processor and the second node the second one; the generator, the core and PostgreSQL run on any. Every
delivery is a text, acknowledged once it is durable (`synchronous_commit = on`), and recorded and forwarded as usual.
On two processors, two nodes, PostgreSQL and the generator compete: what matters are the ratios and the processor time.
`--share 0.25` allows each node a quarter of a processor, as if it had a small machine of its own; the rest have enough.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.cpu_share import limited
from bench.deliveries import CONNECTOR, requests
from bench.generator import Load, closed_loop
from bench.ingest import CONNECTIONS, CONVERSATIONS
from bench.postgresql import Database, postgresql
from bench.processes import Times
from bench.report import machine, options, publish, table
from bench.servers import Server, airlock, free_port
from bench.sink import Sink

_SECRET = "whsec_YmVuY2htYXJrcyBuZWVkIGEgc2VjcmV0"
_TIMEOUT = 300.0
SQLITE, ONE, TWO = "SQLite, one node", "PostgreSQL, one node", "PostgreSQL, two nodes"


@dataclass(frozen=True)
class Accepted:
    """One run: deliveries and events a second, latencies in seconds, processor seconds for each message."""

    rate: float
    whole: float
    p50: float
    p99: float
    node_cpu: float
    database_cpu: float


@contextmanager
def nodes(journal: str, count: int, core_url: str, share: float | None) -> Iterator[list[Server]]:
    """Run gateways of one installation, each on a processor of its own, or with a share of one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd())))
        running = []
        for number in range(count):
            port = free_port()
            place = folder / f"node-{number}"
            place.mkdir()
            settings = place / "connectors.yaml"
            settings.write_text(json.dumps(_settings(journal, port, place, number, core_url)))
            processor = number % (os.cpu_count() or 1)
            running.append(stack.enter_context(airlock(settings, port, processor)))
            if share is not None:
                stack.enter_context(limited(running[-1].process.pid, share))
        yield running


def _settings(journal: str, port: int, place: Path, number: int, core_url: str) -> object:
    gateway = {
        "listen": f"127.0.0.1:{port}",
        "data": str(place / "data"),
        "api_tokens": ["bench-token"],
        **({} if journal == "sqlite" else {"journal": journal, "node": f"node-{number}"}),
    }
    return {
        "gateway": gateway,
        "core": {"url": core_url, "secrets": [_SECRET], "batch": 100},
        "fetch": {"allow_private_hosts": True},
        "media": {"isolation": "reduced"},
        "connectors": {"bench": {**CONNECTOR}},
    }


async def measure(
    database: Database | None, count: int, messages: int, share: float | None
) -> Accepted:
    sink = Sink()
    await sink.start()
    prepared = requests(messages, CONVERSATIONS)
    journal = "sqlite" if database is None else database.url
    with nodes(journal, count, f"http://127.0.0.1:{sink.port}/", share) as running:
        before = [Times.now(server.process.pid) for server in running]
        stored = Times.now(database.pid) if database else None
        begin = time.perf_counter()
        loads = await asyncio.gather(
            *(
                closed_loop(server.port, prepared[number::count], CONNECTIONS // count)
                for number, server in enumerate(running)
            )
        )
        accepted = time.perf_counter() - begin
        await sink.until(messages, _TIMEOUT)
        whole = max(sink.taken.values()) - begin
        used = sum(
            Times.now(server.process.pid).since(earlier).family
            for server, earlier in zip(running, before, strict=True)
        )
        in_database = Times.now(database.pid).since(stored).family if database and stored else 0.0
    await sink.close()
    waits = Load(latencies=[wait for load in loads for wait in load.latencies])
    if sum(load.accepted for load in loads) != messages:
        raise RuntimeError(f"answers: {[load.statuses for load in loads]}")
    return Accepted(
        messages / accepted,
        messages / whole,
        waits.percentile(0.5),
        waits.percentile(0.99),
        used / messages,
        in_database / messages,
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--share", type=float, help="of a processor for each node; default: whole")
    arguments = parser.parse_args()
    messages, share = arguments.messages, arguments.share
    found: dict[str, list[Accepted]] = {SQLITE: [], ONE: [], TWO: []}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(arguments.rounds):
            found[SQLITE].append(runner.run(measure(None, 1, messages, share)))
            for name, count in ((ONE, 1), (TWO, 2)):
                # A database of its own for each: what another run left would cost time.
                with postgresql() as database:
                    found[name].append(runner.run(measure(database, count, messages, share)))
    text = report(found)
    print(text)
    if arguments.publish:
        publish("cluster", text)


def report(found: dict[str, list[Accepted]]) -> str:
    def of(runs: Sequence[Accepted], figure: str) -> float:
        return float(statistics.median(getattr(run, figure) for run in runs))

    heads = [
        "journal",
        "accepted",
        "÷ SQLite",
        "core has",
        "p50",
        "p99",
        "CPU/message",
        "in PostgreSQL",
    ]
    base = of(found[SQLITE], "rate")
    rows = [
        [
            name,
            f"{of(runs, 'rate'):,.0f}/s",
            f"{of(runs, 'rate') / base:.2f}",
            f"{of(runs, 'whole'):,.0f}/s",
            f"{of(runs, 'p50') * 1e3:.1f} ms",
            f"{of(runs, 'p99') * 1e3:.1f} ms",
            f"{of(runs, 'node_cpu') * 1e6:.0f} µs",
            f"{of(runs, 'database_cpu') * 1e6:.0f} µs" if name != SQLITE else "",
        ]
        for name, runs in found.items()
    ]
    accept, deliver = (of(found[TWO], name) / of(found[ONE], name) for name in ("rate", "whole"))
    return (
        f"{machine()}\n\n{table(heads, rows)}\n\n"
        f"Two nodes accept {accept:.2f} times what one accepts, and the core has {deliver:.2f} times as much."
    )


if __name__ == "__main__":
    main()
