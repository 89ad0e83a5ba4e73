"""The bytes of uploads. The size of a file is the upload's offset, so nothing can contradict it after a crash."""

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from aiohttp import StreamReader

#: Bytes of one write: with many uploads at once, each holds little memory.
_CHUNK = 64 * 1024
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC

T = TypeVar("T")


class TooLong(Exception):
    """More bytes came than were announced. The surplus was not written."""


class Files:
    """A folder with one file for each upload."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, asyncio.Task[object]] = {}
        self._closing: dict[str, asyncio.Future[None]] = {}

    def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def is_writing(self) -> bool:
        """Whether a part is being written."""
        return bool(self._writers)

    def path(self, file: str) -> Path:
        return self._folder / file

    async def size(self, file: str) -> int:
        """Return how many bytes have come."""
        return await asyncio.to_thread(_size, self.path(file))

    async def inspect(self, file: str, look: Callable[[int], T]) -> T:
        """Return what `look` says of the file behind a readable descriptor."""
        return await asyncio.to_thread(_inspect, self.path(file), look)

    async def append(self, file: str, content: StreamReader, most: int) -> int:
        """Append what comes and sync it; return the new size. What came before an error stays.

        Raises TooLong if more than `most` bytes come.
        """
        part = _Part(os.open(self.path(file), _APPEND, 0o600), most)
        try:
            while chunk := await content.read(_CHUNK):
                part.waiting = memoryview(chunk)
                await asyncio.shield(asyncio.to_thread(part.write))
                if part.is_too_long:
                    raise TooLong
        finally:
            # Also after a lost connection or a take-over: all that came is the offset from which the client goes on.
            await self._close(file, part)
        return await self.size(file)

    async def seal(self, file: str) -> str:
        """Make a whole file durable, its name in the folder included, and return its SHA-256 in hex."""
        return await asyncio.to_thread(_seal, self.path(file), self._folder)

    async def delete(self, files: Iterable[str]) -> None:
        for file in files:
            # A part that still arrives must not make the file again.
            if self._writers.get(file) is not asyncio.current_task():
                await self.take_over(file)
            await asyncio.to_thread(self.path(file).unlink, missing_ok=True)

    async def names(self) -> list[str]:
        return await asyncio.to_thread(os.listdir, self._folder)

    def older(self, files: Iterable[str], than: float) -> list[str]:
        """Return the files that were last written before a time in seconds."""
        return [file for file in files if _modified(self.path(file)) < than]

    async def take_over(self, file: str) -> None:
        """End the request that writes a file, and wait until all that it took is on the disk.

        A client that comes back knows that its former connection is lost.
        """
        while (writer := self._writers.get(file)) is not None:
            writer.cancel()
            await asyncio.wait([writer])
            self._forget(file, writer)
        while (closing := self._closing.get(file)) is not None:
            await asyncio.wait([closing])

    async def begin(self, file: str) -> None:
        """Make the current task the only one that writes a file. Call `end` afterwards."""
        while file in self._writers or file in self._closing:
            await self.take_over(file)
        task = asyncio.current_task()
        assert task is not None, "called from a task"
        self._writers[file] = task

    def end(self, file: str) -> None:
        self._forget(file, asyncio.current_task())

    def _forget(self, file: str, writer: asyncio.Task[object] | None) -> None:
        if self._writers.get(file) is writer:
            self._writers.pop(file, None)

    async def _close(self, file: str, part: "_Part") -> None:
        """Close a part, also if the request is cancelled meanwhile: `take_over` waits for it."""
        closing = asyncio.ensure_future(asyncio.to_thread(part.close))
        self._closing[file] = closing
        closing.add_done_callback(lambda _: self._closing.pop(file, None))
        await asyncio.shield(closing)


class _Part:
    """A part that is being written: at most `most` bytes. Its methods run in threads, one after the other."""

    def __init__(self, descriptor: int, most: int) -> None:
        #: What has come and is not on the disk yet.
        self.waiting = memoryview(b"")
        self.is_too_long = False
        self._descriptor = descriptor
        self._left = most
        self._writing = threading.Lock()

    def write(self) -> None:
        """Write what waits, without the surplus."""
        with self._writing:
            self.is_too_long |= len(self.waiting) > self._left
            view = self.waiting[: self._left]
            self._left -= len(view)
            self.waiting = memoryview(b"")
            while view:
                view = view[os.write(self._descriptor, view) :]

    def close(self) -> None:
        # A write that was under way when the request ended comes first.
        try:
            self.write()
            os.fdatasync(self._descriptor)
        finally:
            os.close(self._descriptor)


def _seal(path: Path, folder: Path) -> str:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _inspect(path: Path, look: Callable[[int], T]) -> T:
    with path.open("rb") as file:
        return look(file.fileno())
