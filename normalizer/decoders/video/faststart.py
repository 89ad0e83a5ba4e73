"""The finished film: its index goes first and loses what is not needed to play it.

libavformat writes the index last and always with an empty place for metadata. Moving it here, where the
superfluous boxes are cut anyway, costs one move of the film in memory.
"""

import mmap
import os
import struct
from collections.abc import Iterator, Mapping

from normalizer.isobmff import ALLOWED, CONTAINERS, Box, walk

_OFFSETS: Mapping[bytes, str] = {b"stco": ">u4", b"co64": ">u8"}


def index_first(film: int) -> int:
    """Rearranges the film in place; tells its length, which is less than before."""
    length = os.lseek(film, 0, os.SEEK_END)
    with mmap.mmap(film, length, access=mmap.ACCESS_WRITE) as memory, memoryview(memory) as data:
        return _rearranged(memory, data, length)


def _rearranged(memory: mmap.mmap, data: memoryview, length: int) -> int:
    boxes = {box.kind: box for box in walk(data, 0, length)}
    kind, media, index = boxes[b"ftyp"], boxes[b"mdat"], boxes[b"moov"]
    size = len(b"".join(_pruned(data, index, 0)))
    start = kind.end + size
    content = b"".join(_pruned(data, index, start - media.start))
    memory.move(start, media.start, media.end - media.start)
    memory[kind.end : start] = content
    return start + media.end - media.start


def _pruned(data: memoryview, box: Box, shift: int) -> Iterator[bytes]:
    """The box as it shall be, in pieces, with all offsets into the film moved by `shift`."""
    if box.kind in CONTAINERS:
        body = b"".join(
            piece
            for child in walk(data, box.body, box.end)
            if child.kind in ALLOWED
            for piece in _pruned(data, child, shift)
        )
    elif box.kind in _OFFSETS:
        body = _shifted(bytes(data[box.body : box.end]), _OFFSETS[box.kind], shift)
    else:
        body = bytes(data[box.body : box.end])
    yield struct.pack(">I4s", len(body) + 8, box.kind)
    yield body


def _shifted(body: bytes, form: str, shift: int) -> bytes:
    import numpy as np

    offsets = np.frombuffer(body, form, offset=8)
    return body[:8] + (offsets + shift).astype(form).tobytes()
