"""How far the write-ahead log is written: its file does not tell, because it is written over and not cut.

SQLite's index of the log does (https://www.sqlite.org/walformat.html, section 2.1): the number of valid frames
stands in its header, and after it how many pages the database has with them. The index is a file in memory,
shared with SQLite; reading it costs a microsecond.
"""

import os
import struct
from pathlib import Path

_FRAMES_AND_PAGES = struct.Struct("=II")
_FRAMES_AT = 16
_FRAME_HEADER = 24

#: Of bytes: a longer log is brought into the database before its time.
_MAX_BYTES = 256 * 1024 * 1024
#: Of a small disk, at most this share: there must be room to bring all of the log into the database.
_DISK_SHARE = 32


class WalSize:
    """For one journal, while a connection to it is open; closed only after all of them.

    Closing a file drops every lock that this process has on it, SQLite's own included.
    """

    def __init__(self, journal: Path, page_bytes: int) -> None:
        self._index = os.open(f"{journal}-shm", os.O_RDONLY)
        self._database, self._log = journal, Path(f"{journal}-wal")
        self._page_bytes = page_bytes
        disk = os.statvfs(journal.parent)
        self._limit = min(_MAX_BYTES, disk.f_blocks * disk.f_frsize // _DISK_SHARE)

    def is_long(self) -> bool:
        """Whether the log should be brought into the database now."""
        return self._bytes() > self._limit

    def is_too_long(self) -> bool:
        """Whether writing has to wait for that."""
        return self._bytes() > 2 * self._limit

    def bytes_to_come(self) -> int:
        """Bytes by which the log may still grow, and the database grows when the log is brought into it."""
        pages = self._header()[1] * self._page_bytes
        return max(pages - self._database.stat().st_size, 0) + max(
            self._limit - self._log.stat().st_size, 0
        )

    def _bytes(self) -> int:
        return self._header()[0] * (self._page_bytes + _FRAME_HEADER)

    def _header(self) -> tuple[int, int]:
        """Frames in the log, and pages of the database with them."""
        header = os.pread(self._index, _FRAMES_AND_PAGES.size, _FRAMES_AT)
        frames, pages = _FRAMES_AND_PAGES.unpack(header)
        return frames, pages

    def close(self) -> None:
        os.close(self._index)
