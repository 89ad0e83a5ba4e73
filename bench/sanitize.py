"""The time to make media safe: our step, the least possible work, and other tools, side by side.

    python -m bench.sanitize [--rounds N] [--only photos] [--publish]

All of them take turns in one run on the same inputs, so that background load affects them equally. Ratios are
ratios of medians. `floor` is decoding and encoding alone, with libjpeg-turbo (for HEIC libheif); for videos it is
the same libraries without a sandbox. Rivals that are not installed are left out: pyvips, vipsthumbnail,
ImageMagick, ffmpeg, clamd.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from bench import sanitize_inputs as inputs
from bench import sanitize_rivals as rivals
from bench import sanitize_sandbox as sandbox
from bench.report import machine, options, publish, table
from bench.sanitize_goals import Goals
from normalizer.media import Limits
from normalizer.renditions import image_files
from normalizer.sanitizer import Sanitizer
from normalizer.scanner import Scanner
from tests.normalizer.daemon import Daemon
from tests.normalizer.media_samples import descriptor

Rival = Callable[[bytes, int], None]
Times = dict[str, float]

_DEFAULT, _BOUNDED = 4096, 2560

#: Seconds until the pool has replaced the sandbox that was just used.
_REFILL_SECONDS = 0.06

#: A rival that takes this many seconds is clearly slower after a few rounds, and is not measured again.
_SLOW_SECONDS, _FEW_ROUNDS = 0.25, 2

PARTS = ("photos", "videos", "sandbox", "hostile", "limits", "scanner")

_RIVALS = ("naive Pillow", "pyvips", "vipsthumbnail", "ImageMagick")


async def measure_all(
    content: bytes, side: int, running: Sanitizer, others: dict[str, Rival], rounds: int
) -> Times:
    """Return the median seconds of each contender, after one round of warm-up."""
    found: dict[str, list[float]] = {"ours": [], **{name: [] for name in others}}
    sandbox.most_memory(running)
    for number in range(rounds + 1):
        took, outcome = await sandbox.timed(running, content)
        assert outcome == "ready", outcome
        await asyncio.sleep(_REFILL_SECONDS)
        seconds = {"ours": took}
        for name, rival in others.items():
            if number > _FEW_ROUNDS and found[name][0] > _SLOW_SECONDS:
                continue
            begin = time.perf_counter()
            rival(content, side)
            seconds[name] = time.perf_counter() - begin
        if number:
            for name, each in seconds.items():
                found[name].append(each)
    return {name: statistics.median(all_seconds) for name, all_seconds in found.items()}


async def photos(rounds: int, folder: Path, goals: Goals) -> str:
    made = inputs.photos()
    all_rivals = {
        "floor": rivals.jpeg_floor,
        "naive Pillow": rivals.naive_pillow,
        "pyvips": rivals.pyvips(),
        "vipsthumbnail": rivals.vipsthumbnail(folder),
        "ImageMagick": rivals.imagemagick(folder),
    }
    others = {name: rival for name, rival in all_rivals.items() if rival}
    heic = inputs.heic(made["12 MP sRGB"])
    rows, reachable = [], []
    for side in (_DEFAULT, _BOUNDED):
        running = Sanitizer(Limits(preview_max_side=side), sandboxes=2)
        await running.start()
        for name, content in made.items():
            seconds = await measure_all(content, side, running, others, rounds)
            rows.append(_row(f"{name}, preview {side}", seconds, running))
            reachable.append([f"{name}, preview {side}", *_ratios(seconds, "floor")])
            goals.photo(name, side, seconds)
        seconds = await measure_all(heic, side, running, {"floor": rivals.heic_decode}, rounds)
        rows.append(_row(f"12 MP HEIC (floor: decoding alone), preview {side}", seconds, running))
        goals.heic(side, seconds)
        await running.close()
    heads = ["photo", "ours", "÷ floor", *(f"{name} ÷ ours" for name in _RIVALS), "sandbox memory"]
    floors = ["what the floor reaches", *(f"{name} ÷ floor" for name in _RIVALS)]
    return f"{table(heads, rows)}\n\n{table(floors, reachable)}"


def _ratios(seconds: Times, base: str) -> list[str]:
    return [
        f"{seconds[rival] / seconds[base]:.1f}" if rival in seconds else "" for rival in _RIVALS
    ]


def _row(name: str, seconds: Times, running: Sanitizer) -> list[str]:
    ours = seconds["ours"]
    return [
        name,
        f"{ours * 1e3:.0f} ms",
        f"{ours / seconds['floor']:.2f}",
        *_ratios(seconds, "ours"),
        _mebibytes(sandbox.most_memory(running)),
    ]


async def videos(rounds: int, folder: Path, goals: Goals) -> str:
    running = Sanitizer(Limits(), sandboxes=2)
    await running.start()
    others: dict[str, Rival] = {"floor": rivals.video_floor}
    ffmpeg = rivals.ffmpeg(folder)
    if ffmpeg:
        others["ffmpeg"] = ffmpeg
    rows = []
    for name, content in inputs.videos().items():
        seconds = await measure_all(content, 0, running, others, rounds)
        ours = seconds["ours"]
        ratio = f"{ours / seconds['ffmpeg']:.2f}" if "ffmpeg" in seconds else ""
        rows.append(
            [
                f"{name} ({len(content) / 1e6:.1f})",
                f"{ours * 1e3:.0f} ms",
                f"{ours / seconds['floor']:.2f}",
                ratio,
                _mebibytes(sandbox.most_memory(running)),
            ]
        )
        goals.video(name, seconds)
    await running.close()
    return table(["video", "ours", "÷ floor", "÷ two runs of ffmpeg", "sandbox memory"], rows)


async def overheads(rounds: int, goals: Goals) -> str:
    running = Sanitizer(Limits(), sandboxes=2)
    await running.start()
    pool = running._pool
    made = inputs.photos()
    here, there = sandbox.InProcess(), sandbox.InSandbox(pool)
    empty = await sandbox.empty_job(pool, 30)
    rows = [["an empty job", _milliseconds(empty), ""]]
    more: dict[str, float] = {}
    for name in ("0.3 MP sRGB", "12 MP sRGB"):
        inside, outside = [], []
        for _ in range(rounds + 2):
            outside.append(here.run(made[name]))
            inside.append(await there.run(made[name]))
        # The first two runs touch their memory for the first time.
        outside_median = statistics.median(outside[2:])
        inside_median = statistics.median(inside[2:])
        more[name], share = inside_median - outside_median, inside_median / outside_median - 1
        rows.append([f"decoding {name}", _milliseconds(more[name]), f"{share:.0%}"])
    late = [await sandbox.deadline(pool, 0.2) for _ in range(5)]
    error, following = (statistics.median(each) for each in zip(*late, strict=True))
    rows.append(["a deadline passes, error returned", _milliseconds(error), ""])
    rows.append(["the next job after it", _milliseconds(following), ""])
    await running.close()
    photo = made["12 MP sRGB"]
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for count, found in speeds.items():
            found.append(await sandbox.throughput(photo, count, 40))
    one, two = (statistics.median(found) for found in speeds.values())
    what = "two sandboxes on two processors against one on one"
    rows.append([what, f"{two:.0f} photos/s against {one:.0f}", f"{two / one:.2f}"])
    goals.sandbox(empty, more["0.3 MP sRGB"], share, error, two / one)
    return table(["what the sandbox adds", "", ""], rows)


async def hostile(goals: Goals) -> str:
    running = Sanitizer(Limits(), sandboxes=2)
    await running.start()
    rows = []
    for name, content in inputs.hostile().items():
        sandbox.most_memory(running)
        runs = []
        for _ in range(3):
            await asyncio.sleep(_REFILL_SECONDS)
            runs.append(await sandbox.timed(running, content))
        await asyncio.sleep(_REFILL_SECONDS)
        took, memory = statistics.median(took for took, _ in runs), sandbox.most_memory(running)
        outcome = runs[0][1]
        rows.append([name, f"{len(content):,}", outcome, _milliseconds(took), _mebibytes(memory)])
        goals.hostile(outcome, took, memory)
    await running.close()
    return table(["hostile file", "bytes", "outcome", "took", "sandbox memory"], rows)


async def ceilings(goals: Goals) -> str:
    """Report whether all pictures stay within their limits of bytes, and how often photos are encoded for that."""
    counted: list[tuple[int, int]] = []
    real = image_files._encode

    def counting(image: object, form: str, **options: int) -> bytes:
        counted.append(image.size)  # type: ignore[attr-defined]
        return real(image, form, **options)  # type: ignore[arg-type]

    image_files._encode = counting
    limits = Limits()
    running = Sanitizer(limits, sandboxes=2)
    await running.start()
    within = of_photos = 0
    encodes = 0.0
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
            # A preview may be encoded in bands; a part that is encoded as a sample counts, too.
            encodes += sum(size == (320, 320) for size in counted)
            width, height = preview.width, preview.height
            encodes += sum(rows for across, rows in counted if across == width) / height
    await running.close()
    image_files._encode = real
    goals.ceilings(within / len(made), encodes / of_photos)
    return (
        f"Of {len(made)} pictures (photos, noise, strips), {within} stay within 30,000 and 3,000,000 "
        f"bytes. Each file of a photo takes {encodes / of_photos:.2f} encodes."
    )


async def scanning(folder: Path, rounds: int, goals: Goals) -> str:
    daemon = Daemon(folder / "clamd")
    await daemon.start()
    content = inputs.videos()["MP4 of 23 MB"]
    source = descriptor(content)
    scanner = Scanner(daemon.unix)
    ratios = []
    for _ in range(rounds + 1):
        before, begin = _cpu(daemon.pid), time.perf_counter()
        await scanner.scan(source, len(content))
        ratios.append((time.perf_counter() - begin) / max(_cpu(daemon.pid) - before, 1e-3))
    os.close(source)
    daemon.stop()
    ratio = statistics.median(ratios[1:])
    goals.scan(ratio)
    return f"Scanning 23 MB takes {ratio:.2f} times the CPU time that clamd itself spends on it."


def _cpu(pid: int) -> float:
    """Return the CPU seconds of all threads of a process, with nanosecond resolution."""
    spent = (Path(task) / "schedstat" for task in Path(f"/proc/{pid}/task").iterdir())
    return sum(int(each.read_text().split()[0]) for each in spent) / 1e9


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.0f} MiB"


async def report(rounds: int, only: str | None) -> str:
    goals = Goals()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], Awaitable[str]]] = {
            "photos": lambda: photos(rounds, folder, goals),
            "videos": lambda: videos(rounds, folder, goals),
            "sandbox": lambda: overheads(rounds, goals),
            "hostile": lambda: hostile(goals),
            "limits": lambda: ceilings(goals),
            "scanner": lambda: scanning(folder, rounds, goals),
        }
        texts = []
        for part, measure in parts.items():
            if only in (None, part):
                texts.append(await measure())
                print(texts[-1], end="\n\n", flush=True)
    print(goals.table())
    return "\n\n".join([machine(), goals.table(), *texts])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=PARTS, help="measure one part, without --publish")
    arguments = parser.parse_args()
    if arguments.only and arguments.publish:
        parser.error("--publish needs all parts: leave out --only")
    # The loop that the gateway runs on.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        text = runner.run(report(arguments.rounds, arguments.only))
    if arguments.publish:
        publish("sanitize", text)


if __name__ == "__main__":
    main()
