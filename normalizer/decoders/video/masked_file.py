"""A sender's video as the library sees it: only the boxes that are needed to play it.

Other boxes are renamed to free space while they are read. Offsets stay the same, and no library ever parses names,
places, covers or other tracks. (The name is not `free`, because libavformat looks into that for an index.)
"""

from bisect import bisect_left
from collections.abc import Sequence

from .file_view import FileView

_FREE = b"skip"


class MaskedFile(FileView):
    """A video up to its end, with the box names at the given places replaced."""

    def __init__(self, descriptor: int, end: int, hidden: Sequence[int]) -> None:
        super().__init__(descriptor)
        self._end, self._hidden = end, sorted(hidden)

    def read(self, size: int) -> bytes:
        start = self.tell()
        data = super().read(min(size, max(0, self._end - start)))
        first = bisect_left(self._hidden, start - len(_FREE) + 1)
        last = bisect_left(self._hidden, start + len(data))
        return self._mask(data, start, self._hidden[first:last]) if first < last else data

    def write(self, data: bytes) -> int:  # noqa: ARG002  # part of the interface
        raise OSError("a sender's video is read-only")

    def length(self) -> int:
        return self._end

    def _mask(self, data: bytes, start: int, places: Sequence[int]) -> bytes:
        masked = bytearray(data)
        for place in places:
            for index, letter in enumerate(_FREE):
                if 0 <= place + index - start < len(masked):
                    masked[place + index - start] = letter
        return bytes(masked)
