"""Making sound safe: the time for a minute of each format, and for sound that is made to cost time.

    python -m bench.sounds [--rounds N] [--publish]

A file goes through both sandboxes, with all isolation layers. Each figure is the best of several rounds.
"""

import asyncio

from bench.report import machine, options, publish, table
from bench.sanitize_sandbox import most_memory, timed
from normalizer.media import Limits
from normalizer.sanitizer import Sanitizer
from simulator.samples.sounds import SoundContainer, sound
from tests.normalizer.sound_files import silent_amr, silent_flac

_MINUTE = 60.0
_VOICE: tuple[SoundContainer, ...] = ("ogg", "caf", "webm", "amr", "3gp", "m4a", "wav")
_MUSIC: tuple[SoundContainer, ...] = ("mp3", "mp4", "flac")


def files() -> dict[str, bytes]:
    voices = {f"{name}, mono": sound(name, _MINUTE).content for name in _VOICE}
    songs = {f"{name}, stereo": sound(name, _MINUTE, layout="stereo").content for name in _MUSIC}
    bombs = {
        "silent amr of 5.5 hours": silent_amr(20_000),
        "silent flac of 3 hours": silent_flac(3 * 3600),
    }
    return {**voices, **songs, **bombs}


async def rows(rounds: int) -> list[list[str]]:
    running = Sanitizer(Limits(), sandboxes=1)
    await running.start()
    found = []
    for name, content in files().items():
        most_memory(running)
        times = [await timed(running, content) for _ in range(rounds)]
        took, outcome = min(times)
        memory = most_memory(running) / 2**20
        found.append(
            [name, f"{len(content):,}", outcome, f"{took * 1000:,.0f} ms", f"{memory:.0f} MiB"]
        )
    await running.close()
    return found


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each file (default: 3)")
    arguments = parser.parse_args()
    made = asyncio.run(rows(arguments.rounds))
    heads = ("a minute of", "bytes", "outcome", "time", "largest sandbox")
    text = f"{machine()}\n\n{table(heads, made)}"
    print(text)
    if arguments.publish:
        publish("sounds", text)


if __name__ == "__main__":
    main()
