"""A video in a coding that not every browser plays, decoded and re-encoded as H.264 and AAC."""

# PyAV's packets are generic for type checkers only.
from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from . import h264
from .demuxer import VideoSource
from .filters import Pipeline
from .first_frame import Frame
from .packets import is_end, replace_content
from .remux import AudioCopy, TrackWriter, VideoCopy
from .sound import AudioTranscoder
from .tone_mapping import is_high_dynamic_range


@dataclass(frozen=True, slots=True)
class EncodingLevel:
    """A level of quality: longest side, frames a second, the encoder's preset, and its cost."""

    side: int
    rate: int
    preset: str
    #: Nanoseconds a pixel, measured on one processor of 2023.
    cost: float


_LEVELS = (
    EncodingLevel(1280, 30, "veryfast", 10),
    EncodingLevel(960, 30, "superfast", 7),
    EncodingLevel(640, 30, "ultrafast", 4),
    EncodingLevel(426, 15, "ultrafast", 4),
)

#: Nanoseconds a pixel for decoding and for tone mapping.
_DECODE_COST, _TONE_MAPPING_COST = 5, 15

#: The estimated time that a video may take; the job's limit is a few times as much.
_SECONDS = 150.0

#: Frames a second of a video that does not say.
_USUAL_RATE = 30.0

_QUALITY = "23"
_MAX_BITS = 4_000_000
_MIN_BITS = 100_000

#: A video of an hour must still be storable.
_MAX_VIDEO_BITS = 8 * 100_000_000

_TIME_BASE = Fraction(1, 90000)

#: Frames that share the time of the frame before them and are kept all the same, as players keep them.
_MAX_SHARED = 600


@dataclass(frozen=True, slots=True)
class Plan:
    """The tracks to encode; the others are copied."""

    video: bool
    audio: bool


def track_writers(
    plan: Plan, frame: Frame, orientation: int
) -> Callable[[VideoSource, OutputContainer], Mapping[Any, TrackWriter]]:
    """Return a function that makes the writers of the new tracks. `frame` is the first frame of the old video."""

    def make_writers(source: VideoSource, output: OutputContainer) -> Mapping[Any, TrackWriter]:
        writers: dict[Any, TrackWriter] = {
            source.video: VideoTranscoder(source, output, frame, orientation)
            if plan.video
            else VideoCopy(source.video, output)
        }
        if source.audio:
            writers[source.audio] = (
                AudioTranscoder(source.audio, output, source.most_sound_seconds)
                if plan.audio
                else AudioCopy(source.audio, output)
            )
        return writers

    return make_writers


class VideoTranscoder:
    """The re-encoder of the video track: decodes, turns upright, encodes."""

    def __init__(
        self, source: VideoSource, output: OutputContainer, frame: Frame, orientation: int
    ) -> None:
        self._decoder = source.video.codec_context
        self._orientation = orientation
        self._level = choose_level(source, frame)
        self._coded_size = _even_size(frame, self._level.side)
        self._pipeline: Pipeline | None = None
        self._last: Fraction | None = None
        self._shared, self._last_encoded = 0, -1
        if (source.rate or 0) >= 2 * self._level.rate:
            # Half of the frames are dropped anyway, so those that no other frame needs are not even decoded.
            self._decoder.skip_frame = "NONREF"
        # A tolerance of a tenth of a frame: clocks of phones are not exact.
        self._step = Fraction(9, 10 * self._level.rate)
        self._stream = self._add_stream(output, source)

    def packets(self, packet: Packet[VideoStream]) -> Iterator[Packet[VideoStream]]:
        for frame in self._decoder.decode(packet):
            if self._is_due(frame):
                yield from self._filter_and_encode(frame)
        if is_end(packet):
            if self._pipeline:
                yield from self._flush(self._pipeline)
            yield from self._encode(None)

    def _add_stream(self, output: OutputContainer, source: VideoSource) -> VideoStream:
        stream: VideoStream = output.add_stream(
            "libx264", rate=self._level.rate, options=_options(self._level, source.seconds)
        )
        context: VideoCodecContext = stream.codec_context
        sides = self._coded_size[::-1] if self._orientation >= 5 else self._coded_size
        context.width, context.height = sides
        context.pix_fmt = "yuv420p"
        context.time_base = stream.time_base = _TIME_BASE
        context.thread_count = 1
        context.flags |= Flags.bitexact
        context.colorspace = context.color_primaries = context.color_trc = 1
        context.color_range = 1
        return stream

    def _is_due(self, frame: VideoFrame) -> bool:
        """Whether the frame is far enough from the previous one, or has no time of its own."""
        if frame.pts is None or frame.time_base is None:
            return False
        time_seconds = frame.pts * frame.time_base
        if self._last is not None and time_seconds <= self._last and self._shared < _MAX_SHARED:
            self._shared += 1
            return True
        if self._last is not None and time_seconds - self._last < self._step:
            return False
        self._last = time_seconds
        return True

    def _filter_and_encode(self, frame: VideoFrame) -> Iterator[Packet[VideoStream]]:
        if self._pipeline is None or not self._pipeline.accepts(frame):
            if self._pipeline:
                yield from self._flush(self._pipeline)
            self._pipeline = Pipeline(frame, self._coded_size, "yuv420p", self._orientation)
        for shown in self._pipeline.frames(frame):
            yield from self._encode(shown)

    def _flush(self, pipeline: Pipeline) -> Iterator[Packet[VideoStream]]:
        for shown in pipeline.frames(None):
            yield from self._encode(shown)

    def _encode(self, frame: VideoFrame | None) -> Iterator[Packet[VideoStream]]:
        if frame is not None:
            assert frame.pts is not None
            assert frame.time_base is not None
            frame.pts = max(int(frame.pts * frame.time_base / _TIME_BASE), self._last_encoded + 1)
            self._last_encoded = frame.pts
            frame.time_base = _TIME_BASE
            frame.pict_type = 0
        for packet in self._stream.encode(frame):
            yield replace_content(packet, h264.strip_messages(bytes(packet)))


def choose_level(source: VideoSource, frame: Frame) -> EncodingLevel:
    """Return the best level that the video's length allows."""
    coded = frame.coded.width * frame.coded.height
    rate = source.rate or _USUAL_RATE
    tone_mapping_cost = _TONE_MAPPING_COST if is_high_dynamic_range(frame.coded) else 0
    for level in _LEVELS:
        width, height = _even_size(frame, level.side)
        each = width * height * (level.cost + tone_mapping_cost) * min(rate, level.rate) / rate
        if source.seconds * rate * (coded * _DECODE_COST + each) * 1e-9 <= _SECONDS:
            return level
    return _LEVELS[-1]


def progress_reporter(
    notify: Callable[[dict[str, Any]], None], seconds: float
) -> Callable[[float], None]:
    """Return a function that reports the finished share of the video once a second."""
    last_notified = time.monotonic()

    def report(time_seconds: float) -> None:
        nonlocal last_notified
        now = time.monotonic()
        if now - last_notified >= 1:
            last_notified = now
            notify({"progress": min(1.0, max(0.0, time_seconds / max(seconds, 0.1)))})

    return report


def _even_size(frame: Frame, side: int) -> tuple[int, int]:
    """Return even sides, because colours have half the resolution."""
    share = min(1.0, side / max(frame.width, frame.height))
    width, height = (max(2, round(each * share / 2) * 2) for each in (frame.width, frame.height))
    return width, height


def _options(level: EncodingLevel, seconds: float) -> dict[str, str]:
    most = max(_MIN_BITS, min(_MAX_BITS, int(_MAX_VIDEO_BITS / max(seconds, 1))))
    return {
        "preset": level.preset,
        "crf": _QUALITY,
        "maxrate": str(most),
        "bufsize": str(2 * most),
        "g": str(2 * level.rate),
        "x264-params": "threads=1:lookahead-threads=1",
    }
