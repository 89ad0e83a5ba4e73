"""Making media safe: our step, the least it could take, and what others would use, side by side.

    python -m bench.sanitize [--rounds N] [--publish]

All contenders take turns in one run on the same inputs, so that a busy moment hits all of them. Ratios are
of medians. `floor` is libjpeg-turbo (for HEIC libheif) decoding and encoding alone; for films the same
libraries without a cell. Rivals that are not installed are left out: pyvips, vipsthumbnail, ImageMagick,
ffmpeg, clamd.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import sanitize_cells as cells
from bench import sanitize_inputs as inputs
from bench import sanitize_rivals as rivals
from bench.report import machine, publish, table
from normalizer.media import Limits
from normalizer.photo import encode
from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner
from tests.normalizer.daemon import Daemon
from tests.normalizer.media_samples import descriptor

Rival = Callable[[bytes, int], None]
Times = dict[str, float]

_DEFAULT, _BOUNDED = 4096, 2560

#: Until the place of the cell just used is filled again.
_REST = 0.06


async def race(
    content: bytes, side: int, running: Sanitizer, others: dict[str, Rival], rounds: int
) -> Times:
    """Median seconds of everybody; one round to warm up."""
    found: dict[str, list[float]] = {"ours": [], **{name: [] for name in others}}
    for number in range(rounds + 1):
        took, outcome = await cells.timed(running, content)
        assert outcome == "ready", outcome
        await asyncio.sleep(_REST)
        laps = {"ours": took}
        for name, rival in others.items():
            begin = time.perf_counter()
            rival(content, side)
            laps[name] = time.perf_counter() - begin
        if number:
            for name, lap in laps.items():
                found[name].append(lap)
    return {name: statistics.median(laps) for name, laps in found.items()}


async def photos(rounds: int, folder: Path, memory: cells.Memory) -> str:
    made = inputs.photos()
    all_rivals = {
        "floor": rivals.jpeg_floor,
        "naive Pillow": rivals.naive_pillow,
        "pyvips": rivals.pyvips(),
        "vipsthumbnail": rivals.vipsthumbnail(folder),
        "ImageMagick": rivals.imagemagick(folder),
    }
    others = {name: rival for name, rival in all_rivals.items() if rival}
    rows = []
    for side in (_DEFAULT, _BOUNDED):
        running = Sanitizer(Limits(preview_max_side=side), cells=2)
        await running.start()
        for name, content in made.items():
            # The slow ones need no more rounds than they take to be told from the others.
            laps = await race(content, side, running, others, rounds)
            rows.append(_row(f"{name}, preview {side}", laps, memory))
        if side == _DEFAULT:
            photo = inputs.heic(made["12 MP sRGB"])
            laps = await race(photo, side, running, {"floor": rivals.heic_decode}, rounds)
            rows.append(_row("12 MP HEIC, against bare decoding", laps, memory))
        await running.close()
    heads = ["photo", "ours", "÷ floor", *(f"{name} ÷ ours" for name in _RIVALS), "cell's memory"]
    return table(heads, rows)


_RIVALS = ("naive Pillow", "pyvips", "vipsthumbnail", "ImageMagick")


def _row(name: str, laps: Times, memory: cells.Memory) -> list[str]:
    ours = laps["ours"]
    against = [f"{laps[rival] / ours:.1f}" if rival in laps else "" for rival in _RIVALS]
    return [
        name,
        f"{ours * 1e3:.0f} ms",
        f"{ours / laps['floor']:.2f}",
        *against,
        f"{memory.peak / 2**20:.0f} MiB",
    ]


async def films(rounds: int, folder: Path, memory: cells.Memory) -> str:
    running = Sanitizer(Limits(), cells=2)
    await running.start()
    others: dict[str, Rival] = {"floor": rivals.film_floor}
    ffmpeg = rivals.ffmpeg(folder)
    if ffmpeg:
        others["ffmpeg"] = ffmpeg
    rows = []
    for name, content in inputs.films().items():
        laps = await race(content, 0, running, others, rounds)
        ratio = f"{laps['ours'] / laps['ffmpeg']:.2f}" if "ffmpeg" in laps else ""
        rows.append(
            [
                f"{name} ({len(content) / 1e6:.1f})",
                f"{laps['ours'] * 1e3:.0f} ms",
                f"{laps['ours'] / laps['floor']:.2f}",
                ratio,
                f"{memory.peak / 2**20:.0f} MiB",
            ]
        )
    await running.close()
    return table(["film", "ours", "÷ floor", "÷ two runs of ffmpeg", "cell's memory"], rows)


async def overheads(rounds: int) -> str:
    running = Sanitizer(Limits(), cells=2)
    await running.start()
    pool = running._pool
    made = inputs.photos()
    here, there = cells.InProcess(), cells.InCell(pool)
    rows = [["an empty job", f"{await cells.empty_job(pool, 30) * 1e3:.2f} ms", ""]]
    for name in ("0.3 MP sRGB", "12 MP sRGB"):
        inside, outside = [], []
        for _ in range(rounds + 2):
            outside.append(here.run(made[name]))
            inside.append(await there.run(made[name]))
        # The first ones touch memory for the first time.
        alone, walled = statistics.median(outside[2:]), statistics.median(inside[2:])
        more = f"{(walled - alone) * 1e3:.1f} ms"
        rows.append([f"decoding {name}", more, f"{walled / alone - 1:.0%}"])
    late = [await cells.deadline(pool, 0.2) for _ in range(5)]
    rows.append(
        [
            "a deadline passes, error returned",
            f"{statistics.median(a for a, _ in late) * 1e3:.1f} ms",
            "",
        ]
    )
    rows.append(
        ["the next job after it", f"{statistics.median(b for _, b in late) * 1e3:.1f} ms", ""]
    )
    await running.close()
    photo = made["12 MP sRGB"]
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for count, found in speeds.items():
            found.append(await cells.throughput(photo, count, 40))
    one, two = (statistics.median(found) for found in speeds.values())
    rows.append(
        ["two cells against one", f"{two:.0f} photos/s against {one:.0f}", f"{two / one:.2f}"]
    )
    return table(["what the cell adds", "", ""], rows)


async def hostile(memory: cells.Memory) -> str:
    running = Sanitizer(Limits(), cells=2)
    await running.start()
    rows = []
    for name, content in inputs.hostile().items():
        await asyncio.sleep(_REST)
        laps = [await cells.timed(running, content) for _ in range(3)]
        took = statistics.median(lap for lap, _ in laps)
        peak = f"{memory.peak / 2**20:.0f} MiB"
        rows.append([name, f"{len(content):,}", laps[0][1], f"{took * 1e3:.1f} ms", peak])
    await running.close()
    return table(["hostile file", "bytes", "outcome", "took", "cell's memory"], rows)


async def ceilings() -> str:
    """Whether every picture stays within its bytes, and how often photos are encoded for it."""
    counted: list[tuple[int, int]] = []
    real = encode._encode

    def counting(image: object, form: str, **options: int) -> bytes:
        counted.append(image.size)  # type: ignore[attr-defined]
        return real(image, form, **options)  # type: ignore[arg-type]

    encode._encode = counting  # type: ignore[assignment]
    limits = Limits()
    running = Sanitizer(limits, cells=2)
    await running.start()
    within = encodes = of_photos = 0
    made = inputs.sources()
    for name, content in made.items():
        source = descriptor(content)
        counted.clear()
        thumbnail, preview = (await running.sanitize(source)).renditions
        os.close(source)
        within += (
            len(thumbnail.content) <= limits.thumbnail_max_bytes
            and len(preview.content) <= limits.preview_max_bytes
        )
        if "photo" in name:
            of_photos += 2
            encodes += sum(
                size in {(320, 320), (preview.width, preview.height)} for size in counted
            )
    await running.close()
    encode._encode = real
    return (
        f"Of {len(made)} pictures (photos, noise, strips) {within} stay within 30,000 and 3,000,000 "
        f"bytes; photos take {encodes / of_photos:.2f} encodes for each file."
    )


async def scanning(folder: Path, rounds: int) -> str:
    daemon = Daemon(folder / "clamd")
    await daemon.start()
    content = inputs.films()["MP4 of 23 MB"]
    source = descriptor(content)
    scanner = Scanner(daemon.unix)
    ratios = []
    for _ in range(rounds + 1):
        before, begin = _cpu(daemon.pid), time.perf_counter()
        await scanner.scan(source, len(content))
        ratios.append((time.perf_counter() - begin) / max(_cpu(daemon.pid) - before, 1e-3))
    os.close(source)
    daemon.stop()
    return f"Scanning 23 MB takes {statistics.median(ratios[1:]):.2f} of what clamd itself computes for it."


def _cpu(pid: int) -> float:
    """Seconds of processor time, summed over threads to the nanosecond."""
    spent = (Path(task) / "schedstat" for task in Path(f"/proc/{pid}/task").iterdir())
    return sum(int(each.read_text().split()[0]) for each in spent) / 1e9


async def report(rounds: int) -> str:
    memory = cells.Memory()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: list[Awaitable[str]] = [
            photos(rounds, folder, memory),
            films(rounds, folder, memory),
            overheads(rounds),
            hostile(memory),
            ceilings(),
            scanning(folder, rounds),
        ]
        texts = []
        for part in parts:
            texts.append(await part)
            print(texts[-1], end="\n\n", flush=True)
    return "\n\n".join([machine(), *texts])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--publish", action="store_true", help="write the tables to docs/benchmarks.md"
    )
    arguments = parser.parse_args()
    text = asyncio.run(report(arguments.rounds))
    if arguments.publish:
        publish("sanitize", text)


if __name__ == "__main__":
    main()
