"""The copy that a library sees: a file of our own with the frames of the used tracks, and nothing else.

Each element is written again, so no index, tag, attachment or chapter of the sender's file is in it, and no length
that the sender stated.
"""

from collections.abc import Iterable

from normalizer.ebml import CLUSTER, DOC_TYPE, HEADER, INFO, SEGMENT, TRACKS

from .blocks import KEY_FRAME, LACING, Block, Group
from .segment import BLOCK_GROUP, SIMPLE_BLOCK, TIMESTAMP
from .tracks import Track
from .writing import OPEN, element, identifier, size, unsigned

_BLOCK, _DURATION, _REFERENCE, _DISCARD = 0xA1, 0x9B, 0xFB, 0x75A2
_TIMESTAMP_SCALE = 0x2AD7B1

#: Times in a block are relative to its cluster's, in two signed bytes.
_MAX_RELATIVE = 0x7FFF

#: Longest duration of a frame that is copied, in ticks: others are errors.
_MAX_DURATION = 1 << 31

#: What every reader assumes, except that it is a Matroska file (RFC 9559, 5.1).
_DOC_TYPE, _DOC_TYPE_VERSION, _DOC_TYPE_READ_VERSION = DOC_TYPE, 0x4287, 0x4285


class CleanCopy:
    """A Matroska file that grows block by block. `scale` is the length of a tick in nanoseconds."""

    def __init__(self, tracks: Iterable[Track], scale: int) -> None:
        self.content = bytearray(
            element(
                HEADER,
                element(_DOC_TYPE, b"matroska"),
                unsigned(_DOC_TYPE_VERSION, 4),
                unsigned(_DOC_TYPE_READ_VERSION, 2),
            )
            + identifier(SEGMENT)
            + OPEN
            + element(INFO, unsigned(_TIMESTAMP_SCALE, scale))
            + element(TRACKS, *(track.entry for track in tracks))
        )
        self._cluster: int | None = None

    def add(self, data: memoryview, track: Track, time: int, found: Block | Group) -> None:
        """Add a block at a time in ticks, which is not negative: libraries ignore such times."""
        group = found if isinstance(found, Group) else None
        block = group.block if group else found
        assert isinstance(block, Block)
        relative = self._relative(time)
        flags = block.flags & (KEY_FRAME | LACING)
        head = (
            bytes([0x80 | track.copy_number])
            + relative.to_bytes(2, "big", signed=True)
            + bytes([flags])
        )
        more = _more(group) if group else b""
        length = len(head) + block.end - block.start
        if more:
            head = bytes([_BLOCK]) + size(length) + head
            length = len(head) + block.end - block.start + len(more)
        self.content += bytes([BLOCK_GROUP if more else SIMPLE_BLOCK]) + size(length) + head
        self.content += data[block.start : block.end]
        self.content += more

    def _relative(self, time: int) -> int:
        """Return a time relative to the cluster's, after beginning another cluster if it is too far away."""
        if self._cluster is None or not -_MAX_RELATIVE <= time - self._cluster <= _MAX_RELATIVE:
            self._cluster = time
            self.content += identifier(CLUSTER) + OPEN + unsigned(TIMESTAMP, self._cluster)
        return time - self._cluster


def _more(group: Group) -> bytes:
    """Return what follows a block in its group; nothing if a simple block says as much."""
    more = b""
    if group.duration is not None and group.duration <= _MAX_DURATION:
        more += unsigned(_DURATION, group.duration)
    if group.discard:
        more += element(_DISCARD, group.discard)
    if more and not group.block.flags & KEY_FRAME:
        more += element(_REFERENCE, b"\xff")
    return more
