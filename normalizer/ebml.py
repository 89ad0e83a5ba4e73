"""The elements of a WebM or Matroska file (EBML, RFC 8794; Matroska, RFC 9559). No length is trusted."""

import math
import struct
from collections.abc import Iterator, Mapping
from typing import NamedTuple

#: Elements at the top of a file.
HEADER, SEGMENT = 0x1A45DFA3, 0x18538067
DOC_TYPE = 0x4282
#: Elements of a segment.
INFO, TRACKS, CLUSTER = 0x1549A966, 0x1654AE6B, 0x1F43B675
#: Elements of the table of tracks.
TRACK_ENTRY, TRACK_TYPE = 0xAE, 0x83
#: Values of a track's type.
PICTURES, SOUND = 1, 2

#: The first bytes of every file.
SIGNATURE = HEADER.to_bytes(4, "big")

#: More elements in one place are an attack.
_MAX_CHILDREN = 2000

_MAX_ID_BYTES, _MAX_NUMBER_BYTES = 4, 8

#: Decimal numbers by their length in bytes.
_DECIMALS: Mapping[int, str] = {4: ">f", 8: ">d"}


class Broken(Exception):
    """The elements of a file contradict each other."""


class Element(NamedTuple):
    """An element. `start` is the offset of its header, `body` that of its content, `end` that of the next element.

    `end` is None if the file leaves the size open, as live recordings do. It may lie beyond the end of the file.
    """

    kind: int
    start: int
    body: int
    end: int | None


def parse(data: bytes | memoryview, at: int) -> Element | None:
    """Return the element at an offset, or None if no header is there, or only a part of one."""
    length = len(data)
    if at >= length:
        return None
    width = 9 - data[at].bit_length()
    place = at + width
    if width > _MAX_ID_BYTES or place >= length:
        return None
    kind = int.from_bytes(data[at:place], "big")
    width = 9 - data[place].bit_length()
    body = place + width
    if width > _MAX_NUMBER_BYTES or body > length:
        return None
    mask = (1 << 7 * width) - 1
    size = int.from_bytes(data[place:body], "big") & mask
    return Element(kind, at, body, None if size == mask else body + size)


def children(data: bytes | memoryview, start: int, end: int) -> Iterator[Element]:
    """Yield the elements between two offsets. Raise Broken if one reaches beyond `end`, or leaves its size open."""
    for _ in range(_MAX_CHILDREN):
        if start >= end:
            return
        found = parse(data, start)
        if found is None or found.end is None or found.end > end:
            raise Broken("an element is longer than its parent")
        yield found
        start = found.end
    raise Broken(f"there are more than {_MAX_CHILDREN} elements in one place")


def number(data: bytes | memoryview, element: Element) -> int:
    """Return the content of an element as an unsigned number. Raise Broken if it has more than eight bytes."""
    content = content_of(data, element, _MAX_NUMBER_BYTES)
    return int.from_bytes(content, "big")


def decimal(data: bytes | memoryview, element: Element) -> float:
    """Return the content of an element as a decimal number; 0 for one that is not finite or not well-formed."""
    content = content_of(data, element, _MAX_NUMBER_BYTES)
    form = _DECIMALS.get(len(content))
    value = float(struct.unpack(form, content)[0]) if form else 0.0
    return value if math.isfinite(value) else 0.0


def content_of(data: bytes | memoryview, element: Element, most: int) -> bytes:
    """Return the content of an element. Raise Broken if it has more bytes than `most`."""
    if element.end is None or element.end - element.body > most:
        raise Broken(f"an element has more than {most} bytes")
    return bytes(data[element.body : element.end])
