"""A new MP4 around the first video track and the first audio track."""

# PyAV's packets are generic for type checkers only.
from __future__ import annotations

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
from .packets import is_end, replace_content
from .structure import Structure
from .tone_mapping import is_high_dynamic_range

#: Otherwise libavformat writes its own name, and flushes each packet.
_OPTIONS = {"fflags": "+bitexact", "flush_packets": "0"}

#: Few large writes.
_WRITE_BYTES = 1 << 18

#: Eight bits, subsampled colours: every browser decodes these.
_PLAIN_FORMATS = frozenset({"yuv420p", "yuvj420p"})

#: Seconds for which a frame is shown if the video does not say.
_DEFAULT_FRAME_SECONDS = Fraction(1, 50)

#: Seconds by which time may step back, and by which frames with the same time may be late in the new container.
_MAX_STEP_BACK = _MAX_LATE = 1

#: The limit of hardware decoders.
_MAX_SIDE = 4096

#: AAC with more channels sounds wrong almost everywhere.
_MAX_CHANNELS = 6


class TrackWriter(Protocol):
    """A writer of one track from the old container to the new one."""

    def packets(self, packet: Packet[Any]) -> Iterator[Packet[Any]]:
        """Yield the packets to write for a packet that was read. The last packet of a track is empty."""
        ...


MakeTrackWriters = Callable[[VideoSource, OutputContainer], Mapping[Any, TrackWriter]]


def rebuild(
    source: VideoSource,
    target: int,
    make_writers: MakeTrackWriters,
    on_progress: Callable[[float], None] | None = None,
) -> int:
    """Write the new video and return its length. Call `on_progress` with the seconds read so far."""
    with av.open(
        FileView(target), "w", format="mp4", options=_OPTIONS, buffer_size=_WRITE_BYTES
    ) as output:
        assert isinstance(output, OutputContainer)
        track_writers = make_writers(source, output)
        offsets = _start_offsets(source)
        times, media, shows = _DecodeTimes(), range(0), False
        for packet in source.container.demux(*track_writers):
            if packet.is_corrupt:
                raise MediaRejected("corrupt", "the video ends within a frame")
            if source.boxes:
                media = _checked_media(packet, source.boxes, media)
            if offsets and not is_end(packet):
                _shift_earlier(packet, offsets[packet.stream.index])
            for written in track_writers[packet.stream].packets(packet):
                times.fix(written)
                shows = shows or _is_shown(written)
                output.mux(written)
            if on_progress and packet.pts is not None and packet.time_base:
                on_progress(float(packet.pts * packet.time_base))
    if source.boxes and source.boxes.overclaims and not _is_complete(source, source.boxes):
        raise MediaRejected("corrupt", "the video is truncated")
    if not shows:
        raise MediaRejected("corrupt", "the video has no visible frame")
    return faststart.move_index_first(target)


def _checked_media(packet: Packet[Any], boxes: Structure, media: range) -> range:
    """Return the media that hold the packet, often those of the previous one. Refuse a packet outside."""
    if packet.pos is None:
        return media
    if packet.pos not in media:
        media = boxes.media_around(packet.pos)
    if packet.pos + packet.size > media.stop:
        raise MediaRejected("corrupt", "the video's frames lie outside its media")
    return media


def _is_complete(source: VideoSource, boxes: Structure) -> bool:
    """Whether all frames and sounds are within the file. The index of a fragmented video is known only at its end."""
    tracks = [source.video, *([source.audio] if source.audio else [])]
    return all(
        entry.pos + entry.size <= boxes.end for track in tracks for entry in track.index_entries
    )


def _is_shown(packet: Packet[Any]) -> bool:
    """Whether a packet is a frame at a time that players show: an edited video may begin after all its frames."""
    return packet.stream.type == "video" and (packet.pts or 0) + (packet.duration or 0) >= 0


def _start_offsets(source: VideoSource) -> dict[int, int]:
    """Return the ticks by which each track must be shifted for the video to begin at zero."""
    start = source.container.start_time or 0
    if start <= 0:
        return {}
    seconds = Fraction(start, av.time_base)
    return {s.index: int(seconds / (s.time_base or 1)) for s in source.container.streams}


def _shift_earlier(packet: Packet[Any], ticks: int) -> None:
    if packet.dts is not None:
        packet.dts -= ticks
    if packet.pts is not None:
        packet.pts -= ticks


class _DecodeTimes:
    """Makes decoding times of a track increase, as the new container requires. In some videos they repeat."""

    def __init__(self) -> None:
        #: By track: the last time as the video states it, and as it is written.
        self._last: dict[int, tuple[int, int]] = {}

    def fix(self, packet: Packet[Any]) -> None:
        """Correct the packet's times.

        Raise MediaRejected if they go far back, and IrregularStream if the clock is too coarse for the frames.
        """
        if packet.dts is None:
            return
        track, stated, unit = packet.stream.index, packet.dts, packet.time_base or 1
        last_stated, last_written = self._last.get(track, (stated - 1, stated - 1))
        if (last_stated - stated) * unit > _MAX_STEP_BACK:
            raise MediaRejected("corrupt", "the video's timestamps do not advance")
        written = max(stated, last_written + 1)
        if (written - stated) * unit > _MAX_LATE:
            raise IrregularStream("too many frames have the same time")
        packet.dts = written
        if packet.pts is not None and packet.pts < written:
            packet.pts = written
        self._last[track] = stated, written


def copy_tracks(source: VideoSource, output: OutputContainer) -> Mapping[Any, TrackWriter]:
    """Copy both tracks without units that are neither picture nor sound. Raise IrregularStream."""
    track_writers: dict[Any, TrackWriter] = {source.video: VideoCopy(source.video, output)}
    if source.audio:
        track_writers[source.audio] = AudioCopy(source.audio, output)
    return track_writers


def video_plays(source: VideoSource, frame: VideoFrame) -> bool:
    """Whether browsers play the video track as it is. Nothing is copied from a file without an index."""
    return (
        source.boxes is not None
        and source.video.codec_context.name == "h264"
        and source.boxes.is_uniform(source.video.id)
        and frame.format.name in _PLAIN_FORMATS
        and not is_high_dynamic_range(frame)
        and max(frame.width, frame.height) <= _MAX_SIDE
    )


def audio_plays(source: VideoSource) -> bool:
    """Whether browsers play the audio track as it is; a missing one plays everywhere."""
    if source.audio is None:
        return True
    if source.boxes is None:
        return False
    context = source.audio.codec_context
    return (
        context.name == "aac"
        and source.boxes.is_uniform(source.audio.id)
        and 1 <= context.channels <= _MAX_CHANNELS
    )


class VideoCopy:
    """Copies H.264 without the units that are not pictures."""

    def __init__(self, source: VideoStream, output: OutputContainer) -> None:
        self._filter = UnitFilter(bytes(source.codec_context.extradata or b""))
        self._stream = output.add_stream_from_template(source)
        self._stream.metadata.clear()
        self._stream.codec_context.extradata = self._filter.record
        aspect = source.sample_aspect_ratio
        if aspect:
            if not is_plausible_aspect(aspect):
                raise IrregularStream("the aspect ratio of pixels is not plausible")
            # If only the old container states it, the template lacks it.
            self._stream.codec_context.sample_aspect_ratio = aspect
        self._expected, self._count = len(source.index_entries), 0
        frame_seconds = 1 / source.base_rate if source.base_rate else _DEFAULT_FRAME_SECONDS
        self._frame_ticks = int(frame_seconds / (source.time_base or 1)) or 1

    def packets(self, packet: Packet[VideoStream]) -> Iterator[Packet[VideoStream]]:
        if packet.dts is None:
            if self._count < self._expected:
                raise MediaRejected("corrupt", "the video lacks some of its frames")
            return
        self._count += 1
        if self._count < self._expected and packet.duration:
            # Only the last duration counts. The others are differences of decoding times; where frames are
            # reordered around a long pause, they would make the video too long.
            packet.duration = min(packet.duration, self._frame_ticks)
        content = self._filter.filter_packet(memoryview(packet))
        packet = packet if content is None else replace_content(packet, content)
        packet.stream = self._stream
        yield packet


class AudioCopy:
    """Copies AAC without the encoder's name."""

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
