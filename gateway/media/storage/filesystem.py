"""Where safe media are kept: one folder for each attachment, one file for each rendition.

Names are derived from the attachment, so that making an attachment again after a crash overwrites what the
first try left, and what it does not overwrite is removed: there are no orphans. A file appears under its name
only whole and synced, and what `put` returned survives a power cut: every folder on the way is synced too.
"""

import asyncio
import errno
import hashlib
import mmap
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.events.attachments import RenditionOfAnyType
from gateway.fault_points import fault_point
from gateway.journal import sync_folder
from gateway.media.suffixes import SUFFIXES
from normalizer.media import Rendition

T = TypeVar("T")

_RENDITIONS = frozenset({"thumbnail", "preview", "poster", "video"})


class StoreUnavailable(Exception):
    """Media cannot be written or read now."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A rendition as events announce it."""

    name: str
    view: RenditionOfAnyType


class FileStore:
    """Renditions below `directory`; originals never get here.

    Nothing is added while `is_full`: the journal needs what is left, or nothing would ever be worked off.
    """

    def __init__(self, directory: Path, is_full: Callable[[], bool]) -> None:
        self._directory = directory
        self._is_full = is_full
        directory.mkdir(parents=True, exist_ok=True)

    async def put(self, attachment: str, renditions: Sequence[Rendition]) -> tuple[Stored, ...]:
        """Write an attachment's renditions and make them durable; raises StoreUnavailable.

        Nothing else is left of what the attachment had before.
        """
        return await _in_thread(partial(self._put, attachment, renditions))

    async def remove(self, attachment: str) -> None:
        """Remove all renditions of an attachment, for good; raises StoreUnavailable."""
        await _in_thread(partial(self._remove, attachment))

    def trouble(self) -> str | None:
        """Why media cannot be stored now, as far as a look tells; None if they can."""
        usable = self._directory.is_dir() and os.access(self._directory, os.W_OK | os.X_OK)
        # One that is missing is made again.
        if usable or not self._directory.exists():
            return None
        return "the media folder cannot be written; media wait"

    def path(self, attachment: str, rendition: str, media_type: str) -> Path:
        """Where a rendition is. Both names are checked by the caller against the journal."""
        if rendition not in _RENDITIONS:
            raise LookupError(f"no rendition is called {rendition!r}")
        return self._folder(attachment) / _file_name(rendition, media_type)

    def _folder(self, attachment: str) -> Path:
        stem = attachment.removeprefix("att_")
        return self._directory / stem[:2] / stem

    def _put(self, attachment: str, renditions: Sequence[Rendition]) -> tuple[Stored, ...]:
        if self._is_full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        folder = self._folder(attachment)
        folder.mkdir(parents=True, exist_ok=True)
        stored = tuple(self._write(attachment, rendition) for rendition in renditions)
        kept = {_file_name(rendition.name, rendition.media_type) for rendition in renditions}
        for file in folder.iterdir():
            if file.name not in kept:
                file.unlink()
        fault_point("before-folder-sync")
        # From the files' folder upwards: a folder that was just made is a name in the one above.
        for level in (folder, folder.parent, self._directory):
            sync_folder(level)
        return stored

    def _write(self, attachment: str, rendition: Rendition) -> Stored:
        path = self.path(attachment, rendition.name, rendition.media_type)
        _write_durably(path, rendition.content)
        view: RenditionOfAnyType = {
            "media_type": rendition.media_type,
            "bytes": len(rendition.content),
            "sha256": hashlib.sha256(rendition.content).hexdigest(),
            "width": rendition.width,
            "height": rendition.height,
        }
        return Stored(rendition.name, view)

    def _remove(self, attachment: str) -> None:
        folder = self._folder(attachment)
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
        if folder.parent.exists():
            sync_folder(folder.parent)


def _file_name(rendition: str, media_type: str) -> str:
    return f"{rendition}.{SUFFIXES[media_type]}"


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as exc:
        raise StoreUnavailable(f"the media folder: {exc.strerror}") from exc


def _write_durably(path: Path, content: bytes | mmap.mmap) -> None:
    """Write beside the name, sync, then rename over it. Nothing stays beside it on a disk that is full."""
    partial_file = path.with_name(f".{path.name}.part")
    try:
        with partial_file.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        partial_file.unlink(missing_ok=True)
        raise
    fault_point("part-written")
    partial_file.replace(path)
