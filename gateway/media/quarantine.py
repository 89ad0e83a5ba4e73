"""Quarantine: originals that were fetched and are not sanitized yet, kept so that no file is fetched twice.

A file's URL may have expired by the time the scanner, the disk or the gateway is available again. A file therefore
has a name from the end of its download until its attachment has ended. The name contains the file's hash, so that
a file of which a power cut left only a part is recognised as damaged. The files cannot be read from outside: no
HTTP route serves them, and only the gateway's user can open the folder.

With media in a bucket, an original that waits is also there, encrypted: another node may make the next try.
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
from typing import TYPE_CHECKING, TypeVar

import structlog

from gateway.journal import private_opener, sync_folder
from gateway.observability.metrics import QUARANTINE

from .scratch import scratch_file
from .storage.interface import StoreUnavailable

if TYPE_CHECKING:
    from .shared_originals import SharedOriginals  # needs a package that is an extra

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _StoredOriginal:
    sha256: str
    size: int


class Quarantine:
    """Keeps at most `limit` bytes of originals in `folder`, each under its attachment's id.

    An original is not kept if it exceeds the limit, or while `is_disk_short`, because the journal needs the space.
    An original that is not kept or cannot be read is fetched again at the next attempt: errors in quarantine never
    fail an attachment.
    """

    def __init__(
        self,
        folder: Path,
        limit: int,
        is_disk_short: Callable[[], bool],
        shared: "SharedOriginals | None" = None,
    ) -> None:
        self._folder, self.limit, self._is_disk_short = folder, limit, is_disk_short
        self._shared = shared
        #: Attachments whose originals may be in the bucket, and whether they certainly are.
        self._elsewhere: dict[str, bool] = {}
        #: Those whose originals could not be removed from the bucket yet.
        self._leftovers: set[str] = set()
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
        """The bytes that are stored now."""
        return sum(stored.size for stored in self._originals.values())

    @property
    def attachments(self) -> tuple[str, ...]:
        """The ids of the attachments whose originals are stored."""
        return tuple(self._originals)

    def has_room(self, size: int) -> bool:
        return self.size + size <= self.limit and not self._is_disk_short()

    async def keep(self, attachment: str, original: int, sha256: str) -> None:
        """Store a complete original, open as `original`. It survives a restart, but not yet a power cut."""
        await self._remove_here(attachment)
        stored = _StoredOriginal(sha256, os.fstat(original).st_size)
        if not self.has_room(stored.size):
            log.warning("quarantine_full", attachment=attachment, bytes=self.size)
            return
        self._originals[attachment] = stored
        if not await _in_thread(partial(_link_or_copy, original, self._path(attachment, stored))):
            await self._remove_here(attachment)

    async def secure(self, attachment: str) -> None:
        """Make a stored original survive a power cut, and the loss of this node where media are in a bucket."""
        stored = self._originals.get(attachment)
        if stored is None:
            return
        path = self._path(attachment, stored)
        await _in_thread(partial(_sync, path))
        if self._shared is not None and not self._elsewhere.get(attachment):
            await self._share(self._shared, attachment, path)

    async def open(self, attachment: str, *, elsewhere: bool = False) -> int | None:
        """Return a descriptor of the original, for the caller to close; None if it has to be fetched.

        `elsewhere` says that it may be in the bucket although it is not here. Raises StoreUnavailable.
        """
        descriptor = await self._open_here(attachment)
        if descriptor is None and elsewhere and self._shared is not None:
            return await self._take_over(self._shared, attachment)
        return descriptor

    async def remove(self, attachment: str, *, everywhere: bool = True) -> None:
        """Remove the original of an attachment that has ended or is unknown.

        What cannot be removed from the bucket now is left to `remove_leftovers`.
        """
        await self._remove_here(attachment)
        if everywhere and attachment in self._elsewhere:
            try:
                await self.erase(attachment)
            except StoreUnavailable as exc:
                self._leftovers.add(attachment)
                log.warning("shared_original_not_removed", attachment=attachment, error=str(exc))

    async def remove_leftovers(self) -> None:
        """Remove what could not be removed from the bucket before; raise StoreUnavailable if it still cannot."""
        for attachment in tuple(self._leftovers):
            await self.erase(attachment)

    async def erase(self, attachment: str) -> None:
        """Remove the original wherever it may be; raise StoreUnavailable if that fails."""
        await self._remove_here(attachment)
        if self._shared is not None:
            await self._shared.remove(attachment)
        self._elsewhere.pop(attachment, None)
        self._leftovers.discard(attachment)

    async def shared_attachments(self) -> list[str]:
        """Return the ids of the attachments whose originals are in the bucket. Raises StoreUnavailable."""
        return [] if self._shared is None else await self._shared.attachments()

    async def _share(self, shared: "SharedOriginals", attachment: str, path: Path) -> None:
        descriptor = await _in_thread(partial(os.open, path, os.O_RDONLY | os.O_CLOEXEC))
        if descriptor is None:
            return
        # Before the answer: it may be lost although the store has the original.
        self._elsewhere[attachment] = False
        try:
            await shared.put(attachment, descriptor)
            self._elsewhere[attachment] = True
        except StoreUnavailable as exc:
            log.warning("original_not_shared", attachment=attachment, error=str(exc))
        finally:
            os.close(descriptor)

    async def _take_over(self, shared: "SharedOriginals", attachment: str) -> int | None:
        """Fetch an original that another node stored, and keep it here."""
        try:
            with scratch_file(self._folder) as descriptor:
                sha256 = await shared.fetch(attachment, descriptor)
                if sha256 is None:
                    return None
                self._elsewhere[attachment] = True
                await self.keep(attachment, descriptor, sha256)
                return os.dup(descriptor)
        except OSError as exc:
            log.error("quarantine_unusable", error=exc.strerror)
            return None

    async def _open_here(self, attachment: str) -> int | None:
        stored = self._originals.get(attachment)
        if stored is None:
            return None
        descriptor = await _in_thread(
            partial(_open_if_intact, self._path(attachment, stored), stored.sha256)
        )
        if descriptor is None:
            log.warning("original_damaged", attachment=attachment)
            await self._remove_here(attachment)
        return descriptor

    async def _remove_here(self, attachment: str) -> None:
        stored = self._originals.get(attachment)
        if stored is None or not await _in_thread(partial(_unlink, self._path(attachment, stored))):
            return
        # Another task may have removed it meanwhile: an erasure while the last attempt ended.
        if self._originals.get(attachment) is stored:
            del self._originals[attachment]

    def _path(self, attachment: str, stored: _StoredOriginal) -> Path:
        return self._folder / f"{attachment}.{stored.sha256}"


async def _in_thread(work: Callable[[], T]) -> T | None:
    """Return the result of `work`, run in a thread; None if the disk fails."""
    try:
        return await asyncio.to_thread(work)
    except OSError as exc:
        log.error("quarantine_unusable", error=exc.strerror)
        return None


def _unlink(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True


def _link_or_copy(original: int, path: Path) -> bool:
    unnamed = f"/proc/self/fd/{original}"
    try:
        os.link(unnamed, path, follow_symlinks=True)
    except OSError:
        # The file system cannot link unnamed files, or it is another one: copy the file.
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(Path(unnamed).open("rb"))
            target = stack.enter_context(open(path, "wb", opener=private_opener))
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
