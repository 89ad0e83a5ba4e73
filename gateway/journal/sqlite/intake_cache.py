"""Cache of the newest intake rows, so that they need not be read back from the journal."""

from collections import deque

#: Bytes that are kept; if deliveries arrive faster than they are parsed, the others are read from the journal.
_BYTES = 8 * 1024 * 1024


class IntakeCache:
    """Keeps consecutive rows. The parse worker takes them in order, or finds that it has to read the journal."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, bytes]] = deque()
        self._size = 0

    def add(self, rows: list[tuple[int, bytes]]) -> None:
        """Add rows that directly follow those that were added before."""
        for row in rows:
            self._rows.append(row)
            self._size += len(row[1])
        while self._size > _BYTES:
            self._size -= len(self._rows.popleft()[1])

    def after(self, number: int, limit: int) -> list[tuple[int, bytes]] | None:
        """Return at most `limit` rows after row `number`; None if the next row is not cached."""
        while self._rows and self._rows[0][0] <= number:
            self._size -= len(self._rows.popleft()[1])
        if not self._rows or self._rows[0][0] != number + 1:
            return None
        return [self._rows[place] for place in range(min(limit, len(self._rows)))]
