"""Orientation: read from EXIF or XMP without trusting them, applied to pixels."""

import re
import struct
from collections.abc import Callable

from .pixel_memory import Pixels

UPRIGHT = 1

#: The inverse of each of the eight orientations.
INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}

_TAG = 0x0112
_SHORT = 3
_MAX_ENTRIES = 1024

_XMP = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*(\d)")
_MAX_XMP_BYTES = 1_000_000

#: EXIF's eight orientations as views, which cost nothing until they are copied.
_VIEWS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.T,
    6: lambda p: p[::-1].T,
    7: lambda p: p[::-1, ::-1].T,
    8: lambda p: p[:, ::-1].T,
}


def swaps_sides(orientation: int) -> bool:
    return orientation >= 5


def upright_view(pixels: Pixels, orientation: int) -> Pixels:
    """Return an upright view of the pixels."""
    return _VIEWS[orientation](pixels)


def from_exif(exif: bytes) -> int | None:
    """Return the orientation in an EXIF block, or None if it is missing or invalid."""
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", block, 4)
    return _of_directory(block, start, order)


def from_metadata(exif: bytes, xmp: bytes) -> int:
    """Return the orientation of EXIF, which cameras and editing software write, or else of XMP."""
    return from_exif(exif) or from_xmp(xmp) or UPRIGHT


def from_xmp(xmp: bytes) -> int | None:
    """Return the orientation in an XMP packet, which editors of PNG write."""
    found = _XMP.search(xmp, 0, _MAX_XMP_BYTES)
    value = int(found[1]) if found else None
    return value if value in _VIEWS else None


def _of_directory(block: bytes, start: int, order: str) -> int | None:
    if start + 2 > len(block):
        return None
    (count,) = struct.unpack_from(order + "H", block, start)
    for index in range(min(count, _MAX_ENTRIES)):
        at = start + 2 + 12 * index
        if at + 12 > len(block):
            break
        tag, kind, _, value, _ = struct.unpack_from(order + "HHIHH", block, at)
        if (tag, kind) == (_TAG, _SHORT):
            return value if value in _VIEWS else None
    return None
