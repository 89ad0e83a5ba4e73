"""Properties of the primary picture of a HEIF or AVIF (ISO/IEC 23008-12) that libraries ignore."""

import struct
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import chain, islice
from typing import Literal

from normalizer.canvas import Size
from normalizer.isobmff import Box, Broken, find_boxes, walk

#: Left, top, right, bottom.
Crop = tuple[int, int, int, int]

Side = Literal["left", "top", "right", "bottom"]

#: The new place of each side after a counterclockwise quarter turn, and after mirroring along each axis.
_ROTATED: Mapping[Side, Side] = {"right": "top", "top": "left", "left": "bottom", "bottom": "right"}
_MIRRORED: Sequence[Mapping[Side, Side]] = (
    {"top": "bottom", "bottom": "top"},
    {"left": "right", "right": "left"},
)

#: The other properties of a picture are not needed.
_CROP, _ROTATION, _MIRROR, _COLOURS = b"clap", b"irot", b"imir", b"colr"

_FULL_BOX_BYTES = 4

#: A photo in tiles has about a hundred items.
_MAX_ITEMS = 20_000


def properties(data: memoryview) -> Mapping[bytes, bytes]:
    """Return the primary picture's properties by their kinds; empty if they cannot be read.

    The kind of colours is followed by that of their form.
    """
    try:
        top = (box for box in walk(data, 0, len(data)) if box.kind == b"meta")
        return {
            _key(data, box): bytes(data[box.body : box.end])
            for meta in islice(top, 1)
            for box in _properties(data, replace(meta, body=meta.body + _FULL_BOX_BYTES))
        }
    except (Broken, struct.error, IndexError):
        return {}


def _key(data: memoryview, box: Box) -> bytes:
    """Return a kind. A picture may have colours in two forms, as a profile and as codes."""
    return box.kind + bytes(data[box.body : box.body + 4]) if box.kind == _COLOURS else box.kind


def codes(found: Mapping[bytes, bytes]) -> tuple[int, int] | None:
    """Return the codes of primaries and transfer, or None if the boxes state none."""
    content = found.get(_COLOURS + b"nclx", b"")
    if len(content) < struct.calcsize(">4sHH"):
        return None
    _, primaries, transfer = struct.unpack_from(">4sHH", content)
    return primaries, transfer


def states_orientation(found: Mapping[bytes, bytes]) -> bool:
    """Whether the boxes state an orientation."""
    return _ROTATION in found or _MIRROR in found


def overhang(found: Mapping[bytes, bytes]) -> AbstractSet[Side] | None:
    """Return the sides at which the last tiles extend beyond the upright picture; None if that is hard to know."""
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
    """Return the visible part of a stored picture (clean aperture), or None if all of it is visible."""
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
    """Yield items and the indexes of their properties, counted from 1."""
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
    """Return a property index without its highest bit, which marks properties that a reader must understand."""
    return struct.unpack_from(">H", data, at)[0] & 0x7FFF if wide else data[at] & 0x7F
