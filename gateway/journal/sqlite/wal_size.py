"""Size of the write-ahead log. The size of its file does not show it: the file is overwritten and not truncated.

The index of the log (https://www.sqlite.org/walformat.html, section 2.1) has the number of valid frames in its header,
followed by the number of pages of the database with them. The index is a file in memory that is shared with SQLite;
reading it takes a microsecond.
"""

import os
import struct
from pathlib import Path

_FRAMES_AND_PAGES = struct.Struct("=II")
_FRAMES_AT = 16
_FRAME_HEADER = 24

#: Bytes of log above which a checkpoint starts early.
_MAX_BYTES = 256 * 1024 * 1024
#: On a small disk, the log may take one part in this many: there must be room to copy it into the database.
_DISK_SHARE = 32


class WalSize:
    """The size of one journal's log. It must be closed after all connections to the journal.

    Closing a file drops every lock that the process holds on it, including those of SQLite.
    """

    def __init__(self, journal: Path, page_bytes: int) -> None:
        self._index = os.open(f"{journal}-shm", os.O_RDONLY)
        self._database, self._log = journal, Path(f"{journal}-wal")
        self._page_bytes = page_bytes
        disk = os.statvfs(journal.parent)
        self._limit = min(_MAX_BYTES, disk.f_blocks * disk.f_frsize // _DISK_SHARE)

    def is_long(self) -> bool:
        """Whether a checkpoint is due because of the size of the log."""
        return self._bytes() > self._limit

    def is_too_long(self) -> bool:
        """Whether writing has to wait for the checkpoint."""
        return self._bytes() > 2 * self._limit

    def bytes_to_come(self) -> int:
        """Return the bytes by which the log may still grow, and the database will grow at the next checkpoint."""
        pages = self._header()[1] * self._page_bytes
        return max(pages - self._database.stat().st_size, 0) + max(
            self._limit - self._log.stat().st_size, 0
        )

    def _bytes(self) -> int:
        return self._header()[0] * (self._page_bytes + _FRAME_HEADER)

    def _header(self) -> tuple[int, int]:
        """Return the number of frames in the log, and of pages of the database with them."""
        header = os.pread(self._index, _FRAMES_AND_PAGES.size, _FRAMES_AT)
        frames, pages = _FRAMES_AND_PAGES.unpack(header)
        return frames, pages

    def close(self) -> None:
        os.close(self._index)
