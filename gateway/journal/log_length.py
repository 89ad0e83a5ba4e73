"""How far the write-ahead log is written: its file does not tell, because it is written over and not cut.

SQLite's index of the log does (https://www.sqlite.org/walformat.html, section 2.1): the number of valid frames
stands in its header. The index is a file in memory, shared with SQLite; reading it costs a microsecond.
"""

import os
import struct
from pathlib import Path

_FRAMES = struct.Struct("=I")
_FRAMES_AT = 16
_FRAME_HEADER = 24

#: Of bytes: a longer log is brought into the database before its time.
_LONGEST = 256 * 1024 * 1024
#: Of a small disk, at most this share: there must be room to bring all of the log into the database.
_SHARE = 32


class LogLength:
    """For one journal, while a connection to it is open; closed only after all of them.

    Closing a file drops every lock that this process has on it, SQLite's own included.
    """

    def __init__(self, journal: Path, page_bytes: int) -> None:
        self._index = os.open(f"{journal}-shm", os.O_RDONLY)
        self._frame_bytes = page_bytes + _FRAME_HEADER
        disk = os.statvfs(journal.parent)
        self._limit = min(_LONGEST, disk.f_blocks * disk.f_frsize // _SHARE)

    def is_long(self) -> bool:
        """Whether the log should be brought into the database now."""
        (frames,) = _FRAMES.unpack(os.pread(self._index, _FRAMES.size, _FRAMES_AT))
        return bool(frames * self._frame_bytes > self._limit)

    def close(self) -> None:
        os.close(self._index)
