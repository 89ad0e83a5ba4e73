"""The elements of a segment in their order. Their number is bounded, and after damage the next cluster is looked for.

Clusters are entered whatever size they state: live recordings leave it open, and no frame depends on it.
"""

import re
from collections.abc import Iterator

from normalizer.ebml import CLUSTER, HEADER, SEGMENT, Broken, Element, children, parse

#: Elements of a cluster that hold frames.
SIMPLE_BLOCK, BLOCK_GROUP = 0xA3, 0xA0
#: The time of a cluster.
TIMESTAMP = 0xE7

_MEDIA = frozenset({CLUSTER, SIMPLE_BLOCK, BLOCK_GROUP})

#: Elements that begin another file, or another recording appended to this one.
_NEXT_FILE = frozenset({HEADER, SEGMENT})

#: An hour of pictures and sound has half as many at most, even if each frame is in a group.
_MAX_ELEMENTS = 2_000_000

#: What a block costs beyond an element.
_BLOCK_COST = 1

#: Elements before the segment: the header, and padding.
_MAX_ABOVE = 100

_CLUSTER_ID = CLUSTER.to_bytes(4, "big")
_CLUSTER = re.compile(re.escape(_CLUSTER_ID))


class Segment:
    """The first segment of a file."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self._left = _MAX_ELEMENTS
        self._body, end = _find(data)
        #: Whether the file leaves its size open, as browsers do while they record.
        self.is_open = end is None
        #: Whether the segment states more bytes than there are.
        self.overclaims = end is not None and end > len(data)
        self._end = min(end or len(data), len(data))
        if data[self._end : self._end + len(_CLUSTER_ID)] == _CLUSTER_ID:
            # The stated size is too small.
            self._end = len(data)
        #: The end that the last cluster states.
        self._claimed = 0
        #: Places where elements were unreadable, with more frames after them.
        self.gaps = 0
        #: Whether the file ends within a frame.
        self.is_cut = False

    def elements(self) -> Iterator[Element]:
        """Yield the elements of the segment and of its clusters, all of them whole.

        Raise Broken if there are too many.
        """
        data, end = self.data, self._end
        at = limit = self._body
        while at < end:
            self._count(1)
            if at >= limit:
                limit = end
            found = parse(data, at)
            if found is None or _is_misplaced(found, limit):
                resumed = self._resume(at, found)
                if resumed is None:
                    return
                at, limit = resumed, end
            elif found.kind == CLUSTER:
                yield found
                at, limit = found.body, min(found.end or end, end)
                self._claimed = found.end or 0
            elif found.kind in _NEXT_FILE and self.is_open:
                return
            else:
                assert found.end is not None
                if found.kind == SIMPLE_BLOCK:
                    # Its frames take as long again.
                    self._count(_BLOCK_COST)
                yield found
                at = found.end
        self.is_cut = not self.is_open and self._claimed > end

    def children(self, parent: Element) -> list[Element]:
        """Return the elements in another one, which count like those of the segment. Raise Broken."""
        assert parent.end is not None
        found = list(children(self.data, parent.body, parent.end))
        self._count(len(found))
        return found

    def _count(self, elements: int) -> None:
        self._left -= elements
        if self._left < 0:
            raise Broken(f"there are more than {_MAX_ELEMENTS} elements")

    def _resume(self, at: int, found: Element | None) -> int | None:
        """Return where the next cluster begins, or None if none follows: then the file ends here."""
        cluster = _CLUSTER.search(self.data[: self._end], at + 1)
        if cluster:
            self.gaps += 1
            return cluster.start()
        is_media = found is not None and found.kind in _MEDIA
        # Where the file was cut within an index or a tag, no frame is missing.
        is_broken = not self.is_open and (found is None or not self.overclaims)
        self.is_cut = is_media or is_broken
        return None


def _is_misplaced(element: Element, limit: int) -> bool:
    """Whether an element that is not a cluster leaves its size open, or reaches beyond its cluster."""
    return element.kind != CLUSTER and (element.end is None or element.end > limit)


def _find(data: memoryview) -> tuple[int, int | None]:
    """Return where the content of the first segment begins, and where it ends."""
    at = 0
    for _ in range(_MAX_ABOVE):
        found = parse(data, at)
        if found is None:
            break
        if found.kind == SEGMENT:
            return found.body, found.end
        if found.end is None:
            break
        at = found.end
    raise Broken("there is no segment")
