"""A large JPEG encoded in bands, by several threads and while the rest is still being decoded, then joined.

Every band is one restart interval of the whole (ISO/IEC 10918-1, B.2.4.4 and F.1.1.5.2): the coder restarts there,
so the parts can be concatenated unchanged.
"""

import struct
from collections.abc import Sequence

from normalizer.canvas import BAND_ROWS

_BLOCK = 16

_SOF, _SOS, _DRI = 0xC0, 0xDA, 0xDD
_END = b"\xff\xd9"
_MARKERS = 8


def join_bands(parts: Sequence[bytes], size: tuple[int, int]) -> bytes:
    """Join the bands of a picture of that size into one JPEG. All bands have the same settings."""
    head, first = _split(parts[0])
    pieces = [_with_height(head, size[1]), _restart_interval(size[0]), first]
    for number, part in enumerate(parts[1:]):
        header, scan = _split(part)
        pieces += [bytes([0xFF, 0xD0 + number % _MARKERS]), scan[_segment_length(scan, 0) :]]
        assert len(header) == len(head), "the bands have different settings"
    return b"".join([*pieces, _END])


def _split(part: bytes) -> tuple[bytes, bytes]:
    """Return the header before the scan, and the scan without the end marker."""
    at = 2
    while part[at + 1] != _SOS:
        at += _segment_length(part, at)
    return part[:at], part[at : -len(_END)]


def _with_height(head: bytes, height: int) -> bytes:
    at = 2
    while head[at + 1] != _SOF:
        at += _segment_length(head, at)
    return head[: at + 5] + struct.pack(">H", height) + head[at + 7 :]


def _restart_interval(width: int) -> bytes:
    """Return the segment that states how many blocks lie between two restarts."""
    return struct.pack(">BBHH", 0xFF, _DRI, 4, -(-width // _BLOCK) * (BAND_ROWS // _BLOCK))


def _segment_length(data: bytes, at: int) -> int:
    """Return the length of the segment at `at`, including its marker."""
    (length,) = struct.unpack_from(">H", data, at + 2)
    return int(length) + 2
