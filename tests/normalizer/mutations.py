"""Random mutations of files that keep their structure: the parts stay valid, but their contents do not."""

import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from normalizer import ebml
from normalizer.isobmff import CONTAINERS, Broken, walk

Random = np.random.Generator
Mutation = Callable[[Random, bytes], bytes]

_NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    255,
    256,
    4096,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    2**32 - 1,
)
_HOLDERS = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iref": 4, b"stsd": 8, b"avc1": 78, b"hvc1": 78}


def changed(random: Random, data: bytes, start: int, end: int, order: str = ">") -> bytes:
    """Set one number between two offsets to a limit, a neighbour, or a random value."""
    form, size = (("B", 1), ("H", 2), ("I", 4), ("I", 4))[int(random.integers(4))]
    if end - start < size:
        return data
    at = start + size * int(random.integers((end - start) // size))
    (old,) = struct.unpack_from(order + form, data, at)
    news = (*_NUMBERS, old + 1, old - 1, old * 2, old // 2, int(random.integers(1 << 32)))
    new = struct.pack(order + form, news[int(random.integers(len(news)))] % (1 << (8 * size)))
    return data[:at] + new + data[at + size :]


def blindly(random: Random, data: bytes) -> bytes:
    """Flip a bit, cut out or double a piece, or cut off the end."""
    at, size = int(random.integers(len(data))), int(random.integers(1, 500))
    damaged = bytearray(data)
    damaged[at] ^= 1 << int(random.integers(8))
    ways = (bytes(damaged), data[:at] + data[at + size :], data[: at + size] + data[at:], data[:at])
    return ways[int(random.integers(len(ways)))]


def _parts(random: Random, parts: list[bytes]) -> list[bytes]:
    """Remove, double, move or change one part."""
    one, other = (int(each) for each in random.integers(len(parts), size=2))
    way = int(random.integers(6))
    if way == 0:
        return parts[:one] + parts[one + 1 :]
    if way == 1:
        return [*parts[:other], parts[one], *parts[other:]]
    if way == 2:
        parts[one], parts[other] = parts[other], parts[one]
        return parts
    parts[one] = changed(random, parts[one], 4, len(parts[one]))
    return parts


def png(random: Random, data: bytes) -> bytes:
    """Mutate chunks and keep their checksums right."""
    parts, at = [], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        parts.append(data[at + 4 : at + 8 + size])
        at += 12 + size
    made = (
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in _parts(random, parts)
        if len(part) >= 4
    )
    return data[:8] + b"".join(made)


def jpeg(random: Random, data: bytes) -> bytes:
    """Mutate segments before the first scan and keep their lengths right."""
    parts, at = [], 2
    while data[at + 1] != 0xDA:
        (size,) = struct.unpack_from(">H", data, at + 2)
        parts.append(data[at : at + 2 + size])
        at += 2 + size
    return data[:2] + b"".join(_parts(random, parts)) + data[at:]


def numbers(random: Random, data: bytes) -> bytes:
    """Change a number near the start, where formats describe what follows."""
    return changed(random, data, 0, min(200, len(data)), "<")


def boxes(random: Random, data: bytes) -> bytes:
    """Change the kind, the size or the content of a box."""
    found = list(_leaves(memoryview(data), 0, len(data)))
    start, end = found[int(random.integers(len(found)))]
    other, _ = found[int(random.integers(len(found)))]
    ways = (
        data[: start + 4] + data[other + 4 : other + 8] + data[start + 8 :],
        changed(random, data, start, start + 8),
        *(changed(random, data, start + 8, end) for _ in range(4)),
    )
    return ways[int(random.integers(len(ways)))]


#: Elements that hold elements: the top ones, a track and its parts, and a group of a block.
_MASTERS = {ebml.HEADER, ebml.SEGMENT, ebml.INFO, ebml.TRACKS, ebml.CLUSTER, ebml.TRACK_ENTRY}
_MASTERS |= {0xE0, 0xE1, 0xA0}


def elements(random: Random, data: bytes) -> bytes:
    """Change the ID, the size or the content of an EBML element, remove it, or double it."""
    found = list(_elements(data))
    if not found:
        return data
    start, body, end = found[int(random.integers(len(found)))]
    other, _, after = found[int(random.integers(len(found)))]
    ways = (
        data[:start] + data[other:after] + data[end:],
        data[:start] + data[end:],
        data[:end] + data[start:],
        changed(random, data, start, body),
        changed(random, data, start + 1, body),
        *(changed(random, data, body, min(end, body + 40)) for _ in range(3)),
    )
    return ways[int(random.integers(len(ways)))]


def _elements(data: bytes) -> Iterator[tuple[int, int, int]]:
    at = 0
    while (found := ebml.parse(data, at)) is not None:
        if found.kind in _MASTERS:
            yield found.start, found.body, found.body
            at = found.body
        else:
            at = min(found.end or len(data), len(data))
            yield found.start, found.body, at


def _leaves(data: memoryview, start: int, end: int) -> Iterator[tuple[int, int]]:
    try:
        for box in walk(data, start, end):
            held = 0 if box.kind in CONTAINERS else _HOLDERS.get(box.kind)
            if held is None:
                yield box.start, box.end
            else:
                yield from _leaves(data, box.body + held, box.end)
    except Broken:
        return
