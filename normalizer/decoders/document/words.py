"""Text that is being collected from a document, up to a limit."""

import os


class Full(Exception):
    """The limit is reached; the rest of the document is not read."""


class Words:
    """The text of a document. `differs` if parts of it are not visible in the document, and were left out or not."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._letters = 0
        self.differs = False

    def add(self, text: str) -> None:
        """Add text. Raise Full when there are more letters than bytes are allowed."""
        self._parts.append(text)
        self._letters += len(text)
        if self._letters > self._limit:
            raise Full

    def end_cell(self) -> None:
        """End a table's cell: a tab before the next one."""
        while self._parts and self._parts[-1] == " ":
            self._parts.pop()
        self.add("\t")

    def end_line(self) -> None:
        """End a line, without the tabs of empty cells at its end."""
        while self._parts and self._parts[-1] == "\t":
            self._parts.pop()
        self.add("\n")

    def write(self, target: int, at: int = 0) -> int:
        """Write the text as UTF-8 and return its length, which may exceed the limit by the last piece."""
        content = "".join(self._parts)[: self._limit + 1].encode("utf-8", "replace")
        return os.pwrite(target, content, at)
