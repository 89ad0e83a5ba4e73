"""Where safe media are kept: one folder for each attachment, one file for each rendition.

Names are derived from the attachment, so that making an attachment again after a crash overwrites what the
first try left: there are no orphans. A file appears under its name only whole and synced.
"""

import asyncio
import hashlib
import mmap
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normalizer.media import Rendition

_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "video/mp4": "mp4"}
_RENDITIONS = frozenset({"thumbnail", "preview", "poster", "video"})


class StoreUnavailable(Exception):
    """Media cannot be written or read now."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A rendition as events announce it."""

    name: str
    view: dict[str, Any]


class FileStore:
    """Renditions below `directory`; originals never get here."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    async def put(self, attachment: str, rendition: Rendition) -> Stored:
        """Write a rendition and make it durable; raises StoreUnavailable."""
        try:
            return await asyncio.to_thread(self._put, attachment, rendition)
        except OSError as trouble:
            raise StoreUnavailable(f"{self._directory}: {trouble.strerror}") from trouble

    async def remove(self, attachment: str) -> None:
        """Remove all renditions of an attachment."""
        await asyncio.to_thread(shutil.rmtree, self._folder(attachment), ignore_errors=True)

    def path(self, attachment: str, rendition: str, media_type: str) -> Path:
        """Where a rendition is. Both names are checked by the caller against the journal."""
        if rendition not in _RENDITIONS:
            raise LookupError(f"no rendition is called {rendition!r}")
        return self._folder(attachment) / f"{rendition}.{_SUFFIX[media_type]}"

    def _folder(self, attachment: str) -> Path:
        stem = attachment.removeprefix("att_")
        return self._directory / stem[:2] / stem

    def _put(self, attachment: str, rendition: Rendition) -> Stored:
        path = self.path(attachment, rendition.name, rendition.media_type)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, rendition.content)
        view = {
            "media_type": rendition.media_type,
            "bytes": len(rendition.content),
            "sha256": hashlib.sha256(rendition.content).hexdigest(),
            "width": rendition.width,
            "height": rendition.height,
        }
        return Stored(rendition.name, view)


def _write_whole(path: Path, content: bytes | mmap.mmap) -> None:
    """Write beside the name, sync, then rename over it, then sync the folder."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
