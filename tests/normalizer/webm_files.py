"""WebM and Matroska files, written element by element: as browsers record them, and as nobody should."""

import io
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import accumulate
from typing import Any

import av
import numpy as np

from .media_samples import make_video

HEADER, SEGMENT, INFO, TRACKS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
TAGS, ATTACHMENTS, CHAPTERS, CUES, SEEK_HEAD = (
    0x1254C367,
    0x1941A469,
    0x1043A770,
    0x1C53BB6B,
    0x114D9B74,
)
VOID, CRC = 0xEC, 0xBF
SIMPLE_BLOCK, BLOCK_GROUP, BLOCK, DURATION, REFERENCE = 0xA3, 0xA0, 0xA1, 0x9B, 0xFB
OPEN = b"\x01" + b"\xff" * 7

CODINGS = {
    "libvpx": "V_VP8",
    "libvpx-vp9": "V_VP9",
    "libsvtav1": "V_AV1",
    "libx264": "V_MPEG4/ISO/AVC",
    "libx265": "V_MPEGH/ISO/HEVC",
    "libopus": "A_OPUS",
    "aac": "A_AAC",
}

#: Encoders that would otherwise print their settings.
QUIET: dict[str, dict[str, str]] = {
    "libx265": {"x265-params": "log-level=none"},
    "libvpx": {"deadline": "realtime", "cpu-used": "-8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def element(kind: int, *content: bytes, width: int = 8, claim: int | None = None) -> bytes:
    """Return an element; `claim` is the size that it states instead of its own."""
    body = b"".join(content)
    size = len(body) if claim is None else claim
    return id_of(kind) + (size | 1 << 7 * width).to_bytes(width, "big") + body


def opened(kind: int, *content: bytes) -> bytes:
    """Return an element that leaves its size open."""
    return id_of(kind) + OPEN + b"".join(content)


def id_of(kind: int) -> bytes:
    return kind.to_bytes((kind.bit_length() + 7) // 8, "big")


def number(kind: int, value: int) -> bytes:
    return element(kind, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"), width=1)


def decimal(kind: int, value: float) -> bytes:
    return element(kind, struct.pack(">d", value), width=1)


def header(doc_type: str = "webm", *more: bytes) -> bytes:
    return element(HEADER, element(0x4282, doc_type.encode(), width=1), *more)


def info(*, scale: int = 1_000_000, duration: float | None = None) -> bytes:
    names = element(0x4D80, b"Chrome", width=1) + element(0x5741, b"Chrome", width=1)
    length = b"" if duration is None else decimal(0x4489, duration)
    return element(INFO, number(0x2AD7B1, scale), length, names)


def block(track: int, relative: int, content: bytes, flags: int = 0x80) -> bytes:
    """Return the content of a block."""
    return bytes([0x80 | track]) + struct.pack(">hB", relative, flags) + content


@dataclass(frozen=True)
class Track:
    """A track, and its frames: time in milliseconds, whether it is a key frame, and the bytes."""

    number: int
    kind: int
    coding: str
    configuration: bytes
    inside: bytes
    frames: tuple[tuple[int, bool, bytes], ...]

    def entry(self, *more: bytes) -> bytes:
        configuration = element(0x63A2, self.configuration) if self.configuration else b""
        return element(
            0xAE,
            number(0xD7, self.number),
            number(0x73C5, self.number),
            number(0x83, self.kind),
            element(0x86, self.coding.encode(), width=1),
            configuration,
            element(0xE0 if self.kind == 1 else 0xE1, self.inside),
            *more,
        )


@cache
def tracks_of(
    codec: str = "libvpx",
    audio: str | None = "libopus",
    seconds: float = 1.0,
    size: tuple[int, int] = (160, 120),
) -> tuple[Track, ...]:
    """Return the tracks of a video, taken out of a file that FFmpeg wrote."""
    source = make_video(
        seconds=seconds,
        size=size,
        codec=codec,
        audio=audio,
        container="matroska",
        sample_rate=48_000,
        codec_options=QUIET.get(codec, {}),
    )
    container: Any
    with av.open(io.BytesIO(source)) as container:
        frames: dict[int, list[tuple[int, bool, bytes]]] = {s.index: [] for s in container.streams}
        for packet in container.demux():
            if packet.size:
                time = round(packet.pts * packet.time_base * 1000)
                frames[packet.stream.index].append((time, packet.is_keyframe, bytes(packet)))
        return tuple(
            _track(stream, CODINGS[codec if stream.type == "video" else str(audio)], frames)
            for stream in container.streams
        )


def _track(stream: Any, coding: str, frames: dict[int, list[tuple[int, bool, bytes]]]) -> Track:
    context = stream.codec_context
    if stream.type == "video":
        inside = number(0xB0, context.width) + number(0xBA, context.height)
    else:
        inside = decimal(0xB5, context.sample_rate) + number(0x9F, context.channels)
    private = bytes(context.extradata or b"")
    kind = 1 if stream.type == "video" else 2
    return Track(stream.index + 1, kind, coding, private, inside, tuple(frames[stream.index]))


@cache
def vorbis(seconds: float = 1.0, rate: int = 48_000) -> Track:
    """Return a sound track in Vorbis, as old versions of Firefox recorded it."""
    encoder: Any = av.CodecContext.create("vorbis", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "stereo", "fltp"
    encoder.options = {"strict": "experimental"}
    encoder.open()
    packets = []
    step = encoder.frame_size
    for start in range(0, round(seconds * rate), step):
        wave = (np.sin((np.arange(step) + start) * 440 * 2 * np.pi / rate) * 0.3).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    first = packets[0].pts
    frames = tuple(((each.pts - first) * 1000 // rate, True, bytes(each)) for each in packets)
    inside = decimal(0xB5, rate) + number(0x9F, 2)
    return Track(2, 2, "A_VORBIS", bytes(encoder.extradata), inside, frames)


Write = Callable[[Track, int, bool, bytes], bytes]


def as_simple_block(track: Track, relative: int, key: bool, content: bytes) -> bytes:
    return element(
        SIMPLE_BLOCK, block(track.number, relative, content, 0x80 if key else 0), width=4
    )


def as_group(track: Track, relative: int, key: bool, content: bytes) -> bytes:
    reference = b"" if key else element(REFERENCE, b"\xd8", width=1)
    inside = element(BLOCK, block(track.number, relative, content, 0))
    return element(BLOCK_GROUP, element(VOID, b"x"), inside, number(DURATION, 40), reference)


def clusters(
    tracks: Iterable[Track],
    *,
    every: int = 400,
    write: Write = as_simple_block,
    is_open: bool = False,
    late: int = 0,
) -> list[bytes]:
    """Return clusters of so many milliseconds, all frames `late` milliseconds later.

    Frames of a track stay in their order: some are shown later than those that follow them.
    """
    frames = [
        (latest, time, track, key, data)
        for track in tracks
        for latest, (time, key, data) in zip(
            accumulate((max(0, time) for time, _, _ in track.frames), max),
            track.frames,
            strict=True,
        )
    ]
    found: dict[int, list[bytes]] = {}
    for latest, time, track, key, data in sorted(frames, key=lambda each: each[0]):
        start = latest // every * every
        found.setdefault(start, []).append(write(track, time - start, key, data))
    make = opened if is_open else element
    return [make(CLUSTER, number(0xE7, start + late), *parts) for start, parts in found.items()]


def recorded(*tracks: Track, before: bytes = b"", after: bytes = b"", **how: Any) -> bytes:
    """Return a recording as Chromium writes it with a timeslice: all sizes open, no duration, no index."""
    entries = element(TRACKS, *(each.entry() for each in tracks))
    content = (info(), before, entries, *clusters(tracks, is_open=True, **how), after)
    return header() + opened(SEGMENT, *content)


def whole(
    *tracks: Track,
    before: bytes = b"",
    after: bytes = b"",
    duration: float | None = 1000,
    doc_type: str = "webm",
    **how: Any,
) -> bytes:
    """Return a file that states every size, with other elements before its tracks and after its clusters."""
    entries = element(TRACKS, *(each.entry() for each in tracks))
    content = (info(duration=duration), before, entries, *clusters(tracks, **how), after)
    return header(doc_type) + element(SEGMENT, *content)


def moved(track: Track, by: Callable[[int], int]) -> Track:
    """Return a track whose frames have other times."""
    return replace(track, frames=tuple((by(time), key, data) for time, key, data in track.frames))
