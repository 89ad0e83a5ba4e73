"""Reading from a store whose files are on this machine."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from .interface import FileMissing, Store, StoredFile


class LocalReads(Store):
    """A store that knows the path of every file."""

    @abstractmethod
    def path(self, file: StoredFile) -> Path: ...

    def modified(self, file: StoredFile) -> datetime:
        path = self.path(file)
        try:
            return datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError as exc:
            raise FileMissing(path.name) from exc

    async def read(self, file: StoredFile, start: int, end: int) -> bytes:
        path = self.path(file)
        try:
            return await asyncio.to_thread(_read, path, start, end)
        except FileNotFoundError as exc:
            raise FileMissing(path.name) from exc

    def reader(self, file: StoredFile) -> Callable[[], BinaryIO]:
        path = self.path(file)
        return lambda: path.open("rb")


def _read(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)
