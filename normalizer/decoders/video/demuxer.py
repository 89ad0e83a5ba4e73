"""A sender's video, opened so that only its index is read."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from normalizer.decoders.matroska.reading import Recording
from normalizer.decoders.photo.orientation import UPRIGHT
from normalizer.media import MediaRejected

from .masked_file import MaskedFile
from .structure import Structure

Demuxer = Literal["mov", "matroska"]

#: A single demuxer, so that a playlist cannot pose as MP4, and no data in other files. The decoders that
#: libavformat would run while probing are disabled: we decode later.
_OPTIONS: Mapping[Demuxer, dict[str, str]] = {
    "mov": {
        "codec_whitelist": "none",
        "format_whitelist": "mov",
        "enable_drefs": "0",
        "use_absolute_path": "0",
    },
    "matroska": {"codec_whitelist": "none", "format_whitelist": "matroska"},
}

#: If video and audio are far apart in the file, each switch between them reads this many bytes.
_READ_BYTES = 1 << 15

#: Seconds of sound after the time of the last packet, which may hold many frames.
_MAX_SOUND_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class CheckedVideo:
    """A sender's video after the check of its structure, and what that says."""

    demuxer: Demuxer
    #: Returns the file as a library may see it.
    content: Callable[[], Any]
    #: None for a file without an index, of which every frame was counted instead.
    boxes: Structure | None = None
    recording: Recording | None = None

    def orientation(self, video: VideoStream) -> int:
        """Return the EXIF orientation of the pictures."""
        if self.boxes:
            return self.boxes.orientation(video.id)
        track = self.recording and self.recording.tracks.picture
        return track.orientation if track else UPRIGHT


def checked_boxes(source: int, boxes: Structure) -> CheckedVideo:
    """Return the MP4 behind a descriptor."""
    return CheckedVideo("mov", lambda: MaskedFile(source, boxes.end, boxes.hidden), boxes)


def checked_recording(recording: Recording) -> CheckedVideo:
    """Return a WebM or Matroska file, as our copy of it."""
    return CheckedVideo("matroska", lambda: io.BytesIO(recording.content), recording=recording)


@dataclass(frozen=True, slots=True)
class VideoSource:
    """An open video with the tracks that are used."""

    container: InputContainer
    video: VideoStream
    audio: AudioStream | None
    checked: CheckedVideo

    @property
    def boxes(self) -> Structure | None:
        return self.checked.boxes

    @property
    def seconds(self) -> float:
        """The length: that of the index, or the time of the last frame in a file without one."""
        if self.checked.recording:
            return self.checked.recording.seconds
        return (self.container.duration or 0) / av.time_base

    @property
    def most_sound_seconds(self) -> float | None:
        """The most sound that can belong to the times of its packets; None if the times are not known."""
        recording = self.checked.recording
        return recording.seconds + _MAX_SOUND_AFTER if recording else None

    @property
    def rate(self) -> float | None:
        """Frames a second; None if the file does not tell."""
        if self.checked.recording:
            return self.checked.recording.rate
        return float(self.video.average_rate) if self.video.average_rate else None


def open_video(checked: CheckedVideo) -> VideoSource:
    """Open a video. Raise MediaRejected if it has no video track in a supported coding."""
    container = av.open(
        checked.content(),
        format=checked.demuxer,
        container_options=_OPTIONS[checked.demuxer],
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
    return VideoSource(container, video, audios[0] if audios else None, checked)
