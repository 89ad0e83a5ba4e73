"""The boxes of an MP4, QuickTime, HEIF or AVIF file (ISO/IEC 14496-12). The walk trusts no length."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: Boxes that hold only boxes.
CONTAINERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"mvex", b"moof", b"traf"}
)

#: The boxes that a player needs of a progressive MP4. The audit refuses a file with any other.
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

#: A hundred hours of fragmented video have fewer.
_MAX_BOXES = 200_000


class Broken(Exception):
    """The boxes of a file contradict each other."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box. `start` is the offset of its header, `body` that of its content, `end` that of the next box."""

    kind: bytes
    start: int
    body: int
    end: int


def walk(data: memoryview, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between `start` and `end`. Raise Broken if one reaches beyond `end`."""
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            if start + 16 > end:
                raise Broken(f"the box {_name(kind)} ends within its header")
            (size,) = struct.unpack_from(">Q", data, start + 8)
            body = start + 16
        elif size == 0:
            size = end - start
        if start + size > end or body > start + size:
            raise Broken(f"the box {_name(kind)} is longer than its parent")
        yield Box(kind, start, body, start + size)
        start += size
    raise Broken("there are too many boxes")


def find_boxes(data: memoryview, box: Box, *path: bytes) -> Iterator[Box]:
    """Yield all boxes below `box` at the path of kinds."""
    if not path:
        yield box
        return
    for child in walk(data, box.body, box.end):
        if child.kind == path[0]:
            yield from find_boxes(data, child, *path[1:])


def _name(kind: bytes) -> str:
    return "".join(chr(c) if 32 < c < 127 else "?" for c in kind)
