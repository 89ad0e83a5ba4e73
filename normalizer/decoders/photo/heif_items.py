"""What the boxes of a HEIF or AVIF say of its primary picture (ISO/IEC 23008-12), where libraries do not heed it."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import chain, islice
from typing import Literal

from normalizer.canvas import Size
from normalizer.isobmff import Box, Broken, find_boxes, walk

#: The upper left corner, then the lower right one.
Crop = tuple[int, int, int, int]

Side = Literal["left", "top", "right", "bottom"]

#: Where a side comes to lie: by a quarter turn against the clock, and by mirroring along each axis.
_ROTATED: Mapping[Side, Side] = {"right": "top", "top": "left", "left": "bottom", "bottom": "right"}
_MIRRORED: Sequence[Mapping[Side, Side]] = (
    {"top": "bottom", "bottom": "top"},
    {"left": "right", "right": "left"},
)

#: The other properties of a picture are none of our business.
_CROP, _ROTATION, _MIRROR = b"clap", b"irot", b"imir"

_FULL_BOX_BYTES = 4

#: A photo in tiles has a hundred items.
_MAX_ITEMS = 20_000


def properties(data: memoryview) -> Mapping[bytes, bytes]:
    """The contents of the primary picture's properties by their kinds; empty where that cannot be told."""
    try:
        top = (box for box in walk(data, 0, len(data)) if box.kind == b"meta")
        return {
            box.kind: bytes(data[box.body : box.end])
            for meta in islice(top, 1)
            for box in _properties(data, replace(meta, body=meta.body + _FULL_BOX_BYTES))
        }
    except (Broken, struct.error, IndexError):
        return {}


def states_orientation(found: Mapping[bytes, bytes]) -> bool:
    """Whether the boxes themselves say how the picture lies."""
    return _ROTATION in found or _MIRROR in found


def overhang(found: Mapping[bytes, bytes]) -> AbstractSet[Side] | None:
    """Where the last tiles of a picture reach over its edge, as it is seen; None where that is hard to tell."""
    sides: AbstractSet[Side] = {"right", "bottom"}
    for kind, content in found.items():
        if kind == _CROP:
            return None
        if kind == _ROTATION:
            for _ in range(content[0] & 3):
                sides = {_ROTATED[side] for side in sides}
        elif kind == _MIRROR:
            mirrored = _MIRRORED[content[0] & 1]
            sides = {mirrored.get(side, side) for side in sides}
    return sides


def crop(found: Mapping[bytes, bytes], size: Size) -> Crop | None:
    """The part of a stored picture that is meant to be seen (clean aperture); None where that is all of it."""
    if len(found.get(_CROP, b"")) != struct.calcsize(">8I"):
        return None
    values = struct.unpack(">IIIIiIiI", found[_CROP])
    if 0 in values[1::2]:
        return None
    width, height, right, down = (a / b for a, b in zip(values[::2], values[1::2], strict=True))
    left, top = round((size[0] - width) / 2 + right), round((size[1] - height) / 2 + down)
    box = (left, top, left + round(width), top + round(height))
    fits = 0 <= box[0] < box[2] <= size[0] and 0 <= box[1] < box[3] <= size[1]
    return box if fits and box != (0, 0, *size) else None


def _properties(data: memoryview, meta: Box) -> Iterator[Box]:
    primary = [_primary(data, box) for box in find_boxes(data, meta, b"pitm")]
    containers = find_boxes(data, meta, b"iprp", b"ipco")
    all_properties = [box for each in containers for box in walk(data, each.body, each.end)]
    boxes = find_boxes(data, meta, b"iprp", b"ipma")
    associations = islice(
        chain.from_iterable(_associations(data, box) for box in boxes), _MAX_ITEMS
    )
    for index in chain.from_iterable(indexes for item, indexes in associations if item in primary):
        if 0 < index <= len(all_properties):
            yield all_properties[index - 1]


def _primary(data: memoryview, box: Box) -> int:
    item_format = ">H" if data[box.body] == 0 else ">I"
    (item,) = struct.unpack_from(item_format, data, box.body + _FULL_BOX_BYTES)
    return int(item)


def _associations(data: memoryview, box: Box) -> Iterator[tuple[int, list[int]]]:
    """Items, and the numbers of their properties, counted from 1."""
    version, wide = data[box.body], data[box.body + 3] & 1
    (count,) = struct.unpack_from(">I", data, box.body + _FULL_BOX_BYTES)
    at = box.body + _FULL_BOX_BYTES + 4
    item_format = ">H" if version == 0 else ">I"
    for _ in range(count):
        (item,) = struct.unpack_from(item_format, data, at)
        at += struct.calcsize(item_format)
        entries, at = data[at], at + 1
        places = range(at, at + entries * (1 + wide), 1 + wide)
        yield item, [_property_index(data, place, wide) for place in places]
        at += entries * (1 + wide)


def _property_index(data: memoryview, at: int, wide: int) -> int:
    """The highest bit tells whether a reader must understand the property."""
    return struct.unpack_from(">H", data, at)[0] & 0x7FFF if wide else data[at] & 0x7F
