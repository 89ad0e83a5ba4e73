"""Processor time of the journal's two hot paths, on SQLite and on a PostgreSQL of this machine.

    python -m bench.journal [--messages N] [--batch N] [--rounds N]

Accepting: deliveries of 600 bytes in groups of 30. Recording: text messages of 500 people in batches. The rounds
alternate between the engines; the medians are shown, in microseconds for each message: of this process, and of those of
PostgreSQL. The server syncs as it does by default, in the folder for temporary files.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench.report import table
from connectors import Message, Party
from gateway.journal import Accepted, Batch, Journal, Reading, open_journal
from tests.postgresql import Server, server

_PEOPLE = 500
_GROUP = 30
_TEXT = "The parcel arrived with a dent and the box was open. "
_BODY = b"x" * 600


def _batches(messages: int, size: int) -> Iterator[Batch]:
    for start in range(0, messages, size):
        yield Batch((), tuple(_reading(number) for number in range(start, start + size)))


def _reading(number: int) -> Reading:
    party = Party(id=f"4915100{number % _PEOPLE:07d}", name="Ann")
    message = Message(id=f"m.{number}", account="106540352242922", party=party, text=_TEXT)
    return Reading("bench", "whatsapp", 1_000 + number, message)


async def _record(journal: Journal, batches: list[Batch]) -> None:
    for batch in batches:
        await journal.record(batch)


async def _accept(journal: Journal, messages: int) -> None:
    deliveries = [Accepted("bench", 1_000, {"a": "b"}, {}, _BODY) for _ in range(_GROUP)]
    for _ in range(messages // _GROUP):
        await asyncio.gather(*(journal.append(one) for one in deliveries))


async def _measure(where: str, folder: Path, messages: int, size: int) -> tuple[float, float]:
    """Return the processor time of recording and of accepting, in seconds."""
    journal = await open_journal(where, folder, hold_seconds=2)
    batches = list(_batches(messages, size))
    begun = time.process_time()
    await _record(journal, batches)
    recorded = time.process_time()
    await _accept(journal, messages)
    accepted = time.process_time()
    await journal.close()
    return recorded - begun, accepted - recorded


def _spent(database: Server) -> float:
    """Return the processor time of a server and of its sessions, in seconds."""
    parent = int((database.folder / "data" / "postmaster.pid").read_text().split()[0])
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(folder.name) == parent:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {"sqlite": [], "postgresql": []}
    with server({}) as database:
        for number in range(arguments.rounds):
            for engine, results in found.items():
                where = "sqlite" if engine == "sqlite" else database.schema(f"bench_{number}")
                with tempfile.TemporaryDirectory() as folder:
                    before = _spent(database)
                    work = _measure(where, Path(folder), arguments.messages, arguments.batch)
                    recording, accepting = uvloop.run(work)
                    results.append((recording, accepting, _spent(database) - before))
    rows = []
    for engine, results in found.items():
        medians = (statistics.median(column) for column in zip(*results, strict=True))
        rows.append(
            [engine, *(f"{1e6 * median / arguments.messages:.0f} µs" for median in medians)]
        )
    print(table(["engine", "recording", "accepting", "PostgreSQL, for both"], rows))


if __name__ == "__main__":
    main()
