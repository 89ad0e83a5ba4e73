"""A reading and writing position of its own on a shared descriptor: duplicates would share theirs."""

import os


class Cursor:
    """What libavformat needs of a file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def read(self, size: int) -> bytes:
        data = os.pread(self._descriptor, size, self._at)
        self._at += len(data)
        return data

    def write(self, data: bytes) -> int:
        written = os.pwrite(self._descriptor, data, self._at)
        self._at += written
        return written

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        if start is None:
            start = self.length()
        self._at = start + offset
        return self._at

    def length(self) -> int:
        return os.lseek(self._descriptor, 0, os.SEEK_END)

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """The descriptor belongs to whoever opened it."""
