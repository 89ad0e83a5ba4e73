"""Short sounds of our own, with which the decoders are warmed up before they are isolated."""

import io
from collections.abc import Iterator

import av
import numpy as np
from av.audio.stream import AudioStream

from normalizer.sound import SoundFormat

#: By format: the container that writes it, the coding, and its rate.
_KINDS: tuple[tuple[SoundFormat, str, str, int], ...] = (
    ("ogg", "ogg", "libopus", 48_000),
    ("m4a", "mp4", "aac", 44_100),
    ("amr", "amr", "libopencore_amrnb", 8_000),
    ("mp3", "mp3", "libmp3lame", 44_100),
    ("aac", "adts", "aac", 44_100),
    ("flac", "flac", "flac", 44_100),
    ("wav", "wav", "pcm_s16le", 16_000),
    ("caf", "caf", "libopencore_amrnb", 8_000),
    ("webm", "webm", "libopus", 48_000),
)

#: Every encoder has filled a frame after so many samples.
_SAMPLES = 4096


def short_sounds() -> Iterator[tuple[SoundFormat, bytes]]:
    """Yield a file of each format that this build of FFmpeg can write."""
    for format, container, coding, rate in _KINDS:
        if coding in av.codecs_available:
            yield format, _sound(container, coding, rate)


def _sound(container: str, coding: str, rate: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(coding, rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        wave = (np.sin(np.arange(_SAMPLES) / 8) * 8000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(
            context.format, "mono", rate, frame_size=context.frame_size or None
        )
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return buffer.getvalue()
