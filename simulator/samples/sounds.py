"""Recordings as messengers and phones make them: syllables with pauses, and hidden tags that must reach nobody."""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from .sample import Sample, canaries_for

SoundContainer = Literal[
    "ogg", "m4a", "mp4", "3gp", "amr", "mp3", "aac", "caf", "wav", "flac", "webm", "aiff"
]

#: Samples of a tone whose strength changes like that of speech.
Wave = NDArray[np.int16]

_TONE_HZ, _SYLLABLE_SECONDS, _STRENGTH = 220.0, 0.3, 9000


@dataclass(frozen=True, slots=True)
class _Recorder:
    """What writes one kind of file: FFmpeg's container, the coding, its rate, and the type that platforms declare."""

    container: str
    coding: str
    rate: int
    media_type: str


_RECORDERS: dict[SoundContainer, _Recorder] = {
    "ogg": _Recorder("ogg", "libopus", 48_000, "audio/ogg; codecs=opus"),
    "m4a": _Recorder("ipod", "aac", 24_000, "audio/x-m4a"),
    "mp4": _Recorder("mp4", "aac", 44_100, "audio/mp4"),
    "3gp": _Recorder("3gp", "libopencore_amrnb", 8_000, "audio/3gpp"),
    "amr": _Recorder("amr", "libopencore_amrnb", 8_000, "audio/amr"),
    "mp3": _Recorder("mp3", "libmp3lame", 44_100, "audio/mpeg"),
    "aac": _Recorder("adts", "aac", 44_100, "audio/aac"),
    "caf": _Recorder("caf", "libopus", 24_000, "audio/x-caf"),
    "wav": _Recorder("wav", "pcm_s16le", 16_000, "audio/wav"),
    "flac": _Recorder("flac", "flac", 44_100, "audio/flac"),
    "webm": _Recorder("webm", "libopus", 48_000, "audio/webm"),
    "aiff": _Recorder("aiff", "pcm_s16be", 44_100, "audio/aiff"),
}

#: Containers that have no place for tags.
_WITHOUT_TAGS = frozenset({"amr", "aac"})

#: Samples of an Opus packet of 20 ms, which count 48,000 a second whatever the source had (RFC 7845, 4).
_OPUS_SECONDS = Fraction(20, 1000)


def sound(
    container: SoundContainer = "ogg",
    seconds: float = 2.0,
    *,
    seed: int = 1,
    layout: Literal["mono", "stereo"] = "mono",
    name: str | None = None,
) -> Sample:
    """Return a recording of speech-like sound, with a title, an author and a comment where the container has them."""
    recorder = _RECORDERS[container]
    canary = f"canary-sound-{seed}"
    wave = syllables(seconds, recorder.rate, seed)
    content = (
        _caf(wave, recorder.rate, canary)
        if container == "caf"
        else encoded(wave, recorder.container, recorder.coding, recorder.rate, layout, canary)
    )
    canaries = [] if container in _WITHOUT_TAGS else [canary.encode()]
    if container == "mp3":
        content = _id3_with_cover(canary) + content
        canaries += canaries_for(canary, "cover")
    return Sample(name or f"recording.{container}", recorder.media_type, content, tuple(canaries))


def voice(seconds: float = 2.0) -> Sample:
    """Return a voice message as WhatsApp records it: Opus in Ogg."""
    return sound("ogg", seconds, name="voice.ogg")


def syllables(seconds: float, rate: int, seed: int = 1) -> Wave:
    """Return a tone in syllables of different strength."""
    count = round(seconds * rate)
    times = np.arange(count) / rate
    strengths = np.random.default_rng(seed).uniform(0.05, 1.0, int(seconds / _SYLLABLE_SECONDS) + 2)
    each = times / _SYLLABLE_SECONDS
    envelope = strengths[each.astype(int)] * np.sin(np.pi * (each % 1)) ** 2
    return np.asarray(
        (_STRENGTH * envelope * np.sin(2 * np.pi * _TONE_HZ * times)).astype(np.int16)
    )


def encoded(
    wave: Wave, container: str, coding: str, rate: int, layout: str = "mono", canary: str = ""
) -> bytes:
    """Return a file of one sound track."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container, options={"fflags": "+bitexact"}) as output:
        if canary:
            output.metadata.update(dict.fromkeys(("title", "artist", "comment"), canary))
        track = output.add_stream(coding, rate=rate, layout=layout)
        assert isinstance(track, av.AudioStream)
        for frame in frames(wave, track, rate, layout):
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return buffer.getvalue()


def frames(wave: Wave, track: av.AudioStream, rate: int, layout: str) -> Iterable[av.AudioFrame]:
    """Return the wave in frames of the size that the track's encoder takes."""
    frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    context = track.codec_context
    resampler = av.AudioResampler(
        context.format, layout, rate, frame_size=context.frame_size or None
    )
    return (*resampler.resample(frame), *resampler.resample(None))


def _caf(wave: Wave, rate: int, canary: str) -> bytes:
    """Return Opus in a CAF, as iPhones record it (Apple Core Audio Format Specification 1.0)."""
    packets = _opus_packets(wave, rate)
    frames = int(rate * _OPUS_SECONDS)
    description = struct.pack(">d4s5I", rate, b"opus", 0, 0, frames, 1, 0)
    strings = b"title\0%s\0comment\0%s\0" % (canary.encode(), canary.encode())
    priming = max(0, len(packets) * frames - len(wave))
    table = struct.pack(">qqii", len(packets), len(wave), 0, priming)
    table += b"".join(_variable_length(len(packet)) for packet in packets)
    chunks = (
        (b"desc", description),
        (b"info", struct.pack(">I", 2) + strings),
        (b"pakt", table),
        (b"data", struct.pack(">I", 0) + b"".join(packets)),
    )
    return b"caff\0\1\0\0" + b"".join(
        struct.pack(">4sq", name, len(content)) + content for name, content in chunks
    )


def _opus_packets(wave: Wave, rate: int) -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout = rate, "mono"
    encoder.format = av.AudioFormat("s16")
    encoder.open()
    frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    resampler = av.AudioResampler("s16", "mono", rate, frame_size=encoder.frame_size)
    parts = (*resampler.resample(frame), *resampler.resample(None), None)
    return [bytes(packet) for part in parts for packet in encoder.encode(part)]


def _variable_length(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _id3_with_cover(canary: str) -> bytes:
    """Return a tag with a comment and a cover, which comes before the sound of a song (id3.org/id3v2.3.0)."""
    cover = b"\0image/jpeg\0\3\0\xff\xd8\xff\xe0" + f"{canary}-cover".encode() + bytes(3000)
    comment = b"\0eng\0" + canary.encode()
    frames = b"".join(
        name + struct.pack(">I2x", len(content)) + content
        for name, content in ((b"APIC", cover), (b"COMM", comment))
    )
    size = len(frames)
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + digits + frames
