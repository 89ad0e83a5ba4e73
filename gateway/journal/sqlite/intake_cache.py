"""The newest intake rows, kept in memory until they are read, so that they need not be fetched again."""

from collections import deque

#: Bytes kept; when more comes in than is read, the rest is read from the journal in its turn.
_BYTES = 8 * 1024 * 1024


class IntakeCache:
    """Rows without a gap between them. The reader takes them in order or finds that it must ask the journal."""

    def __init__(self) -> None:
        self._rows: deque[tuple[int, bytes]] = deque()
        self._size = 0

    def add(self, rows: list[tuple[int, bytes]]) -> None:
        """Rows that follow each other and whatever was added before."""
        for row in rows:
            self._rows.append(row)
            self._size += len(row[1])
        while self._size > _BYTES:
            self._size -= len(self._rows.popleft()[1])

    def after(self, number: int, limit: int) -> list[tuple[int, bytes]] | None:
        """At most `limit` rows after row `number`; None if the next one is not here."""
        while self._rows and self._rows[0][0] <= number:
            self._size -= len(self._rows.popleft()[1])
        if not self._rows or self._rows[0][0] != number + 1:
            return None
        return [self._rows[place] for place in range(min(limit, len(self._rows)))]
