"""The audit of a finished video or sound, by code that never reads a sender's bytes.

A sandbox with a compromised decoder could write any file. This file must consist of known boxes, in the order that
browsers need, without room for text. Only pictures and sound remain free.

The audit runs in the gateway's own process, so a hostile file must not cost it much: boxes nest only as `_CHILDREN`
says, their number is bounded, and tables are checked as arrays.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from normalizer.isobmff import Box, Broken, walk

_TOP = (b"ftyp", b"moov", b"mdat")
#: The tracks that a video may have, and those of sound.
VIDEO = frozenset({(b"vide",), (b"vide", b"soun")})
SOUND = frozenset({(b"soun",)})
_NAMES = (b"VideoHandler\0", b"SoundHandler\0")

#: The boxes that a player needs, by the box that holds them (ISO/IEC 14496-12, table 1).
_CHILDREN: Mapping[bytes, frozenset[bytes]] = {
    b"moov": frozenset({b"mvhd", b"trak"}),
    b"trak": frozenset({b"tkhd", b"edts", b"mdia"}),
    b"edts": frozenset({b"elst"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"vmhd", b"smhd", b"dinf", b"stbl"}),
    b"dinf": frozenset({b"dref"}),
    b"stbl": frozenset(
        {b"stsd", b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco", b"co64"}
        | {b"sgpd", b"sbgp", b"cslg", b"sdtp"}
    ),
}
_TABLE = (b"mdia", b"minf", b"stbl")

#: Kinds of sample entries, the length of their fixed part, and the boxes they may hold.
_ENTRIES = {b"avc1": 78, b"mp4a": 28}
_ENTRY_BOXES = frozenset({b"avcC", b"esds", b"pasp", b"colr", b"btrt", b"fiel", b"mdcv", b"clli"})
_COMPRESSOR = slice(42, 74)

#: Tables of offsets into the file, and the type of their numbers.
_OFFSETS = {b"stco": ">u4", b"co64": ">u8"}

#: A video with sound has about 50.
_MAX_BOXES = 500
_MAX_SIDE = 1 << 15
_MAX_INDEX_BYTES = 64_000_000
_MAX_CONFIGURATION_BYTES = 1024


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The result of an audit. `width` and `height` are those of the upright picture, if its pixels are square.

    Sound has a size of 0 by 0.
    """

    seconds: float
    tracks: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Node:
    """A box with the boxes in it."""

    box: Box
    children: tuple["_Node", ...]

    def all(self, *path: bytes) -> list["_Node"]:
        """Return all boxes at the path of kinds."""
        found = [self]
        for kind in path:
            found = [child for node in found for child in node.children if child.box.kind == kind]
        return found

    def one(self, *path: bytes) -> Box:
        """Return the only box at the path. A player could use the other one of two."""
        match self.all(*path):
            case [only]:
                return only.box
            case found:
                raise Broken(f"the index has {len(found)} boxes {path[-1].decode()} in one place")


class _Boxes:
    """The boxes of a file, of which only a bounded number is read."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._left = _MAX_BOXES

    def within(self, start: int, end: int) -> list[Box]:
        """Return the boxes that fill `start` to `end`."""
        found = []
        for box in walk(self._data, start, end):
            self._left -= 1
            if self._left < 0:
                raise Broken(f"the index has more than {_MAX_BOXES} boxes")
            found.append(box)
            start = box.end
        if start != end:
            raise Broken("there are bytes between boxes")
        return found

    def tree(self, box: Box) -> _Node:
        """Return the box with all that is in it, each box where it belongs."""
        allowed = _CHILDREN.get(box.kind)
        if allowed is None:
            return _Node(box, ())
        children = self.within(box.body, box.end)
        if not all(child.kind in allowed for child in children):
            raise Broken("the index has a box that no player needs there")
        return _Node(box, tuple(self.tree(child) for child in children))


Tracks = frozenset[tuple[bytes, ...]]


def audit(data: memoryview, allowed: Tracks = VIDEO) -> AuditResult:
    """Check a video, or sound. Raise Broken if it is not as our own code writes it."""
    try:
        return _audit(data, allowed)
    except (struct.error, IndexError) as exc:
        raise Broken(f"the index ends too early ({type(exc).__name__})") from None


def _audit(data: memoryview, allowed: Tracks) -> AuditResult:
    boxes = _Boxes(data)
    top = boxes.within(0, len(data))
    if tuple(box.kind for box in top) != _TOP:
        raise Broken("the file does not consist of a type, an index and media")
    if top[1].end - top[1].start > _MAX_INDEX_BYTES:
        raise Broken("the index is too large")
    index, media = boxes.tree(top[1]), top[2]
    tracks = index.all(b"trak")
    kinds = tuple(_check_track(data, boxes, track, media) for track in tracks)
    if kinds not in allowed:
        raise Broken("the tracks are not those that were asked for")
    seconds = _seconds(data, index.one(b"mvhd"))
    has_picture = kinds[0] == b"vide"
    sides = _sides(data, tracks[0].one(b"tkhd")) if has_picture else (0, 0)
    return AuditResult(seconds, len(tracks), *sides)


def _check_track(data: memoryview, boxes: _Boxes, track: _Node, media: Box) -> bytes:
    handler = track.one(b"mdia", b"hdlr")
    kind = bytes(data[handler.body + 8 : handler.body + 12])
    if bytes(data[handler.body + 24 : handler.end]) not in _NAMES:
        raise Broken("a track has a name")
    for references in track.all(b"mdia", b"minf", b"dinf", b"dref"):
        if bytes(data[references.box.body : references.box.end]) != _HERE:
            raise Broken("media are in another file")
    for description in track.all(*_TABLE, b"stsd"):
        _check_description(data, boxes, description.box)
    for name, numbers in _OFFSETS.items():
        for offsets in track.all(*_TABLE, name):
            _check_offsets(data, offsets.box, np.dtype(numbers), media)
    return kind


#: A single reference, to this file.
_HERE = struct.pack(">III4sI", 0, 1, 12, b"url ", 1)


def _check_description(data: memoryview, boxes: _Boxes, box: Box) -> None:
    for entry in boxes.within(box.body + 8, box.end):
        fixed = _ENTRIES.get(entry.kind)
        if fixed is None:
            raise Broken("a track has a coding that not every browser plays")
        if entry.kind == b"avc1" and any(data[entry.body :][_COMPRESSOR]):
            raise Broken("a track names its encoder")
        for child in boxes.within(entry.body + fixed, entry.end):
            if child.kind not in _ENTRY_BOXES or child.end - child.body > _MAX_CONFIGURATION_BYTES:
                raise Broken("a track has a configuration that no player needs")
            if child.kind == b"colr" and bytes(data[child.body : child.body + 4]) != b"nclx":
                raise Broken("a track has a colour profile")


def _check_offsets(data: memoryview, box: Box, numbers: "np.dtype[np.uint64]", media: Box) -> None:
    (count,) = struct.unpack_from(">I", data, box.body + 4)
    if count * numbers.itemsize != box.end - box.body - 8:
        raise Broken("a table of offsets has the wrong length")
    # The copy lets go of the file's memory, which the caller may release while an error still holds this frame.
    offsets = np.frombuffer(bytes(data[box.body + 8 : box.end]), numbers)
    if count and not (media.body <= int(offsets.min()) and int(offsets.max()) < media.end):
        raise Broken("an offset points outside the media")


def _sides(data: memoryview, header: Box) -> tuple[int, int]:
    """Return the size in a track's header: a matrix, and both sides in 65,536ths of a pixel."""
    at = header.body + (40 if data[header.body] == 0 else 52)
    turned = struct.unpack_from(">ii", data, at)[0] == 0
    width, height = (round(side / 65536) for side in struct.unpack_from(">II", data, at + 36))
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise Broken("the video has no size")
    return (height, width) if turned else (width, height)


def _seconds(data: memoryview, header: Box) -> float:
    version = data[header.body]
    scale, duration = struct.unpack_from(
        ">II" if version == 0 else ">IQ", data, header.body + (12 if version == 0 else 20)
    )
    if not scale:
        raise Broken("the file has no time scale")
    return float(duration / scale)
