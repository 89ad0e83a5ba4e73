"""What a film's tables claim, checked before a library believes it: each sample costs the library memory."""

import struct
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from normalizer.isobmff import Box, Broken

#: Bytes of an entry in tables that begin with how many there are.
_ENTRY_BYTES: Mapping[bytes, int] = {
    b"stts": 8,
    b"ctts": 8,
    b"stsc": 12,
    b"stss": 4,
    b"stps": 4,
    b"stco": 4,
    b"co64": 8,
}

#: Picture and sound of a film of four hours together have fewer.
_MAX_SAMPLES = 2_000_000

#: A phone writes two or three. A library writes the index anew for each.
_MAX_EDITS = 64

#: Numbers of a wave that a library joins to one sample are 1,024, or as many as its coding packs: 160 and more.
_MIN_JOINED = 160

#: Fields that each sample of a fragment has by itself (ISO/IEC 14496-12, 8.8.8), four bytes long.
_EACH = (0x100, 0x200, 0x400, 0x800)
_ONCE = (0x1, 0x4)


class IndexLimits:
    """Adds up the samples of a film. `joined` are where tables begin whose samples a library joins."""

    def __init__(self, joined: AbstractSet[int]) -> None:
        self._joined = joined
        self._samples = 0

    def check(self, data: memoryview, box: Box) -> None:
        """Raises Broken for a table that claims more than it holds, or more than any film has."""
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
                raise Broken(f"a track of {count} pieces")

    def add_joined(self, data: memoryview, runs: Box, chunks: int) -> None:
        """Adds the samples that a library makes of the waves in so many chunks, whose lengths are in `runs`."""
        (count,) = struct.unpack_from(">I", data, runs.body + 4)
        start = runs.body + 8
        self._check_fits(runs, count * _ENTRY_BYTES[runs.kind], runs.end - start)
        entries = struct.iter_unpack(">III", data[start : start + count * 12])
        # Which chunk has which length need not be in order, nor be believed.
        longest = max((length for _, length, _ in entries), default=0)
        self._add(chunks * -(-longest // _MIN_JOINED))

    def _check_fits(self, box: Box, needed: int, room: int) -> None:
        if needed > room:
            raise Broken(f"the table {box.kind.decode()} is cut")

    def _add(self, count: int) -> None:
        self._samples += count
        if self._samples > _MAX_SAMPLES:
            raise Broken(f"tables that claim {self._samples} samples")


def _fields(flags: int, among: tuple[int, ...]) -> int:
    return sum(1 for flag in among if flags & flag)
