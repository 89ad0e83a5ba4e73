"""The audit of a finished video, by code that never reads a sender's bytes.

A sandbox with a compromised decoder could write any file. This file must consist of known boxes, in the order that
browsers need, without room for text. Only pictures and sound remain free.
"""

import struct
from dataclasses import dataclass

from normalizer.isobmff import ALLOWED, CONTAINERS, Box, Broken, find_boxes, walk

_TOP = (b"ftyp", b"moov", b"mdat")
_TRACKS = (b"vide", b"soun")
_NAMES = (b"VideoHandler\0", b"SoundHandler\0")

#: Kinds of sample entries, the length of their fixed part, and the boxes they may hold.
_ENTRIES = {b"avc1": 78, b"mp4a": 28}
_ENTRY_BOXES = frozenset({b"avcC", b"esds", b"pasp", b"colr", b"btrt", b"fiel", b"mdcv", b"clli"})
_COMPRESSOR = slice(42, 74)

_MAX_SIDE = 1 << 15
_MAX_INDEX_BYTES = 64_000_000
_MAX_CONFIGURATION_BYTES = 1024


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The result of an audit. `width` and `height` are those of the upright picture, if its pixels are square."""

    seconds: float
    tracks: int
    width: int
    height: int


def audit(data: memoryview) -> AuditResult:
    """Check a video. Raise Broken if it is not as our own code writes it."""
    try:
        return _audit(data)
    except (struct.error, IndexError, StopIteration) as exc:
        raise Broken(f"the index ends too early ({type(exc).__name__})") from None


def _audit(data: memoryview) -> AuditResult:
    top = list(walk(data, 0, len(data)))
    if tuple(box.kind for box in top) != _TOP or top[-1].end != len(data):
        raise Broken("the video does not consist of a type, an index and media")
    index, media = top[1], top[2]
    if index.end - index.start > _MAX_INDEX_BYTES:
        raise Broken("the index is too large")
    _check_kinds(data, index)
    tracks = list(find_boxes(data, index, b"trak"))
    kinds = tuple(_check_track(data, track, media) for track in tracks)
    if kinds not in {_TRACKS[:1], _TRACKS}:
        raise Broken("the tracks are not one video and at most one audio track")
    seconds = _seconds(data, next(find_boxes(data, index, b"mvhd")))
    return AuditResult(
        seconds, len(tracks), *_sides(data, next(find_boxes(data, tracks[0], b"tkhd")))
    )


def _check_kinds(data: memoryview, box: Box) -> None:
    end = box.body
    for child in walk(data, box.body, box.end):
        if child.kind not in ALLOWED:
            raise Broken("the index has a box that no player needs")
        if child.kind in CONTAINERS:
            _check_kinds(data, child)
        end = child.end
    if end != box.end:
        raise Broken("there are bytes between boxes")


def _check_track(data: memoryview, track: Box, media: Box) -> bytes:
    handler = next(find_boxes(data, track, b"mdia", b"hdlr"))
    kind = bytes(data[handler.body + 8 : handler.body + 12])
    if bytes(data[handler.body + 24 : handler.end]) not in _NAMES:
        raise Broken("a track has a name")
    for references in find_boxes(data, track, b"mdia", b"minf", b"dinf", b"dref"):
        if bytes(data[references.body : references.end]) != _HERE:
            raise Broken("media are in another file")
    table = b"mdia", b"minf", b"stbl"
    for description in find_boxes(data, track, *table, b"stsd"):
        _check_description(data, description)
    for name, form, size in ((b"stco", "I", 4), (b"co64", "Q", 8)):
        for offsets in find_boxes(data, track, *table, name):
            _check_offsets(data, offsets, form, size, media)
    return kind


#: A single reference, to this file.
_HERE = struct.pack(">III4sI", 0, 1, 12, b"url ", 1)


def _check_description(data: memoryview, box: Box) -> None:
    for entry in walk(data, box.body + 8, box.end):
        fixed = _ENTRIES.get(entry.kind)
        if fixed is None:
            raise Broken("a track has a coding that not every browser plays")
        if entry.kind == b"avc1" and any(data[entry.body :][_COMPRESSOR]):
            raise Broken("a track names its encoder")
        for child in walk(data, entry.body + fixed, entry.end):
            if child.kind not in _ENTRY_BOXES or child.end - child.body > _MAX_CONFIGURATION_BYTES:
                raise Broken("a track has a configuration that no player needs")
            if child.kind == b"colr" and bytes(data[child.body : child.body + 4]) != b"nclx":
                raise Broken("a track has a colour profile")


def _check_offsets(data: memoryview, box: Box, form: str, size: int, media: Box) -> None:
    (count,) = struct.unpack_from(">I", data, box.body + 4)
    if count * size != box.end - box.body - 8:
        raise Broken("a table of offsets has the wrong length")
    offsets = struct.unpack_from(f">{count}{form}", data, box.body + 8)
    if offsets and not (media.body <= min(offsets) and max(offsets) < media.end):
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
        raise Broken("the video has no time scale")
    return float(duration / scale)
