"""Limits on what a video's tables claim, checked before a library reads them: each sample costs memory."""

import struct
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from normalizer.isobmff import Box, Broken

#: Bytes of an entry in tables that begin with the number of their entries.
_ENTRY_BYTES: Mapping[bytes, int] = {
    b"stts": 8,
    b"ctts": 8,
    b"stsc": 12,
    b"stss": 4,
    b"stps": 4,
    b"stco": 4,
    b"co64": 8,
}

#: Video and audio of four hours together have fewer.
_MAX_SAMPLES = 2_000_000

#: A phone writes two or three. The library rewrites the index for each.
_MAX_EDITS = 64

#: The library joins 1,024 samples of uncompressed sound, or as many as the coding packs: 160 or more.
_MIN_JOINED = 160

#: Four-byte fields that each sample of a fragment has (ISO/IEC 14496-12, 8.8.8).
_EACH = (0x100, 0x200, 0x400, 0x800)
_ONCE = (0x1, 0x4)


class IndexLimits:
    """The total of a video's samples. `joined` holds the offsets of tables whose samples the library joins."""

    def __init__(self, joined: AbstractSet[int]) -> None:
        self._joined = joined
        self._samples = 0

    def check(self, data: memoryview, box: Box) -> None:
        """Raise Broken for a table that claims more than it holds, or more than any video has."""
        room = box.end - box.body - 8
        if box.kind in _ENTRY_BYTES:
            (count,) = struct.unpack_from(">I", data, box.body + 4)
            self._check_fits(box, count * _ENTRY_BYTES[box.kind], room)
        elif box.kind == b"stsz":
            size, count = struct.unpack_from(">II", data, box.body + 4)
            self._check_fits(box, 0 if size else count * 4, room - 4)
            self._add(0 if box.start in self._joined else count)
        elif box.kind == b"stz2":
            bits, count = struct.unpack_from(">II", data, box.body + 4)
            self._check_fits(box, count * (bits & 0xFF) // 8, room - 4)
            self._add(count)
        elif box.kind == b"trun":
            flags, count = struct.unpack_from(">II", data, box.body)
            self._check_fits(
                box, 4 * count * _fields(flags, _EACH) + 4 * _fields(flags, _ONCE), room
            )
            self._add(count)
        elif box.kind == b"elst":
            version, count = struct.unpack_from(">B3xI", data, box.body)
            self._check_fits(box, count * (20 if version == 1 else 12), room)
            if count > _MAX_EDITS:
                raise Broken(f"a track has {count} edits")

    def add_joined(self, data: memoryview, runs: Box, chunks: int) -> None:
        """Add the samples that the library makes of uncompressed sound: `chunks` chunks, with lengths in `runs`."""
        (count,) = struct.unpack_from(">I", data, runs.body + 4)
        start = runs.body + 8
        self._check_fits(runs, count * _ENTRY_BYTES[runs.kind], runs.end - start)
        entries = struct.iter_unpack(">III", data[start : start + count * 12])
        # The lengths need not be in the order of the chunks, and are not trusted.
        longest = max((length for _, length, _ in entries), default=0)
        self._add(chunks * -(-longest // _MIN_JOINED))

    def _check_fits(self, box: Box, needed: int, room: int) -> None:
        if needed > room:
            raise Broken(f"the table {box.kind.decode()} is truncated")

    def _add(self, count: int) -> None:
        self._samples += count
        if self._samples > _MAX_SAMPLES:
            raise Broken(f"the tables claim {self._samples} samples")


def _fields(flags: int, among: tuple[int, ...]) -> int:
    return sum(1 for flag in among if flags & flag)
