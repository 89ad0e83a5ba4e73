"""Short videos of our own, with which the decoders are warmed up before they are isolated."""

import io
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.container import OutputContainer

#: By format: the container that writes it, the coding of its pictures, and of its sound if it has any.
_KINDS: tuple[tuple[str, str, str, str | None], ...] = (
    ("mp4", "mp4", "libx264", "aac"),
    ("webm", "webm", "libvpx", None),
)

_SIDE, _FRAMES, _RATE = 64, 4, 25
_SAMPLES, _SAMPLE_RATE = 1024, 44_100


def short_videos() -> Iterator[tuple[str, bytes]]:
    """Yield a file of each format that this build of FFmpeg can write."""
    for format, container, coding, sound in _KINDS:
        if coding in av.codecs_available:
            yield format, _video(container, coding, sound)


def _video(container: str, coding: str, sound: str | None) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(coding, rate=_RATE)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = _SIDE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        audio = output.add_stream(sound, rate=_SAMPLE_RATE, layout="mono") if sound else None
        for number in range(_FRAMES):
            frame = av.VideoFrame.from_ndarray(
                np.zeros((_SIDE, _SIDE, 3), np.uint8), format="rgb24"
            )
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if audio is not None:
            _add_silence(output, audio)
    return buffer.getvalue()


def _add_silence(output: OutputContainer, audio: object) -> None:
    assert isinstance(audio, av.AudioStream)
    silence = np.zeros((1, _SAMPLES), np.float32)
    frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
    frame.sample_rate = _SAMPLE_RATE
    output.mux(audio.encode(frame))
    output.mux(audio.encode(None))
