"""A separate read and write position on a shared descriptor; a duplicate of the descriptor would share its position."""

import os


class FileView:
    """The file methods that libavformat calls."""

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
        """Do nothing: the descriptor belongs to its opener."""
