"""A simulated disk that loses data that was not synced when the power is cut.

Inside `watching`, every fsync of a file or folder below the root is recorded, including those of SQLite. `cut` then
builds the folder as it may look after a power cut. Everything that was synced is there. Of everything else, each new
or removed name, each 512-byte sector and each length is there or not, at random.
"""

import itertools
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from unittest import mock

from .sqlite_syncs import watched

T = TypeVar("T")

_SECTOR = 512


@dataclass(slots=True)
class Disk:
    """The durable content of files and folders, by inode."""

    root: Path
    #: Called before and after each sync, when a power cut is most likely to reveal a bug.
    on_sync: Callable[[], None] = lambda: None
    contents: dict[int, bytes] = field(default_factory=dict)
    listings: dict[int, dict[str, int]] = field(default_factory=dict)
    syncs: int = 0
    #: Open descriptors of synced files, so that their inodes are not reused.
    _held: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _begun: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    #: The number of the sync that `contents` and `listings` come from, by inode.
    _newest: dict[int, int] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        really = {"fsync": os.fsync, "fdatasync": os.fdatasync}

        def through(name: str) -> Callable[[int], None]:
            return lambda descriptor: self._sync(descriptor, lambda: really[name](descriptor))

        with (
            mock.patch.multiple(os, fsync=through("fsync"), fdatasync=through("fdatasync")),
            watched(self._sync_path),
        ):
            try:
                yield
            finally:
                for descriptor in self._held:
                    os.close(descriptor)
                self._held.clear()

    def cut(self, into: Path, dice: random.Random) -> None:
        """Cut the power: build the surviving folder in `into`."""
        with self._lock:
            _Survivor(self, dice).folder(self.root, self.root.stat().st_ino, into)

    def _sync_path(self, path: Path, really: Callable[[], int]) -> int:
        descriptor = os.open(path, os.O_RDONLY)
        status = []
        try:
            self._sync(descriptor, lambda: status.append(really()))
        finally:
            os.close(descriptor)
        return status[0]

    def _sync(self, descriptor: int, really: Callable[[], object]) -> None:
        end = self._begin(descriptor)
        really()
        end()

    def _begin(self, descriptor: int) -> Callable[[], None]:
        """Read the content before a sync; return the function to call after it."""
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if not path.is_relative_to(self.root):
            return lambda: None
        # Data written before the sync is durable after it; data written meanwhile may be or not. If two threads sync
        # one file, the content that the later sync read counts, whichever ends first.
        begun = next(self._begun)
        inode, is_folder = os.fstat(descriptor).st_ino, path.is_dir()
        listing = _listing(path) if is_folder else {}
        content = b"" if is_folder else path.read_bytes()
        self.on_sync()

        def end() -> None:
            self._note(descriptor, begun, inode, listing if is_folder else content)
            self.on_sync()

        return end

    def _note(self, descriptor: int, begun: int, inode: int, found: bytes | dict[str, int]) -> None:
        with self._lock:
            self.syncs += 1
            if begun < self._newest.get(inode, 0):
                return
            self._newest[inode] = begun
            if inode not in self.contents and inode not in self.listings:
                self._held.append(os.dup(descriptor))
            if isinstance(found, bytes):
                self.contents[inode] = found
            else:
                self.listings[inode] = found


@dataclass(frozen=True, slots=True)
class _Survivor:
    disk: Disk
    dice: random.Random

    def folder(self, now: Path | None, inode: int, into: Path) -> None:
        """Build a folder in `into`; `now` is the folder as it is, or None if it was deleted."""
        into.mkdir()
        synced = self.disk.listings.get(inode, {})
        present = _listing(now) if now is not None else synced
        for name in sorted(synced.keys() | present.keys()):
            if now is not None and (now / name).is_socket():
                continue  # it has no content, and each start makes a new one
            chosen = self._either(synced.get(name), present.get(name))
            if chosen is not None:
                here = now / name if now is not None and present.get(name) == chosen else None
                self._entry(here, chosen, into / name)

    def _entry(self, now: Path | None, inode: int, into: Path) -> None:
        if inode in self.disk.listings or (now is not None and now.is_dir()):
            self.folder(now, inode, into)
            return
        synced = self.disk.contents.get(inode, b"")
        present = _content_of(now) if now is not None else synced
        into.write_bytes(synced if synced == present else self._mixed(synced, present))

    def _mixed(self, synced: bytes, present: bytes) -> bytes:
        length = len(present)
        if length < len(synced):
            # File systems journal a truncation as a whole, and SQLite relies on that: were a part of the log's old
            # frames left, they would be replayed over newer pages of the database.
            return self._sectors(synced[:length], present) + self._either(synced[length:], b"")
        mixed = self._sectors(synced.ljust(length, b"\0"), present)
        return mixed[: self.dice.randint(len(synced), length)]

    def _sectors(self, old: bytes, new: bytes) -> bytes:
        starts = range(0, len(new), _SECTOR)
        return b"".join(self._either(old[s : s + _SECTOR], new[s : s + _SECTOR]) for s in starts)

    def _either(self, one: T, other: T) -> T:
        return one if one == other or self.dice.random() < 0.5 else other


def _listing(folder: Path) -> dict[str, int]:
    return {entry.name: entry.inode() for entry in os.scandir(folder)}


def _content_of(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
