"""A reading and writing position of its own on a shared descriptor: duplicates would share theirs."""

import os


class FileView:
    """What libavformat needs of a file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._position = descriptor, 0

    def read(self, size: int) -> bytes:
        data = os.pread(self._descriptor, size, self._position)
        self._position += len(data)
        return data

    def write(self, data: bytes) -> int:
        written = os.pwrite(self._descriptor, data, self._position)
        self._position += written
        return written

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence)
        if start is None:
            start = self.length()
        self._position = start + offset
        return self._position

    def length(self) -> int:
        return os.lseek(self._descriptor, 0, os.SEEK_END)

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        """The descriptor belongs to whoever opened it."""
