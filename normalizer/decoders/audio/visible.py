"""A sender's sound file as the library sees it: without covers, names and comments, as far as the format allows.

Blocks that no decoder needs are renamed while they are read, and tags around the sound are cut off. Offsets inside
the file stay the same.
"""

import os
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from normalizer.decoders.video.file_view import FileView
from normalizer.sound import SoundFormat, end_of_id3

#: More blocks are not looked at: no recorder writes as many.
_MAX_BLOCKS = 10_000

_UNUSED = b"skip"

#: Blocks that a decoder needs, in files of named blocks.
_NEEDED: Mapping[SoundFormat, frozenset[bytes]] = {
    "wav": frozenset({b"fmt ", b"data", b"fact", b"ds64"}),
    "aiff": frozenset({b"COMM", b"SSND", b"FVER", b"wave"}),
    "caf": frozenset({b"desc", b"data", b"pakt", b"kuki", b"chan"}),
}

#: Blocks of FLAC (RFC 9639, 8.1): the description of the stream, and padding, which is ignored.
_STREAM_INFO, _PADDING, _LAST = 0, 1, 0x80

#: The tag that old programs append to MP3 files.
_ID3V1, _ID3V1_BYTES = b"TAG", 128


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The part of a file that the library may see, and bytes that it sees instead of others, by their offset."""

    start: int
    end: int
    changes: Mapping[int, bytes] = field(default_factory=dict)


class VisibleFile(FileView):
    """An excerpt of a sender's file, read-only."""

    def __init__(self, descriptor: int, excerpt: Excerpt) -> None:
        super().__init__(descriptor)
        self._file, self._excerpt = descriptor, excerpt
        self._places = sorted(excerpt.changes)

    def read(self, size: int) -> bytes:
        start = self._excerpt.start + self.tell()
        data = os.pread(self._file, max(0, min(size, self._excerpt.end - start)), start)
        self.seek(len(data), os.SEEK_CUR)
        return self._changed(data, start)

    def write(self, data: bytes) -> int:  # noqa: ARG002  # part of the interface
        raise OSError("a sender's file is read-only")

    def length(self) -> int:
        return max(0, self._excerpt.end - self._excerpt.start)

    def _changed(self, data: bytes, start: int) -> bytes:
        first = bisect_left(self._places, start - len(_UNUSED) + 1)
        last = bisect_left(self._places, start + len(data))
        if first == last:
            return data
        changed = bytearray(data)
        for place in self._places[first:last]:
            for at, value in enumerate(self._excerpt.changes[place], place - start):
                if 0 <= at < len(changed):
                    changed[at] = value
        return bytes(changed)


def excerpt(data: memoryview, format: SoundFormat) -> Excerpt:
    """Return what the library needs of a file, which is all of it for a format that mixes tags and sound."""
    start = end_of_id3(data)
    find = _BLOCKS.get(format)
    changes = dict(find(data, start)) if find else {}
    return Excerpt(start, _end(data, format), changes)


def _end(data: memoryview, format: SoundFormat) -> int:
    has_tag = format == "mp3" and data[-_ID3V1_BYTES:][: len(_ID3V1)] == _ID3V1
    return len(data) - (_ID3V1_BYTES if has_tag else 0)


Changes = Iterator[tuple[int, bytes]]


def _riff(data: memoryview, start: int) -> Changes:
    return _named(data, start + 12, "<4sI", _NEEDED["wav"], even=True)


def _aiff(data: memoryview, start: int) -> Changes:
    return _named(data, start + 12, ">4sI", _NEEDED["aiff"], even=True)


def _caf(data: memoryview, start: int) -> Changes:
    return _named(data, start + 8, ">4sq", _NEEDED["caf"], even=False)


def _named(
    data: memoryview, at: int, header: str, needed: frozenset[bytes], *, even: bool
) -> Changes:
    """Yield other names for the blocks that are not needed."""
    for _ in range(_MAX_BLOCKS):
        if at + struct.calcsize(header) > len(data):
            return
        name, size = struct.unpack_from(header, data, at)
        if name not in needed:
            yield at, _UNUSED
        if size < 0:
            return  # the rest of the file
        at += struct.calcsize(header) + size + (size % 2 if even else 0)


def _flac(data: memoryview, start: int) -> Changes:
    at = start + 4
    for _ in range(_MAX_BLOCKS):
        if at + 4 > len(data):
            return
        kind = data[at] & ~_LAST
        if kind != _STREAM_INFO:
            yield at, bytes([data[at] & _LAST | _PADDING])
        if data[at] & _LAST:
            return
        at += 4 + int.from_bytes(data[at + 1 : at + 4], "big")


_BLOCKS: Mapping[SoundFormat, Callable[[memoryview, int], Changes]] = {
    "wav": _riff,
    "aiff": _aiff,
    "caf": _caf,
    "flac": _flac,
}
