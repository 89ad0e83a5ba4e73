"""A new MP4 around the first picture track and the first sound track of a film."""

# PyAV's packets are generic for type checkers only.
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Protocol

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from normalizer.media import MediaRejected

from . import aac, faststart
from .bitstream import Irregular
from .demuxer import VideoSource
from .file_view import Cursor
from .first_frame import is_shape
from .h264 import Units
from .packets import remade
from .tone_mapping import is_high_dynamic_range

#: Otherwise libavformat signs what it writes, and writes each packet by itself.
_OPTIONS = {"fflags": "+bitexact", "flush_packets": "0"}

#: Few and large writes.
_WRITE_BYTES = 1 << 18

#: Eight bits, colour at half the sides: what every browser decodes.
_PLAIN_FORMATS = frozenset({"yuv420p", "yuvj420p"})

#: Seconds that a frame is surely shown where the film does not tell.
_MOMENT = Fraction(1, 50)

#: For so many frames in a row a clock may stand still, and so many seconds it may step back.
_MAX_STILL, _MAX_BACK = 3, 1

#: More than hardware decoders take.
_MAX_SIDE = 4096

#: AAC with more channels sounds wrong almost everywhere.
_MAX_CHANNELS = 6


class Lane(Protocol):
    """One track from the old container to the new."""

    def packets(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """What to write for a packet read; the last one of a track is empty."""
        ...


MakeLanes = Callable[[VideoSource, OutputContainer], Mapping[Any, Lane]]


def rebuild(
    film: VideoSource, target: int, lanes_of: MakeLanes, seen: Callable[[float], None] | None = None
) -> int:
    """Writes the new film; tells its length. Calls `seen` with the seconds read so far."""
    with av.open(
        Cursor(target), "w", format="mp4", options=_OPTIONS, buffer_size=_WRITE_BYTES
    ) as output:
        assert isinstance(output, OutputContainer)
        lanes = lanes_of(film, output)
        late = _lateness(film)
        order, media, shows = _Order(), range(0), False
        for packet in film.container.demux(*lanes):
            if packet.is_corrupt:
                raise MediaRejected("corrupt", "a film that ends within a frame")
            if packet.pos is not None:
                if packet.pos not in media:
                    media = film.boxes.media_around(packet.pos)
                if packet.pos + packet.size > media.stop:
                    raise MediaRejected("corrupt", "a film whose frames lie outside its media")
            if late and packet.dts is not None:
                _earlier(packet, late[packet.stream.index])
            for written in lanes[packet.stream].packets(packet):
                order.keep(written)
                shows = shows or _is_shown(written)
                output.mux(written)
            if seen and packet.pts is not None and packet.time_base:
                seen(float(packet.pts * packet.time_base))
    if not shows:
        raise MediaRejected("corrupt", "a film that is over before it begins")
    return faststart.index_first(target)


def _is_shown(packet: Packet[Any]) -> bool:
    """Whether it is a picture of a time that players show: an old film's pieces may all begin later."""
    return packet.stream.type == "video" and (packet.pts or 0) + (packet.duration or 0) >= 0


def _lateness(film: VideoSource) -> dict[int, int]:
    """By how much each track's times must be lessened so that the film begins when it begins."""
    start = film.container.start_time or 0
    if start <= 0:
        return {}
    seconds = Fraction(start, av.time_base)
    return {s.index: int(seconds / (s.time_base or 1)) for s in film.container.streams}


def _earlier(packet: Packet[Any], ticks: int) -> None:
    packet.dts = (packet.dts or 0) - ticks
    if packet.pts is not None:
        packet.pts -= ticks


class _Order:
    """Decoding times of a track rise, as the new container demands: in some films they stand still."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self._still: Counter[int] = Counter()

    def keep(self, packet: Packet[Any]) -> None:
        """Raises MediaRejected for a clock that stands still for good, or goes far back."""
        if packet.dts is None:
            return
        track, dts = packet.stream.index, packet.dts
        last = self._last.get(track, dts - 1)
        if dts > last:
            self._still[track] = 0
        else:
            self._still[track] += 1
            back = (last - dts) * (packet.time_base or 1)
            if self._still[track] > _MAX_STILL or back > _MAX_BACK:
                raise MediaRejected("corrupt", "a film whose clock stands still")
            packet.dts = dts = last + 1
        if packet.pts is not None and packet.pts < dts:
            packet.pts = dts
        self._last[track] = dts


def copied(film: VideoSource, output: OutputContainer) -> Mapping[Any, Lane]:
    """Both tracks as they are, but for what is no picture and no sound; raises Irregular."""
    lanes: dict[Any, Lane] = {film.picture: PictureCopy(film.picture, output)}
    if film.sound:
        lanes[film.sound] = SoundCopy(film.sound, output)
    return lanes


def picture_plays(film: VideoSource, frame: VideoFrame) -> bool:
    """Whether browsers play the picture as it is."""
    return (
        film.picture.codec_context.name == "h264"
        and frame.format.name in _PLAIN_FORMATS
        and not is_high_dynamic_range(frame)
        and max(frame.width, frame.height) <= _MAX_SIDE
    )


def sound_plays(film: VideoSource) -> bool:
    """Whether browsers play the sound as it is; silence plays everywhere."""
    if film.sound is None:
        return True
    context = film.sound.codec_context
    return context.name == "aac" and 1 <= context.channels <= _MAX_CHANNELS


class PictureCopy:
    """H.264, without the units that are no picture."""

    def __init__(self, source: VideoStream, output: OutputContainer) -> None:
        self._units = Units(bytes(source.codec_context.extradata or b""))
        self._stream = output.add_stream_from_template(source)
        self._stream.metadata.clear()
        self._stream.codec_context.extradata = self._units.record
        shape = source.sample_aspect_ratio
        if shape:
            if not is_shape(shape):
                raise Irregular("pixels of no possible shape")
            # Where only the old container says it, the template does not.
            self._stream.codec_context.sample_aspect_ratio = shape
        self._expected, self._count = len(source.index_entries), 0
        moment = 1 / source.base_rate if source.base_rate else _MOMENT
        self._moment = int(moment / (source.time_base or 1)) or 1

    def packets(self, packet: Packet[VideoStream]) -> Iterator[Packet[VideoStream]]:
        if packet.dts is None:
            if self._count < self._expected:
                raise MediaRejected("corrupt", "a film that lacks some of its frames")
            return
        self._count += 1
        if self._count < self._expected and packet.duration:
            # Only the last one's counts. The others' are differences of decoding times, and where
            # frames are reordered around a long pause they would make the film longer than it is.
            packet.duration = min(packet.duration, self._moment)
        content = self._units.filtered(memoryview(packet))
        packet = packet if content is None else remade(packet, content)
        packet.stream = self._stream
        yield packet


class SoundCopy:
    """AAC, without what its encoder wrote about itself."""

    def __init__(self, source: AudioStream, output: OutputContainer) -> None:
        aac.check_configuration(bytes(source.codec_context.extradata or b""))
        self._stream = output.add_stream_from_template(source)
        self._stream.metadata.clear()

    def packets(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        if packet.dts is None:
            return
        content = aac.filtered(memoryview(packet))
        packet = packet if content is None else remade(packet, content)
        packet.stream = self._stream
        yield packet
