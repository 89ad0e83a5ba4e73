"""A sender's film, opened so that nothing but its index is looked at."""

from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from normalizer.media import MediaRejected

from .masked_file import MaskedFile
from .structure import Structure

#: One demuxer only, so that a playlist posing as MP4 is none; and no data in other files. The decoders
#: that libavformat would run while it probes stay shut: we decode when we want to.
_OPTIONS = {
    "codec_whitelist": "none",
    "format_whitelist": "mov",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}

#: Where picture and sound lie far apart each change between them reads so much anew.
_READ_BYTES = 1 << 15


@dataclass(frozen=True, slots=True)
class VideoSource:
    """An open film with the tracks that matter."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    boxes: Structure

    @property
    def seconds(self) -> float:
        return (self.container.duration or 0) / av.time_base


def open_video(source: int, boxes: Structure) -> VideoSource:
    """The film behind a descriptor; raises MediaRejected where it has no picture we know."""
    container = av.open(
        MaskedFile(source, boxes.end, boxes.hidden),
        format="mov",
        container_options=_OPTIONS,
        buffer_size=_READ_BYTES,
    )
    assert isinstance(container, InputContainer)
    videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not videos:
        raise MediaRejected("unsupported_type", "a film without a picture")
    video = videos[0]
    if video.codec_context is None:
        raise MediaRejected("unsupported_type", "a film in a coding we do not know")
    # Threads would be more than one processor for one sender.
    video.codec_context.thread_type = "NONE"
    video.codec_context.thread_count = 1
    audios = [s for s in container.streams.audio if s.codec_context is not None]
    return VideoSource(container, video, audios[0] if audios else None, boxes)
