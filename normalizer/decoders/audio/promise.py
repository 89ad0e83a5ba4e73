"""What a file promises about its length, compared with what came out of it."""

import re
from collections.abc import Callable, Mapping

from normalizer.decoders.matroska.reading import Recording
from normalizer.sound import SoundFormat, end_of_id3

from .source import SoundSource

#: Encoders begin with silence and fill their last frame, of which the promise may or may not know.
_TOLERANCE_SECONDS = 0.3

#: Samples in a frame of AAC with spectral band replication, at the rate of the result.
_LONGEST_FRAME = 2048

_WITHOUT_INDEX = frozenset({"aac", "amr"})

#: MP3 states its length in its first frame, or not at all (a "Xing" header, which LAME calls "Info" at constant rates).
_MP3_TABLE = re.compile(rb"(?:Xing|Info)\x00{3}(?P<flags>.)(?P<count>.{4})", re.DOTALL)
_HAS_COUNT = 1
_FIRST_FRAME_BYTES = 200

_MAX_BLOCKS, _UNKNOWN_SIZE = 10_000, 0xFFFFFFFF

#: A promise that no length keeps.
_NEVER_KEPT = float("inf")

#: The header of an Ogg page (RFC 3533, 6): pattern, version, flags, and a table of lengths at its end.
_PAGE, _FLAGS, _LENGTHS, _LAST_PAGE = b"OggS\0", 5, 26, 4


def keeps_promise(
    data: memoryview, format: SoundFormat, source: SoundSource, seconds: float
) -> bool:
    """Whether as much sound came out as the file promises; true for a file that promises nothing.

    Without an error, a library plays half of a file to its end.
    """
    promised = _PROMISES.get(format, _nothing)(data, source)
    return promised is None or seconds >= promised - _TOLERANCE_SECONDS


def recording_keeps_promise(recording: Recording, seconds: float) -> bool:
    """Whether as much sound came out of a WebM or Matroska file as it promises.

    Where blocks are unreadable, the times of the others are a promise, too.
    """
    promised = max(recording.stated_seconds or 0.0, recording.seconds if recording.gaps else 0.0)
    return not recording.is_cut and seconds >= promised - _TOLERANCE_SECONDS


def is_mostly_sound(format: SoundFormat, size: int, used: int) -> bool:
    """Whether the packets of a file without an index make up its bytes, of which a tenth may be something else."""
    return format not in _WITHOUT_INDEX or used * 10 >= size * 9


def padding_seconds(format: SoundFormat, source: SoundSource, seconds: float) -> float:
    """Return the silence with which an encoder filled the last frame of an MP4, as its index says; 0 if none.

    Players leave it out. Whatever the index says, it is shorter than a frame.
    """
    rate, promised = source.decoder.sample_rate, _track(memoryview(b""), source)
    if format != "m4a" or not rate or promised is None:
        return 0.0
    surplus = seconds - promised
    return surplus if 0 < surplus <= _LONGEST_FRAME / rate else 0.0


def _nothing(data: memoryview, source: SoundSource) -> None:
    del data, source


def _track(data: memoryview, source: SoundSource) -> float | None:
    del data
    track = source.track
    if track.duration is None or track.time_base is None:
        return source.claimed_seconds
    return float(track.duration * track.time_base)


def _mp3(data: memoryview, source: SoundSource) -> float | None:
    start = end_of_id3(data)
    frame = bytes(data[start : start + _FIRST_FRAME_BYTES])
    table = _MP3_TABLE.search(frame)
    if table is None or not table["flags"][0] & _HAS_COUNT or not source.track.rate:
        return None
    is_first_version = frame[1] >> 3 & 3 == 3
    samples = 1152 if is_first_version else 576
    return int.from_bytes(table["count"], "big") * samples / source.track.rate


def _wav(data: memoryview, source: SoundSource) -> float | None:
    """A WAV file promises the bytes of its sound. A recorder that does not know them writes 0 or the largest number."""
    at = 12
    for _ in range(_MAX_BLOCKS):
        if at + 8 > len(data):
            return _NEVER_KEPT
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if bytes(data[at : at + 4]) == b"data":
            is_cut = size not in {0, _UNKNOWN_SIZE} and at + 8 + size > len(data)
            return _NEVER_KEPT if is_cut else _track(data, source)
        at += 8 + size + size % 2
    return None


def _ogg(data: memoryview, source: SoundSource) -> float | None:
    """An Ogg file promises to end with a page that says so (RFC 7845, 3), which also states the length."""
    return _track(data, source) if _ends_whole(bytes(data[-_TAIL_BYTES:])) else _NEVER_KEPT


#: The largest page.
_TAIL_BYTES = 27 + 255 + 255 * 255


def _ends_whole(tail: bytes) -> bool:
    start = tail.rfind(_PAGE)
    if start < 0 or start + _LENGTHS >= len(tail):
        return False
    table = tail[start + _LENGTHS + 1 :][: tail[start + _LENGTHS]]
    end = start + _LENGTHS + 1 + tail[start + _LENGTHS] + sum(table)
    return bool(tail[start + _FLAGS] & _LAST_PAGE) and end <= len(tail)


_PROMISES: Mapping[SoundFormat, Callable[[memoryview, SoundSource], float | None]] = {
    **dict.fromkeys(("m4a", "flac", "aiff", "caf"), _track),
    "wav": _wav,
    "mp3": _mp3,
    "ogg": _ogg,
}
