"""Renditions on the file system: one folder for each attachment, one file for each rendition.

Names are derived from the attachment. Processing an attachment again after a crash overwrites the files of the
earlier attempt, and files that are not overwritten are removed, so that nothing is orphaned. A file gets its name
only once it is complete and synced. Renditions that `put` returned survive a power cut, because their folders are
synced too.
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
from typing import TypeVar, get_args

from gateway.events.attachments import RenditionOfAnyType
from gateway.fault_points import fault_point
from gateway.journal import FOLDER_MODE, private_folder, private_opener, sync_folder
from gateway.media.suffixes import SUFFIXES
from normalizer.charsets import GUESSED
from normalizer.media import OTHER_TEXT, Rendition, RenditionName

T = TypeVar("T")

_RENDITIONS = frozenset(get_args(RenditionName)) | {OTHER_TEXT + each for each in GUESSED}


class StoreUnavailable(Exception):
    """Renditions cannot be written or read at the moment."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored rendition, with its description in events."""

    name: str
    view: RenditionOfAnyType


class FileStore:
    """Stores renditions below `directory`; an original only as the rendition that operators switch on.

    Nothing is added while `is_full`: the journal needs the space that is left to process what it holds.
    """

    def __init__(self, directory: Path, is_full: Callable[[], bool]) -> None:
        self._directory = directory
        self._is_full = is_full
        private_folder(directory)

    async def put(self, attachment: str, renditions: Sequence[Rendition]) -> tuple[Stored, ...]:
        """Write the renditions of an attachment durably, and remove all others that it had.

        Raises StoreUnavailable.
        """
        return await _in_thread(partial(self._put, attachment, renditions))

    async def remove(self, attachment: str) -> None:
        """Remove all renditions of an attachment durably; raise StoreUnavailable if that fails."""
        await _in_thread(partial(self._remove, attachment))

    def unavailable_reason(self) -> str | None:
        """Return why renditions cannot be stored at the moment, judging by the folder; None if they can."""
        usable = self._directory.is_dir() and os.access(self._directory, os.W_OK | os.X_OK)
        # A missing folder is created by the next `put`.
        if usable or not self._directory.exists():
            return None
        return "the media folder is not writable; attachments wait"

    def path(self, attachment: str, rendition: str, media_type: str) -> Path:
        """Return the path of a rendition. The caller has checked both names against the journal."""
        if rendition not in _RENDITIONS:
            raise LookupError(f"there is no rendition called {rendition!r}")
        return self._folder(attachment) / _file_name(rendition, media_type)

    def _folder(self, attachment: str) -> Path:
        stem = attachment.removeprefix("att_")
        return self._directory / stem[:2] / stem

    def _put(self, attachment: str, renditions: Sequence[Rendition]) -> tuple[Stored, ...]:
        if self._is_full():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        folder = self._folder(attachment)
        for level in (self._directory, folder.parent, folder):
            level.mkdir(mode=FOLDER_MODE, exist_ok=True)
        stored = tuple(self._write(attachment, rendition) for rendition in renditions)
        kept = {_file_name(rendition.name, rendition.media_type) for rendition in renditions}
        for file in folder.iterdir():
            if file.name not in kept:
                file.unlink()
        fault_point("before-folder-sync")
        # From the files' folder upwards: a new folder is itself a name in its parent folder.
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
        }
        if rendition.width and rendition.height:
            view["width"], view["height"] = rendition.width, rendition.height
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
    """Write a temporary file, sync it, and rename it. A full disk leaves no temporary file behind."""
    partial_file = path.with_name(f".{path.name}.part")
    try:
        with open(partial_file, "wb", opener=private_opener) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        partial_file.unlink(missing_ok=True)
        raise
    fault_point("part-written")
    partial_file.replace(path)
