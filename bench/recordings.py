"""Making videos safe as browsers record them: the same ten seconds in each coding, against an MP4.

    python -m bench.recordings [--rounds N] [--publish]

A video goes through the sandboxes with all isolation layers. Each figure is the least of several rounds in turn, in
processor time of the sandboxes: other work on the machine hardly changes it.
"""

import asyncio
import os
from pathlib import Path

from bench.report import machine, options, publish, table
from bench.sanitize_sandbox import most_memory, timed
from normalizer.media import Limits
from normalizer.sanitizer import Sanitizer
from tests.normalizer.media_samples import make_video
from tests.normalizer.webm_files import QUIET

_END_SECONDS = 0.5
_SECONDS, _SIZE, _RATE = 10.0, (1280, 720), 30

#: The container, and the codings of pictures and sound. The first row is what the others are compared with.
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("mp4", "libx264", "aac"),
    ("mp4", "libvpx-vp9", "libopus"),
    ("webm", "libvpx", "libopus"),
    ("webm", "libvpx-vp9", "libopus"),
    ("webm", "libsvtav1", "libopus"),
    ("matroska", "libx264", "aac"),
)


def files() -> dict[str, bytes]:
    return {
        f"{container}, {codec.removeprefix('lib')}": make_video(
            seconds=_SECONDS,
            size=_SIZE,
            rate=_RATE,
            codec=codec,
            audio=audio,
            container=container,
            sample_rate=48_000,
            codec_options=QUIET.get(codec, {}),
        )
        for container, codec, audio in _KINDS
    }


async def rows(rounds: int) -> list[list[str]]:
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    made = files()
    best: dict[str, tuple[float, str]] = {}
    memory = dict.fromkeys(made, 0)
    for _ in range(rounds):
        for name, content in made.items():
            most_memory(running)
            before = await _processor_seconds(running)
            _, outcome = await timed(running, content)
            took = (await _processor_seconds(running) - before, outcome)
            best[name] = min(best.get(name, took), took)
            memory[name] = max(memory[name], most_memory(running))
    await running.close()
    floor, _ = next(iter(best.values()))
    return [
        [
            name,
            f"{len(made[name]):,}",
            outcome,
            f"{took * 1000:,.0f} ms",
            f"{took / floor:.1f}",
            f"{memory[name] / 2**20:.0f} MiB",
        ]
        for name, (took, outcome) in best.items()
    ]


async def _processor_seconds(running: Sanitizer) -> float:
    """Return the processor time of all sandboxes that have ended, in user and system mode (proc_pid_stat(5))."""
    zygote = running._pool._zygote
    assert zygote is not None
    # The sandbox of the last job ends by itself, and is waited for.
    await asyncio.sleep(_END_SECONDS)
    fields = Path(f"/proc/{zygote._process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each file (default: 3)")
    arguments = parser.parse_args()
    made = asyncio.run(rows(arguments.rounds))
    heads = (
        "ten seconds of 720p",
        "bytes",
        "outcome",
        "processor time",
        "÷ mp4",
        "largest sandbox",
    )
    text = f"{machine()}\n\n{table(heads, made)}"
    print(text)
    if arguments.publish:
        publish("recordings", text)


if __name__ == "__main__":
    main()
