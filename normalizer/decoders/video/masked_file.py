"""A sender's film as a library shall see it: what plays, and nothing of the rest.

Boxes that no player needs are renamed to free space while they are read. Offsets stay what they are, and no
library ever parses what a sender put there: names, places, covers, other tracks. (Not `free`: libavformat
looks into that for a film's index.)
"""

from bisect import bisect_left
from collections.abc import Sequence

from .file_view import FileView

_FREE = b"skip"


class MaskedFile(FileView):
    """A film up to where it ends, with the four letters at each of the places given hidden."""

    def __init__(self, descriptor: int, end: int, hidden: Sequence[int]) -> None:
        super().__init__(descriptor)
        self._end, self._hidden = end, sorted(hidden)

    def read(self, size: int) -> bytes:
        start = self.tell()
        data = super().read(min(size, max(0, self._end - start)))
        first = bisect_left(self._hidden, start - len(_FREE) + 1)
        last = bisect_left(self._hidden, start + len(data))
        return self._mask(data, start, self._hidden[first:last]) if first < last else data

    def write(self, data: bytes) -> int:  # noqa: ARG002  # whatever it is
        raise OSError("a sender's film is only read")

    def length(self) -> int:
        return self._end

    def _mask(self, data: bytes, start: int, places: Sequence[int]) -> bytes:
        masked = bytearray(data)
        for place in places:
            for index, letter in enumerate(_FREE):
                if 0 <= place + index - start < len(masked):
                    masked[place + index - start] = letter
        return bytes(masked)
