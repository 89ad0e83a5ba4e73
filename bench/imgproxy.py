"""A picture of 512 pixels from a photo of 2,040: our whole step for the job that imgproxy publishes figures for.

    python -m bench.imgproxy [--seconds N] [--publish]

The job is that of https://github.com/imgproxy/image-servers-benchmark (`k6.js`, `Makefile`, `docker-compose.yml`): JPEG
photos of 2,040 pixels in turn, fitted into 512 by 512 pixels, two requests at a time on two processors. Its photos are
not copied: ours are as large and as detailed. libvips, with which imgproxy works, does the same job beside it if pyvips
is installed, one thread for each of two processes.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle

import uvloop

from bench.report import machine, options, publish, table
from bench.sanitize_sandbox import timed
from normalizer.media import Limits
from normalizer.sanitizer import Sanitizer
from tests.normalizer.media_samples import encoded, natural

_SIDE, _AT_ONCE, _PHOTOS = 512, 2, 8

#: Most photos of imgproxy's data set (DIV2K) have this shape. `vips copy` writes JPEG of this quality.
_SIZE, _SOURCE_QUALITY = (2040, 1356), 75

#: `results/x86_64.md` at commit 2bfb5b5: `http_reqs`, then the median and p(95) of `http_req_duration`.
_PUBLISHED = ["imgproxy, published, on another machine (c7i.large)", "80/s", "24.4 ms", "33.0 ms"]


@dataclass(frozen=True, slots=True)
class Load:
    """What one contender did: the seconds of each photo, and of all together."""

    photos: list[float]
    seconds: float

    def row(self, name: str) -> list[str]:
        ordered = sorted(self.photos)
        late = ordered[int(len(ordered) * 0.95)]
        return [
            name,
            f"{len(ordered) / self.seconds:.0f}/s",
            f"{statistics.median(ordered) * 1e3:.1f} ms",
            f"{late * 1e3:.1f} ms",
        ]


def photos() -> list[bytes]:
    return [encoded(natural(*_SIZE, seed), quality=_SOURCE_QUALITY) for seed in range(_PHOTOS)]


async def ours(made: list[bytes], seconds: float) -> Load:
    """Run two photos at a time through sandboxes: each becomes a picture of 512 pixels and a thumbnail."""
    running = Sanitizer(Limits(preview_max_side=_SIDE), sandboxes=_AT_ONCE)
    await running.start()
    try:
        await _share(running, cycle(made), time.perf_counter() + 1)  # warm-up
        begin = time.perf_counter()
        took = await _share(running, cycle(made), begin + seconds)
        return Load(took, time.perf_counter() - begin)
    finally:
        await running.close()


async def _share(running: Sanitizer, made: Iterator[bytes], end: float) -> list[float]:
    took: list[float] = []

    async def client() -> None:
        while time.perf_counter() < end:
            one, outcome = await timed(running, next(made))
            assert outcome == "ready", outcome
            took.append(one)

    await asyncio.gather(*(client() for _ in range(_AT_ONCE)))
    return took


def libvips(made: list[bytes], seconds: float) -> Load:
    """Do the same in two processes without protection, and without the thumbnail."""
    with ProcessPoolExecutor(_AT_ONCE) as processes:
        begin = time.perf_counter()
        runs = [processes.submit(_vips, made, seconds) for _ in range(_AT_ONCE)]
        took = [one for run in runs for one in run.result()]
        return Load(took, time.perf_counter() - begin)


def _vips(made: list[bytes], seconds: float) -> list[float]:
    import pyvips

    took, end = [], time.perf_counter() + seconds
    for photo in cycle(made):
        begin = time.perf_counter()
        if begin > end:
            break
        image = pyvips.Image.thumbnail_buffer(photo, _SIDE, height=_SIDE, size="down")
        image.jpegsave_buffer(Q=80, strip=True, interlace=True)
        took.append(time.perf_counter() - begin)
    return took


def _has_vips() -> bool:
    os.environ.setdefault("VIPS_CONCURRENCY", "1")
    try:
        import pyvips  # noqa: F401  # only whether it is there
    except (ImportError, OSError):
        return False
    return True


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="for each (default: 10)")
    arguments = parser.parse_args()
    made = photos()
    # The loop that the gateway runs on.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        load = runner.run(ours(made, arguments.seconds))
    rows = [load.row("Airlock, with all isolation layers")]
    if _has_vips():
        rows.append(libvips(made, arguments.seconds).row("libvips alone, here"))
    heads = ["512 pixels from 2,040, two at a time", "photos", "median", "p95"]
    text = f"{machine()}\n\n{table(heads, [*rows, _PUBLISHED])}"
    print(text)
    if arguments.publish:
        publish("imgproxy", text)


if __name__ == "__main__":
    main()
