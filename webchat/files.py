"""The bytes of uploads. The size of a file is the upload's offset, so nothing can contradict it after a crash."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from aiohttp import StreamReader

#: Bytes that are collected before a write, and read at a time for the hash.
_CHUNK = 256 * 1024
_HEAD = 64 * 1024


class TooLong(Exception):
    """More bytes came than were announced. The surplus was not written."""


class Files:
    """A folder with one file for each upload."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, asyncio.Task[object]] = {}

    def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, file: str) -> Path:
        return self._folder / file

    async def create(self, file: str) -> None:
        await asyncio.to_thread(_create, self.path(file), self._folder)

    async def size(self, file: str) -> int | None:
        """Return how many bytes have come; None if there is no such file."""
        return await asyncio.to_thread(_size, self.path(file))

    async def head(self, file: str) -> bytes:
        return await asyncio.to_thread(_head, self.path(file))

    async def append(self, file: str, content: StreamReader, most: int) -> int:
        """Append what comes and sync it; return the new size. What came before an error stays.

        Raises TooLong if more than `most` bytes come.
        """
        descriptor = os.open(self.path(file), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            left = most
            async for chunk in _collected(content):
                await asyncio.to_thread(_write, descriptor, chunk[:left])
                if len(chunk) > left:
                    raise TooLong
                left -= len(chunk)
        finally:
            # Also after a lost connection: what is on disk is the offset from which the client goes on.
            await asyncio.shield(asyncio.to_thread(_sync_and_close, descriptor))
        return _size(self.path(file)) or 0

    async def sha256(self, file: str) -> str:
        return await asyncio.to_thread(_sha256, self.path(file))

    async def delete(self, files: Iterable[str]) -> None:
        for file in files:
            await asyncio.to_thread(self.path(file).unlink, missing_ok=True)

    async def names(self) -> list[str]:
        return await asyncio.to_thread(os.listdir, self._folder)

    async def take_over(self, file: str) -> None:
        """End the request that writes a file, and wait until it has. A client that comes anew knows that it is lost."""
        writer = self._writers.get(file)
        if writer is not None and writer is not asyncio.current_task():
            writer.cancel()
            await asyncio.wait([writer])

    def begin(self, file: str) -> None:
        """Note that the current task writes a file."""
        task = asyncio.current_task()
        assert task is not None, "called from a task"
        self._writers[file] = task

    def end(self, file: str) -> None:
        if self._writers.get(file) is asyncio.current_task():
            del self._writers[file]


async def _collected(content: StreamReader) -> AsyncIterator[bytes]:
    """Yield what comes in larger pieces. What has come before an error is yielded before it is raised."""
    waiting = bytearray()
    error: BaseException | None = None
    try:
        async for chunk in content.iter_any():
            waiting += chunk
            if len(waiting) >= _CHUNK:
                yield bytes(waiting)
                waiting.clear()
    except Exception as exc:  # noqa: BLE001 - raised below
        error = exc
    if waiting:
        yield bytes(waiting)
    if error is not None:
        raise error


def _create(path: Path, folder: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _write(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
