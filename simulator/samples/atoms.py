"""Hides things in the atoms of an MP4 or QuickTime file, and turns its picture, as phones do."""

import struct
from collections.abc import Callable, Iterator
from typing import Literal

from .sample import ALTITUDE, LATITUDE, LONGITUDE, PLACE, xmp

Rotation = Literal[0, 90, 180, 270]
Change = Callable[[bytes], bytes]

_XMP_ID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_ONE = 1 << 16
#: Where the matrix stands in a track header, by the header's version.
_MATRIX_AT = {0: 40, 1: 52}


def atom(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def atoms(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and content of each atom, one after the other."""
    position = 0
    while position < len(content):
        size, kind = struct.unpack_from(">I4s", content, position)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", content, position + 8), 16
        yield kind, content[position + head : position + size]
        position += size


def place(canary: str) -> bytes:
    """Where a film was made: as QuickTime writes it, and as phones of the 3GPP family do."""
    words = PLACE.encode()
    quicktime = atom(b"\xa9xyz", struct.pack(">HH", len(words), 0x15C7) + words)
    fixed = (round(part * _ONE) for part in (LONGITUDE, LATITUDE, ALTITUDE))
    where = struct.pack(">B3i", 0, *fixed)
    name, body = f"{canary}-place".encode(), b"earth"
    language = struct.pack(">IH", 0, 0x15C7)
    return quicktime + atom(b"loci", language + name + b"\0" + where + body + b"\0\0")


def hidden(film: bytes, canary: str, *, location: bool, rotation: Rotation) -> bytes:
    """The film with a place, names of its tracks, an editor's packet and unused space; its picture turned.

    The index has to stand behind the media, so that no offset in it changes.
    """
    kinds = [kind for kind, _ in atoms(film)]
    if kinds.index(b"mdat") > kinds.index(b"moov"):
        raise ValueError("the index stands first: its offsets would be wrong")
    notes = place(canary) if location else b""
    changed = _changed(film, b"moov", lambda moov: _indexed(moov, notes, canary, rotation))
    editor = atom(b"uuid", _XMP_ID + xmp(f"{canary}-xmp"))
    return changed + editor + atom(b"free", f"{canary}-trailing".encode())


def _indexed(moov: bytes, notes: bytes, canary: str, rotation: Rotation) -> bytes:
    named = atom(b"udta", atom(b"name", f"{canary}-track".encode()))
    tracks = _changed(moov, b"trak", lambda trak: _turned(trak, rotation) + named)
    if any(kind == b"udta" for kind, _ in atoms(tracks)):
        return _changed(tracks, b"udta", lambda udta: udta + notes)
    return tracks + atom(b"udta", notes)


def _changed(content: bytes, kind: bytes, change: Change) -> bytes:
    return b"".join(
        atom(name, change(inner) if name == kind else inner) for name, inner in atoms(content)
    )


def _turned(trak: bytes, rotation: Rotation) -> bytes:
    is_picture = b"vmhd" in trak
    return _changed(trak, b"tkhd", lambda tkhd: _turn(tkhd, rotation)) if is_picture else trak


def _turn(tkhd: bytes, rotation: Rotation) -> bytes:
    at = _MATRIX_AT[tkhd[0]]
    width, height = struct.unpack_from(">II", tkhd, at + 36)
    a, b, x, y = {
        0: (1, 0, 0, 0),
        90: (0, 1, height, 0),
        180: (-1, 0, width, height),
        270: (0, -1, 0, width),
    }[rotation]
    matrix = struct.pack(">9i", a * _ONE, b * _ONE, 0, -b * _ONE, a * _ONE, 0, x, y, 1 << 30)
    return tkhd[:at] + matrix + tkhd[at + 36 :]
