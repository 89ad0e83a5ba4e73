"""The package of an office document: a ZIP archive in memory whose parts are inflated piece by piece and counted."""

import io
import mmap
import struct
import zipfile
from collections.abc import Iterator

from normalizer.media import MediaRejected

_MAX_MEMBERS = 2_000
_PART_BYTES, _ALL_BYTES = 20_000_000, 60_000_000
_PIECE_BYTES = 64 * 1024

#: The end record of an archive (APPNOTE.TXT 4.3.16), which a comment of at most 64 kB may follow.
_END, _END_BYTES, _COMMENT_BYTES = b"PK\x05\x06", 22, 65_536
#: Bytes of an entry in the directory; names are seldom longer than the rest.
_ENTRY_BYTES = 512

#: Methods of compression that office programs use.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 1


class Package:
    """The parts of a document by name."""

    def __init__(self, content: mmap.mmap) -> None:
        _check_directory(content)
        self._archive = zipfile.ZipFile(_File(content))
        self._names = {info.filename: info for info in self._archive.infolist()}
        if len(self._names) > _MAX_MEMBERS:
            raise MediaRejected("corrupt", f"the document has {len(self._names)} parts")
        self._left = _ALL_BYTES

    @property
    def names(self) -> list[str]:
        return list(self._names)

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a part. Raise MediaRejected if it is protected or inflates too far."""
        info = self._names[name]
        if info.flag_bits & _ENCRYPTED:
            raise MediaRejected("protected", "a part of the document needs a password")
        if info.compress_type not in _METHODS:
            raise MediaRejected("corrupt", f"a part has the compression {info.compress_type}")
        size = 0
        with self._archive.open(info) as part:
            while piece := part.read(_PIECE_BYTES):
                size += len(piece)
                self._left -= len(piece)
                if size > _PART_BYTES or self._left < 0:
                    raise MediaRejected("corrupt", "the document inflates to more than is allowed")
                yield piece


class _File(io.RawIOBase):
    """The archive as a file, without a copy and without a system call."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content, self._position = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._content)}
        self._position = start[whence] + offset
        if self._position < 0:
            raise OSError("a position before the start")
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = len(self._content) if size < 0 else self._position + size
        data = self._content[self._position : end]
        self._position += len(data)
        return data


def _check_directory(content: mmap.mmap) -> None:
    """Refuse a directory of too many entries before it uses memory."""
    at = content.rfind(_END, max(0, len(content) - _END_BYTES - _COMMENT_BYTES))
    if at < 0 or at + _END_BYTES > len(content):
        raise MediaRejected("corrupt", "the archive has no end")
    entries, size = struct.unpack_from("<HI", content, at + 10)
    if entries > _MAX_MEMBERS or size > _MAX_MEMBERS * _ENTRY_BYTES:
        raise MediaRejected("corrupt", f"the document has {entries} parts")
