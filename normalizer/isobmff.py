"""The boxes of an MP4, QuickTime, HEIF or AVIF file (ISO/IEC 14496-12), walked without trusting a single length."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: Boxes that hold nothing but boxes.
CONTAINERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"mvex", b"moof", b"traf"}
)

#: All that a player needs of a progressive MP4; the audit refuses a file with anything else.
ALLOWED = CONTAINERS - {b"mvex", b"moof", b"traf"} | {
    b"mvhd",
    b"tkhd",
    b"elst",
    b"mdhd",
    b"hdlr",
    b"vmhd",
    b"smhd",
    b"dref",
    b"stsd",
    b"stts",
    b"ctts",
    b"stss",
    b"stsc",
    b"stsz",
    b"stco",
    b"co64",
    b"sgpd",
    b"sbgp",
    b"cslg",
    b"sdtp",
}

#: A film of a hundred fragmented hours has fewer.
_MAX_BOXES = 200_000


class Broken(Exception):
    """The boxes do not fit into one another."""


@dataclass(frozen=True, slots=True)
class Box:
    """`start` is where its header begins, `body` where its content does, `end` where the next box is."""

    kind: bytes
    start: int
    body: int
    end: int


def walk(data: memoryview, start: int, end: int) -> Iterator[Box]:
    """The boxes side by side in a stretch of the file; raises Broken where one reaches beyond it."""
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            if start + 16 > end:
                raise Broken(f"{_name(kind)} ends in its header")
            (size,) = struct.unpack_from(">Q", data, start + 8)
            body = start + 16
        elif size == 0:
            size = end - start
        if start + size > end or body > start + size:
            raise Broken(f"{_name(kind)} is longer than what holds it")
        yield Box(kind, start, body, start + size)
        start += size
    raise Broken("too many boxes")


def find_boxes(data: memoryview, box: Box, *path: bytes) -> Iterator[Box]:
    """All boxes below `box` that the path of kinds leads to."""
    if not path:
        yield box
        return
    for child in walk(data, box.body, box.end):
        if child.kind == path[0]:
            yield from find_boxes(data, child, *path[1:])


def _name(kind: bytes) -> str:
    return "".join(chr(c) if 32 < c < 127 else "?" for c in kind)
