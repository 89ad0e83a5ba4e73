"""A sender's video, opened so that only its index is read."""

from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from normalizer.media import MediaRejected

from .masked_file import MaskedFile
from .structure import Structure

#: A single demuxer, so that a playlist cannot pose as MP4, and no data in other files. The decoders that
#: libavformat would run while probing are disabled: we decode later.
_OPTIONS = {
    "codec_whitelist": "none",
    "format_whitelist": "mov",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}

#: If video and audio are far apart in the file, each switch between them reads this many bytes.
_READ_BYTES = 1 << 15


@dataclass(frozen=True, slots=True)
class VideoSource:
    """An open video with the tracks that are used."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    boxes: Structure

    @property
    def seconds(self) -> float:
        return (self.container.duration or 0) / av.time_base


def open_video(source: int, boxes: Structure) -> VideoSource:
    """Open the video behind a descriptor. Raise MediaRejected if it has no video track in a supported coding."""
    container = av.open(
        MaskedFile(source, boxes.end, boxes.hidden),
        format="mov",
        container_options=_OPTIONS,
        buffer_size=_READ_BYTES,
    )
    assert isinstance(container, InputContainer)
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        raise MediaRejected("unsupported_type", "the file has no video track")
    video = videos[0]
    if video.codec_context is None:
        raise MediaRejected("unsupported_type", "the video has an unsupported coding")
    # Threads would use more than one processor for one sender.
    video.codec_context.thread_type = "NONE"
    video.codec_context.thread_count = 1
    audios = [s for s in container.streams.audio if s.codec_context is not None]
    return VideoSource(container, video, audios[0] if audios else None, boxes)
