"""Plain facts of sound: the formats that are read, the tags before them, and the numbers between two sandboxes.

The numbers are signed and have 16 bits, in the machine's order, channels interleaved. They are in shared memory
between the sandbox that decodes and the one that encodes.
"""

from dataclasses import dataclass
from typing import Literal

#: The formats of sound, named for the container; AAC and MP3 have none.
SoundFormat = Literal[
    "m4a", "ogg", "amr", "mp3", "aac", "flac", "wav", "aiff", "caf", "webm", "asf"
]

#: Two hours of a single channel at the lowest rate fit.
MAX_BYTES = 256 << 20

#: Bars of a waveform.
BARS = 64

RATES = (16_000, 24_000, 44_100, 48_000)

_BYTES_PER_NUMBER = 2


@dataclass(frozen=True, slots=True)
class Form:
    """Samples a second, and channels."""

    rate: int
    channels: Literal[1, 2]

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * _BYTES_PER_NUMBER

    @property
    def layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def bytes_for(self, seconds: float) -> float:
        return seconds * self.rate * self.frame_bytes

    def whole_bytes(self, seconds: float) -> int:
        """Return the bytes of so many seconds, in whole samples of all channels."""
        return int(seconds * self.rate) * self.frame_bytes

    def seconds(self, size: int) -> float:
        """Return the length of `size` bytes."""
        return size / (self.rate * self.frame_bytes)


#: A tag before the sound, with the song's name and cover (https://id3.org/id3v2.4.0-structure).
_HEADER_BYTES = 10
_HAS_FOOTER = 0x10


#: Editors add a tag before an older one.
_MAX_TAGS = 8


def end_of_id3(start: bytes | memoryview) -> int:
    """Return where the tags at the start of a file end; 0 if there are none."""
    at = 0
    for _ in range(_MAX_TAGS):
        length = _tag_length(bytes(start[at : at + _HEADER_BYTES]))
        if not length:
            break
        at += length
    return at


def _tag_length(header: bytes) -> int:
    if len(header) < _HEADER_BYTES or header[:3] != b"ID3" or header[3] not in {2, 3, 4}:
        return 0
    size = 0
    for byte in header[6:]:
        size = size << 7 | byte & 0x7F
    return _HEADER_BYTES + size + (_HEADER_BYTES if header[5] & _HAS_FOOTER else 0)
