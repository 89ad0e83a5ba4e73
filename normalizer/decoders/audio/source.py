"""A sender's sound file, opened by one demuxer, with its first sound track."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import InputContainer

from normalizer.decoders.video.masked_file import MaskedFile
from normalizer.media import MediaRejected
from normalizer.sound import SoundFormat

from .visible import VisibleFile

#: By format: the only demuxer that may read the file, so that a playlist cannot pose as sound.
_DEMUXERS: Mapping[SoundFormat, str] = {
    "m4a": "mov",
    "ogg": "ogg",
    "amr": "amr",
    "mp3": "mp3",
    "aac": "aac",
    "flac": "flac",
    "wav": "wav",
    "aiff": "aiff",
    "caf": "caf",
    "webm": "matroska",
    "asf": "asf",
}

#: The decoders that libavformat would run while probing are disabled: we decode later. No data in other files.
_OPTIONS = {"codec_whitelist": "none"}
_MOV_OPTIONS = {"enable_drefs": "0", "use_absolute_path": "0"}

#: The decoder that FFmpeg would choose cannot decode the silence between words: half of a voice message is lost.
_DECODERS = {"amr_nb": "libopencore_amrnb", "amr_wb": "libopencore_amrwb"}

_READ_BYTES = 1 << 15


@dataclass(frozen=True, slots=True)
class SoundSource:
    """An open file with its first track."""

    container: InputContainer
    track: AudioStream
    decoder: AudioCodecContext

    @property
    def claimed_seconds(self) -> float:
        """The length that the file claims; 0 if it claims none. It is a hint, never a fact."""
        return max(0.0, (self.container.duration or 0) / av.time_base)


def open_sound(file: VisibleFile | MaskedFile | io.BytesIO, format: SoundFormat) -> SoundSource:
    """Open a sound file. Raise MediaRejected if it has no sound in a supported coding."""
    demuxer = _DEMUXERS[format]
    container = av.open(
        file,
        format=demuxer,
        container_options={
            **_OPTIONS,
            "format_whitelist": demuxer,
            **(_MOV_OPTIONS if demuxer == "mov" else {}),
        },
        buffer_size=_READ_BYTES,
    )
    assert isinstance(container, InputContainer)
    tracks = list(container.streams.audio)
    if not tracks:
        raise MediaRejected("unsupported_type", "the file has no sound")
    track = tracks[0]
    if track.codec_context is None:
        raise MediaRejected("unsupported_type", "the sound has an unsupported coding")
    decoder = _decoder(track)
    # Threads would use more than one processor for one sender.
    decoder.thread_type, decoder.thread_count = "NONE", 1
    return SoundSource(container, track, decoder)


def _decoder(track: AudioStream) -> AudioCodecContext:
    named = _DECODERS.get(track.codec_context.codec.canonical_name)
    if named is None:
        return track.codec_context
    decoder = av.CodecContext.create(named, "r")
    assert isinstance(decoder, AudioCodecContext)
    return decoder
