"""Renditions on the file system: one folder for each attachment, one file for each rendition.

Names are derived from the attachment. Processing an attachment again after a crash overwrites the files of the
earlier attempt, and files that are not overwritten are removed, so that nothing is orphaned. A file gets its name
only once it is complete and synced. Renditions that `put` returned survive a power cut, because their folders are
synced too.
"""

import asyncio
import errno
import mmap
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from gateway.fault_points import fault_point
from gateway.journal import FOLDER_MODE, private_folder, private_opener, sync_folder
from normalizer.media import Rendition

from .description import check_rendition, describe, suffix
from .interface import Stored, StoredFile, StoreTry, StoreUnavailable
from .local_reads import LocalReads

T = TypeVar("T")


class FileStore(LocalReads):
    """Stores renditions below `directory`; an original only as the rendition that operators switch on.

    Nothing is added while `is_full`: the journal needs the space that is left to process what it holds.
    """

    def __init__(self, directory: Path, is_full: Callable[[], bool]) -> None:
        self._directory = directory
        self._is_full = is_full
        private_folder(directory)

    def begin(self, attachment: str, *, is_first: bool) -> StoreTry:
        return StoreTry(attachment, "", may_have_left_files=not is_first)

    async def put(self, attempt: StoreTry, renditions: Sequence[Rendition]) -> tuple[Stored, ...]:
        return await _in_thread(partial(self._put, attempt.attachment, renditions))

    async def clear(self, attempt: StoreTry) -> None:
        await self.remove(attempt.attachment)

    async def discard(self, attempt: StoreTry, *, is_shown: bool) -> None:
        if not is_shown:
            await self.remove(attempt.attachment)

    async def remove(self, attachment: str) -> None:
        await _in_thread(partial(self._remove, attachment))

    async def unavailable_reason(self) -> str | None:
        """Judge by the folder."""
        usable = self._directory.is_dir() and os.access(self._directory, os.W_OK | os.X_OK)
        # A missing folder is created by the next `put`.
        if usable or not self._directory.exists():
            return None
        return "the media folder is not writable; attachments wait"

    def path(self, file: StoredFile) -> Path:
        """Return the path of a rendition. The caller has checked both names against the journal."""
        return self._path(file.attachment, file.rendition, file.media_type)

    def _path(self, attachment: str, rendition: str, media_type: str) -> Path:
        check_rendition(rendition)
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
        path = self._path(attachment, rendition.name, rendition.media_type)
        _write_durably(path, rendition.content)
        return describe(rendition)

    def _remove(self, attachment: str) -> None:
        folder = self._folder(attachment)
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
        if folder.parent.exists():
            sync_folder(folder.parent)


def _file_name(rendition: str, media_type: str) -> str:
    return f"{rendition}.{suffix(media_type)}"


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
