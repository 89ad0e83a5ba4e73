"""Blocks: one or several frames of a track, with a time (RFC 9559, 10). Their lengths are checked, not trusted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from normalizer.ebml import Broken, Element, content_of, number

from .segment import SIMPLE_BLOCK, Segment

_BLOCK, _DURATION, _REFERENCE, _DISCARD = 0xA1, 0x9B, 0xFB, 0x75A2

#: Flags of a block, and ways in which it holds several frames.
KEY_FRAME, LACING = 0x80, 0x06
_NO_LACING, _XIPH, _FIXED, _EBML = 0, 2, 4, 6

#: A relative time of two bytes, and the flags.
_HEAD_BYTES = 3


class Block(NamedTuple):
    """A block. `start` and `end` are the offsets of its frames, with the table of their lengths."""

    track: int
    relative: int
    flags: int
    start: int
    end: int
    frames: int


@dataclass(frozen=True, slots=True)
class Group:
    """A block with what its group says of it: how long it is shown, and the sound to leave out at its end."""

    block: Block
    duration: int | None
    discard: bytes | None


def read(segment: Segment, element: Element) -> Block | Group | None:
    """Return the content of a simple block or of a group, or None if it holds no frame.

    Raise Broken if its lengths disagree.
    """
    if element.kind == SIMPLE_BLOCK:
        return _block(segment.data, element)
    return _group(segment, element)


def _group(segment: Segment, element: Element) -> Group | None:
    data = segment.data
    found: dict[int, Element] = {}
    for child in segment.children(element):
        found.setdefault(child.kind, child)
    if _BLOCK not in found:
        return None
    block = _block(data, found[_BLOCK])
    if block is None:
        return None
    # In a group, a frame is a key frame if it refers to no other.
    flags = block.flags & LACING | (0 if _REFERENCE in found else KEY_FRAME)
    duration = number(data, found[_DURATION]) if _DURATION in found else None
    discard = content_of(data, found[_DISCARD], 8) if _DISCARD in found else None
    return Group(block._replace(flags=flags), duration, discard)


def _block(data: memoryview, element: Element) -> Block | None:
    start, end = element.body, element.end
    assert end is not None
    if start >= end:
        return None
    width = 9 - data[start].bit_length()
    body = start + width + _HEAD_BYTES
    if width > 8 or body > end:
        raise Broken("a block is too short")
    track = int.from_bytes(data[start : start + width], "big") & ((1 << 7 * width) - 1)
    relative = int.from_bytes(data[start + width : start + width + 2], "big", signed=True)
    flags = data[body - 1]
    if body == end:
        return None
    frames = _checked_lengths(data, body, end, flags & LACING) if flags & LACING else 1
    return Block(track, relative, flags, body, end, frames)


def _checked_lengths(data: memoryview, start: int, end: int, lacing: int) -> int:
    """Return the number of frames in a block of several. Raise Broken if one is empty or they do not fit."""
    frames = data[start] + 1
    start += 1
    if lacing == _FIXED:
        if start == end or (end - start) % frames:
            raise Broken("the frames of a block differ in length")
        return frames
    lengths = _xiph(data, start, end) if lacing == _XIPH else _ebml(data, start, end)
    for _ in range(frames - 1):
        length, start = next(lengths, (0, end))
        if length <= 0:
            raise Broken("a frame of a block is empty")
        end -= length
    # What remains is the last frame, whose length is not stated.
    if start >= end:
        raise Broken("the frames of a block do not fit into it")
    return frames


def _xiph(data: memoryview, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield lengths, and the offset after each: bytes of 255, and a smaller one."""
    length = 0
    while at < end:
        byte = data[at]
        length, at = length + byte, at + 1
        if byte < 255:
            yield length, at
            length = 0


def _ebml(data: memoryview, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield lengths, and the offset after each: a number, and differences to the length before."""
    length, first = 0, True
    while at < end:
        width = 9 - data[at].bit_length()
        if width > 8 or at + width > end:
            return
        value = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
        length += value if first else value - ((1 << 7 * width - 1) - 1)
        at, first = at + width, False
        yield length, at
