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
from .bitstream import IrregularStream
from .demuxer import VideoSource
from .file_view import FileView
from .first_frame import is_plausible_aspect
from .h264 import UnitFilter
from .packets import replace_content
from .tone_mapping import is_high_dynamic_range

#: Otherwise libavformat signs what it writes, and writes each packet by itself.
_OPTIONS = {"fflags": "+bitexact", "flush_packets": "0"}

#: Few and large writes.
_WRITE_BYTES = 1 << 18

#: Eight bits, colour at half the sides: what every browser decodes.
_PLAIN_FORMATS = frozenset({"yuv420p", "yuvj420p"})

#: Seconds that a frame is surely shown where the film does not tell.
_DEFAULT_FRAME_SECONDS = Fraction(1, 50)

#: For so many frames in a row a clock may stand still, and so many seconds it may step back.
_MAX_REPEATED, _MAX_STEP_BACK = 3, 1

#: More than hardware decoders take.
_MAX_SIDE = 4096

#: AAC with more channels sounds wrong almost everywhere.
_MAX_CHANNELS = 6


class TrackWriter(Protocol):
    """One track from the old container to the new."""

    def packets(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """What to write for a packet read; the last one of a track is empty."""
        ...


MakeTrackWriters = Callable[[VideoSource, OutputContainer], Mapping[Any, TrackWriter]]


def rebuild(
    source: VideoSource,
    target: int,
    make_writers: MakeTrackWriters,
    on_progress: Callable[[float], None] | None = None,
) -> int:
    """Writes the new film; tells its length. Calls `seen` with the seconds read so far."""
    with av.open(
        FileView(target), "w", format="mp4", options=_OPTIONS, buffer_size=_WRITE_BYTES
    ) as output:
        assert isinstance(output, OutputContainer)
        track_writers = make_writers(source, output)
        offsets = _start_offsets(source)
        times, media, shows = _DecodeTimes(), range(0), False
        for packet in source.container.demux(*track_writers):
            if packet.is_corrupt:
                raise MediaRejected("corrupt", "a film that ends within a frame")
            if packet.pos is not None:
                if packet.pos not in media:
                    media = source.boxes.media_around(packet.pos)
                if packet.pos + packet.size > media.stop:
                    raise MediaRejected("corrupt", "a film whose frames lie outside its media")
            if offsets and packet.dts is not None:
                _shift_earlier(packet, offsets[packet.stream.index])
            for written in track_writers[packet.stream].packets(packet):
                times.fix(written)
                shows = shows or _is_shown(written)
                output.mux(written)
            if on_progress and packet.pts is not None and packet.time_base:
                on_progress(float(packet.pts * packet.time_base))
    if not shows:
        raise MediaRejected("corrupt", "a film that is over before it begins")
    return faststart.move_index_first(target)


def _is_shown(packet: Packet[Any]) -> bool:
    """Whether it is a picture of a time that players show: an old film's pieces may all begin later."""
    return packet.stream.type == "video" and (packet.pts or 0) + (packet.duration or 0) >= 0


def _start_offsets(source: VideoSource) -> dict[int, int]:
    """By how much each track's times must be lessened so that the film begins when it begins."""
    start = source.container.start_time or 0
    if start <= 0:
        return {}
    seconds = Fraction(start, av.time_base)
    return {s.index: int(seconds / (s.time_base or 1)) for s in source.container.streams}


def _shift_earlier(packet: Packet[Any], ticks: int) -> None:
    packet.dts = (packet.dts or 0) - ticks
    if packet.pts is not None:
        packet.pts -= ticks


class _DecodeTimes:
    """Decoding times of a track rise, as the new container demands: in some films they stand still."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self._repeated: Counter[int] = Counter()

    def fix(self, packet: Packet[Any]) -> None:
        """Raises MediaRejected for a clock that stands still for good, or goes far back."""
        if packet.dts is None:
            return
        track, dts = packet.stream.index, packet.dts
        last = self._last.get(track, dts - 1)
        if dts > last:
            self._repeated[track] = 0
        else:
            self._repeated[track] += 1
            back = (last - dts) * (packet.time_base or 1)
            if self._repeated[track] > _MAX_REPEATED or back > _MAX_STEP_BACK:
                raise MediaRejected("corrupt", "a film whose clock stands still")
            packet.dts = dts = last + 1
        if packet.pts is not None and packet.pts < dts:
            packet.pts = dts
        self._last[track] = dts


def copy_tracks(source: VideoSource, output: OutputContainer) -> Mapping[Any, TrackWriter]:
    """Both tracks as they are, but for what is no picture and no sound; raises Irregular."""
    track_writers: dict[Any, TrackWriter] = {source.video: VideoCopy(source.video, output)}
    if source.audio:
        track_writers[source.audio] = AudioCopy(source.audio, output)
    return track_writers


def video_plays(source: VideoSource, frame: VideoFrame) -> bool:
    """Whether browsers play the picture as it is."""
    return (
        source.video.codec_context.name == "h264"
        and frame.format.name in _PLAIN_FORMATS
        and not is_high_dynamic_range(frame)
        and max(frame.width, frame.height) <= _MAX_SIDE
    )


def audio_plays(source: VideoSource) -> bool:
    """Whether browsers play the sound as it is; silence plays everywhere."""
    if source.audio is None:
        return True
    context = source.audio.codec_context
    return context.name == "aac" and 1 <= context.channels <= _MAX_CHANNELS


class VideoCopy:
    """H.264, without the units that are no picture."""

    def __init__(self, source: VideoStream, output: OutputContainer) -> None:
        self._filter = UnitFilter(bytes(source.codec_context.extradata or b""))
        self._stream = output.add_stream_from_template(source)
        self._stream.metadata.clear()
        self._stream.codec_context.extradata = self._filter.record
        aspect = source.sample_aspect_ratio
        if aspect:
            if not is_plausible_aspect(aspect):
                raise IrregularStream("pixels of no possible shape")
            # Where only the old container says it, the template does not.
            self._stream.codec_context.sample_aspect_ratio = aspect
        self._expected, self._count = len(source.index_entries), 0
        frame_seconds = 1 / source.base_rate if source.base_rate else _DEFAULT_FRAME_SECONDS
        self._frame_ticks = int(frame_seconds / (source.time_base or 1)) or 1

    def packets(self, packet: Packet[VideoStream]) -> Iterator[Packet[VideoStream]]:
        if packet.dts is None:
            if self._count < self._expected:
                raise MediaRejected("corrupt", "a film that lacks some of its frames")
            return
        self._count += 1
        if self._count < self._expected and packet.duration:
            # Only the last one's counts. The others' are differences of decoding times, and where
            # frames are reordered around a long pause they would make the film longer than it is.
            packet.duration = min(packet.duration, self._frame_ticks)
        content = self._filter.filter_packet(memoryview(packet))
        packet = packet if content is None else replace_content(packet, content)
        packet.stream = self._stream
        yield packet


class AudioCopy:
    """AAC, without what its encoder wrote about itself."""

    def __init__(self, source: AudioStream, output: OutputContainer) -> None:
        aac.check_configuration(bytes(source.codec_context.extradata or b""))
        self._stream = output.add_stream_from_template(source)
        self._stream.metadata.clear()

    def packets(self, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
        if packet.dts is None:
            return
        content = aac.filter_frame(memoryview(packet))
        packet = packet if content is None else replace_content(packet, content)
        packet.stream = self._stream
        yield packet
