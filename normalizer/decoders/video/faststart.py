"""The finished video: moves the index to the front and removes boxes that are not needed to play it.

libavformat writes the index last and always adds an empty box for metadata. Moving the index here, where the
unneeded boxes are removed anyway, costs one move of the video in memory.
"""

import mmap
import os
import struct
from collections.abc import Iterator, Mapping

from normalizer.isobmff import ALLOWED, CONTAINERS, Box, walk

_OFFSETS: Mapping[bytes, str] = {b"stco": ">u4", b"co64": ">u8"}


def move_index_first(file: int) -> int:
    """Rearrange the video in place. Return its length, which is shorter than before."""
    length = os.lseek(file, 0, os.SEEK_END)
    with mmap.mmap(file, length, access=mmap.ACCESS_WRITE) as memory, memoryview(memory) as data:
        return _rearrange(memory, data, length)


def _rearrange(memory: mmap.mmap, data: memoryview, length: int) -> int:
    boxes = {box.kind: box for box in walk(data, 0, length)}
    file_type, media, index = boxes[b"ftyp"], boxes[b"mdat"], boxes[b"moov"]
    size = len(b"".join(_prune(data, index, 0)))
    start = file_type.end + size
    content = b"".join(_prune(data, index, start - media.start))
    memory.move(start, media.start, media.end - media.start)
    memory[file_type.end : start] = content
    return start + media.end - media.start


def _prune(data: memoryview, box: Box, shift: int) -> Iterator[bytes]:
    """Yield the pieces of a pruned box, with all offsets into the video moved by `shift`."""
    if box.kind in CONTAINERS:
        body = b"".join(
            piece
            for child in walk(data, box.body, box.end)
            if child.kind in ALLOWED
            for piece in _prune(data, child, shift)
        )
    elif box.kind in _OFFSETS:
        body = _shift(bytes(data[box.body : box.end]), _OFFSETS[box.kind], shift)
    else:
        body = bytes(data[box.body : box.end])
    yield struct.pack(">I4s", len(body) + 8, box.kind)
    yield body


def _shift(body: bytes, dtype: str, shift: int) -> bytes:
    import numpy as np

    offsets = np.frombuffer(body, dtype, offset=8)
    return body[:8] + (offsets + shift).astype(dtype).tobytes()
