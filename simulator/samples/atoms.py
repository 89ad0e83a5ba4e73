"""Atoms of MP4 and QuickTime files: adds hidden data to them and rotates the picture, as phones do."""

import struct
from collections.abc import Callable, Iterator
from typing import Literal

from .sample import ALTITUDE, LATITUDE, LONGITUDE, PLACE, xmp

Rotation = Literal[0, 90, 180, 270]
Change = Callable[[bytes], bytes]

_XMP_ID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_ONE = 1 << 16
#: The offset of the matrix in a track header, by the header's version.
_MATRIX_OFFSET = {0: 40, 1: 52}


def atom(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def atoms(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and content of each atom, in order."""
    position = 0
    while position < len(content):
        size, kind = struct.unpack_from(">I4s", content, position)
        header_size = 8
        if size == 1:
            (size,), header_size = struct.unpack_from(">Q", content, position + 8), 16
        yield kind, content[position + header_size : position + size]
        position += size


def location_atoms(canary: str) -> bytes:
    """Return the place where a video was made, in the QuickTime form and in the 3GPP form."""
    text = PLACE.encode()
    quicktime = atom(b"\xa9xyz", struct.pack(">HH", len(text), 0x15C7) + text)
    fixed = (round(part * _ONE) for part in (LONGITUDE, LATITUDE, ALTITUDE))
    position = struct.pack(">B3i", 0, *fixed)
    name, body = f"{canary}-place".encode(), b"earth"
    language = struct.pack(">IH", 0, 0x15C7)
    return quicktime + atom(b"loci", language + name + b"\0" + position + body + b"\0\0")


def hide(content: bytes, canary: str, *, location: bool, rotation: Rotation) -> bytes:
    """Add a place, track names, an editor's XMP packet and unused space to a video, and rotate its picture.

    The index (moov) must follow the media (mdat), so that no offset in the index changes.
    """
    kinds = [kind for kind, _ in atoms(content)]
    if kinds.index(b"mdat") > kinds.index(b"moov"):
        raise ValueError(
            "moov precedes mdat, so its offsets would become wrong; write the index last"
        )
    location_data = location_atoms(canary) if location else b""
    changed = _replace(
        content, b"moov", lambda moov: _rewrite_moov(moov, location_data, canary, rotation)
    )
    editor = atom(b"uuid", _XMP_ID + xmp(f"{canary}-xmp"))
    return changed + editor + atom(b"free", f"{canary}-trailing".encode())


def _rewrite_moov(moov: bytes, location_data: bytes, canary: str, rotation: Rotation) -> bytes:
    named = atom(b"udta", atom(b"name", f"{canary}-track".encode()))
    tracks = _replace(moov, b"trak", lambda trak: _rotate_track(trak, rotation) + named)
    if any(kind == b"udta" for kind, _ in atoms(tracks)):
        return _replace(tracks, b"udta", lambda udta: udta + location_data)
    return tracks + atom(b"udta", location_data)


def _replace(content: bytes, kind: bytes, change: Change) -> bytes:
    return b"".join(
        atom(name, change(inner) if name == kind else inner) for name, inner in atoms(content)
    )


def _rotate_track(trak: bytes, rotation: Rotation) -> bytes:
    is_video = b"vmhd" in trak
    return (
        _replace(trak, b"tkhd", lambda tkhd: _rotate_header(tkhd, rotation)) if is_video else trak
    )


def _rotate_header(tkhd: bytes, rotation: Rotation) -> bytes:
    offset = _MATRIX_OFFSET[tkhd[0]]
    width, height = struct.unpack_from(">II", tkhd, offset + 36)
    a, b, x, y = {
        0: (1, 0, 0, 0),
        90: (0, 1, height, 0),
        180: (-1, 0, width, height),
        270: (0, -1, 0, width),
    }[rotation]
    matrix = struct.pack(">9i", a * _ONE, b * _ONE, 0, -b * _ONE, a * _ONE, 0, x, y, 1 << 30)
    return tkhd[:offset] + matrix + tkhd[offset + 36 :]
