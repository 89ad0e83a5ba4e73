"""Originals that were fetched and are not made safe yet: kept, so that nothing is fetched twice.

An address may have died when the scanner is back, or the disk, or the gateway itself. So a file keeps a name
from when it has come until its attachment has ended. The name holds the file's hash: what a power cut left of
a file that was not synced is not taken for the file. Nobody outside can read them: there is no way to them
from HTTP, and the folder is the gateway's alone.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.journal import sync_folder
from gateway.observability.metrics import QUARANTINE

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _StoredOriginal:
    sha256: str
    size: int


class Quarantine:
    """At most `limit` bytes of originals in `folder`, each under its attachment's id.

    What does not fit is not kept, and fetched again when it is tried again; nor is anything on a disk that
    `is_disk_short` of room, which the journal needs more. Nothing here is worth an attachment: an original that
    cannot be kept or read is one that has to be fetched.
    """

    def __init__(self, folder: Path, limit: int, is_disk_short: Callable[[], bool]) -> None:
        self._folder, self._limit, self._is_disk_short = folder, limit, is_disk_short
        self._originals: dict[str, _StoredOriginal] = {}
        for file in folder.iterdir():
            attachment, _, sha256 = file.name.partition(".")
            if attachment in self._originals or not sha256:
                file.unlink()
            else:
                self._originals[attachment] = _StoredOriginal(sha256, file.stat().st_size)
        QUARANTINE.set_function(lambda: self.size)

    @property
    def size(self) -> int:
        """Bytes held now."""
        return sum(stored.size for stored in self._originals.values())

    @property
    def attachments(self) -> tuple[str, ...]:
        """Whose originals are held."""
        return tuple(self._originals)

    def has_room(self, size: int) -> bool:
        return self.size + size <= self._limit and not self._is_disk_short()

    async def keep(self, attachment: str, original: int, sha256: str) -> None:
        """Give a whole original, open as `original`, a name; it outlives this process, not yet a power cut."""
        await self.remove(attachment)
        stored = _StoredOriginal(sha256, os.fstat(original).st_size)
        if not self.has_room(stored.size):
            log.warning("quarantine_full", attachment=attachment, bytes=self.size)
            return
        self._originals[attachment] = stored
        if not await _in_thread(partial(_link_or_copy, original, self._path(attachment, stored))):
            await self.remove(attachment)

    async def secure(self, attachment: str) -> None:
        """Make an original that is held outlive a power cut, too."""
        stored = self._originals.get(attachment)
        if stored is not None:
            await _in_thread(partial(_sync, self._path(attachment, stored)))

    async def open(self, attachment: str) -> int | None:
        """A descriptor of the original, the caller's to close; None if it has to be fetched."""
        stored = self._originals.get(attachment)
        if stored is None:
            return None
        descriptor = await _in_thread(
            partial(_open_if_intact, self._path(attachment, stored), stored.sha256)
        )
        if descriptor is None:
            log.warning("original_damaged", attachment=attachment)
            await self.remove(attachment)
        return descriptor

    async def remove(self, attachment: str) -> None:
        """Its attachment has ended, or was never heard of."""
        stored = self._originals.get(attachment)
        if stored is None or not await _in_thread(partial(_unlink, self._path(attachment, stored))):
            return
        # Somebody else may have removed it meanwhile: an erasure while its last try ended.
        if self._originals.get(attachment) is stored:
            del self._originals[attachment]

    def _path(self, attachment: str, stored: _StoredOriginal) -> Path:
        return self._folder / f"{attachment}.{stored.sha256}"


async def _in_thread(work: Callable[[], T]) -> T | None:
    """What `work` returns; None where the disk does not let it."""
    try:
        return await asyncio.to_thread(work)
    except OSError as exc:
        log.error("quarantine_cannot_be_used", error=exc.strerror)
        return None


def _unlink(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True


def _link_or_copy(original: int, path: Path) -> bool:
    unnamed = f"/proc/self/fd/{original}"
    try:
        os.link(unnamed, path, follow_symlinks=True)
    except OSError:
        # A file system that gives no names later, or another one: as a copy then.
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(Path(unnamed).open("rb"))
            opener = partial(os.open, mode=0o600)
            target = stack.enter_context(open(path, "wb", opener=opener))
            shutil.copyfileobj(source, target)
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def _open_if_intact(path: Path, sha256: str) -> int | None:
    with path.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        return os.dup(file.fileno()) if whole else None
