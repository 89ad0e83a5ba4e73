"""A film in a coding that not every browser plays, decoded and encoded anew: H.264 and AAC."""

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
from .packets import remade
from .remux import Lane, PictureCopy, SoundCopy
from .sound import Voice
from .tone_mapping import is_high_dynamic_range


@dataclass(frozen=True, slots=True)
class Effort:
    """How much trouble to take: longest side, frames a second, the encoder's preset, and its cost."""

    side: int
    rate: int
    preset: str
    #: Nanoseconds a pixel, measured on one processor of 2023.
    cost: float


_EFFORTS = (
    Effort(1280, 30, "veryfast", 10),
    Effort(960, 30, "superfast", 7),
    Effort(640, 30, "ultrafast", 4),
    Effort(426, 15, "ultrafast", 4),
)

#: Nanoseconds a pixel that decoding and toning down take.
_DECODE_COST, _TONE_COST = 5, 15

#: What a film may take by that reckoning; the limit on the job is a few times as much.
_SECONDS = 150.0

_QUALITY = "23"
_MOST_BITS = 4_000_000
_LEAST_BITS = 100_000

#: A film of an hour must still fit somewhere.
_MAX_FILM_BITS = 8 * 100_000_000

_TIME_BASE = Fraction(1, 90000)


@dataclass(frozen=True, slots=True)
class Plan:
    """What must be encoded; the rest is copied."""

    picture: bool
    sound: bool


def lanes(
    plan: Plan, frame: Frame, orientation: int
) -> Callable[[VideoSource, OutputContainer], Mapping[Any, Lane]]:
    """The tracks of a new film according to plan; `frame` is the first one of the old."""

    def make(film: VideoSource, output: OutputContainer) -> Mapping[Any, Lane]:
        made: dict[Any, Lane] = {
            film.picture: Picture(film, output, frame, orientation)
            if plan.picture
            else PictureCopy(film.picture, output)
        }
        if film.sound:
            made[film.sound] = (
                Voice(film.sound, output) if plan.sound else SoundCopy(film.sound, output)
            )
        return made

    return make


class Picture:
    """The picture track on its way: decoded, developed upright, encoded."""

    def __init__(
        self, film: VideoSource, output: OutputContainer, frame: Frame, orientation: int
    ) -> None:
        self._decoder = film.picture.codec_context
        self._orientation = orientation
        self._effort = effort(film, frame)
        self._lying = _even(frame, self._effort.side)
        self._pipeline: Pipeline | None = None
        self._last: Fraction | None = None
        if float(film.picture.average_rate or 0) >= 2 * self._effort.rate:
            # Half of the frames are dropped anyway; those that no other needs are not even decoded.
            self._decoder.skip_frame = "NONREF"
        # A tenth of a frame's grace: clocks of phones are not exact.
        self._step = Fraction(9, 10 * self._effort.rate)
        self._stream = self._opened(output, film)

    def packets(self, packet: Packet[VideoStream]) -> Iterator[Packet[VideoStream]]:
        for frame in self._decoder.decode(packet):
            if self._is_due(frame):
                yield from self._developed(frame)
        if packet.dts is None:
            if self._pipeline:
                yield from self._finished(self._pipeline)
            yield from self._encoded(None)

    def _opened(self, output: OutputContainer, film: VideoSource) -> VideoStream:
        stream: VideoStream = output.add_stream(
            "libx264", rate=self._effort.rate, options=_options(self._effort, film.seconds)
        )
        context: VideoCodecContext = stream.codec_context
        sides = self._lying[::-1] if self._orientation >= 5 else self._lying
        context.width, context.height = sides
        context.pix_fmt = "yuv420p"
        context.time_base = stream.time_base = _TIME_BASE
        context.thread_count = 1
        context.flags |= Flags.bitexact
        context.colorspace = context.color_primaries = context.color_trc = 1
        context.color_range = 1
        return stream

    def _is_due(self, frame: VideoFrame) -> bool:
        """Whether the frame is far enough from the one before it."""
        if frame.pts is None or frame.time_base is None:
            return False
        at = frame.pts * frame.time_base
        if self._last is not None and at - self._last < self._step:
            return False
        self._last = at
        return True

    def _developed(self, frame: VideoFrame) -> Iterator[Packet[VideoStream]]:
        if self._pipeline is None or not self._pipeline.takes(frame):
            if self._pipeline:
                yield from self._finished(self._pipeline)
            self._pipeline = Pipeline(frame, self._lying, "yuv420p", self._orientation)
        for shown in self._pipeline.frames(frame):
            yield from self._encoded(shown)

    def _finished(self, pipeline: Pipeline) -> Iterator[Packet[VideoStream]]:
        for shown in pipeline.frames(None):
            yield from self._encoded(shown)

    def _encoded(self, frame: VideoFrame | None) -> Iterator[Packet[VideoStream]]:
        if frame is not None:
            assert frame.pts is not None
            assert frame.time_base is not None
            frame.pts = int(frame.pts * frame.time_base / _TIME_BASE)
            frame.time_base = _TIME_BASE
            frame.pict_type = 0
        for packet in self._stream.encode(frame):
            yield remade(packet, h264.without_messages(bytes(packet)))


def effort(film: VideoSource, frame: Frame) -> Effort:
    """The best that the film's length allows."""
    coded = frame.coded.width * frame.coded.height
    rate = float(film.picture.average_rate or 30)
    toned = _TONE_COST if is_high_dynamic_range(frame.coded) else 0
    for chosen in _EFFORTS:
        width, height = _even(frame, chosen.side)
        each = width * height * (chosen.cost + toned) * min(rate, chosen.rate) / rate
        if film.seconds * rate * (coded * _DECODE_COST + each) * 1e-9 <= _SECONDS:
            return chosen
    return _EFFORTS[-1]


def heartbeat(tell: Callable[[dict[str, Any]], None], seconds: float) -> Callable[[float], None]:
    """Tells once a second how much of the film is done."""
    told = time.monotonic()

    def seen(at: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= 1:
            told = now
            tell({"progress": min(1.0, max(0.0, at / max(seconds, 0.1)))})

    return seen


def _even(frame: Frame, side: int) -> tuple[int, int]:
    """Half the sides are colour: they must be whole."""
    share = min(1.0, side / max(frame.width, frame.height))
    width, height = (max(2, round(each * share / 2) * 2) for each in (frame.width, frame.height))
    return width, height


def _options(effort: Effort, seconds: float) -> dict[str, str]:
    most = max(_LEAST_BITS, min(_MOST_BITS, int(_MAX_FILM_BITS / max(seconds, 1))))
    return {
        "preset": effort.preset,
        "crf": _QUALITY,
        "maxrate": str(most),
        "bufsize": str(2 * most),
        "g": str(2 * effort.rate),
        "x264-params": "threads=1:lookahead-threads=1",
    }
