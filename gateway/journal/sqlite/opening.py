"""Errors of SQLite while the journal is opened, worded for the operator: the file, the cause and the remedy."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway.journal.errors import JournalUnusable
from gateway.observability.system_errors import folder_error

_DAMAGED = (
    "it is damaged, or not a database",
    "move it and the files beside it away and restore a backup",
)
_NO_RIGHTS = (
    "it cannot be opened for writing",
    "let the user that runs Airlock write the file, the files beside it, and the folder gateway.data",
)
_LOCKED = (
    "another program has locked it",
    "close that program, such as a sqlite3 shell or a backup, and start Airlock again",
)
_FULL = ("the disk is full", "free some space, or set gateway.data to a folder on another disk")
#: Cause and remedy by SQLite's primary result code (https://sqlite.org/rescode.html).
_CAUSES: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _NO_RIGHTS,
    sqlite3.SQLITE_PERM: _NO_RIGHTS,
    sqlite3.SQLITE_READONLY: _NO_RIGHTS,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: ("the disk fails", "check the disk and the kernel's log"),
}
_OTHERWISE = "set gateway.data to another folder, or move the file away and restore a backup"


@contextmanager
def opening(path: Path) -> Iterator[Path]:
    """Turn every error about the file into `JournalUnusable`."""
    try:
        yield path
    except sqlite3.Error as exc:
        cause, remedy = _explained(path, exc)
        raise JournalUnusable(f"gateway.data: cannot use {path}: {cause}; {remedy}") from exc
    except OSError as exc:
        raise JournalUnusable(f"gateway.data: cannot use {path}: {folder_error(exc)}") from exc


def _explained(path: Path, exc: sqlite3.Error) -> tuple[str, str]:
    if path.is_dir():
        return "it is a folder", "move it away, or set gateway.data to another folder"
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF  # the rest of the bits tell kinds apart
    # A full disk shows itself also as an I/O error: the file of shared memory cannot grow.
    if code == sqlite3.SQLITE_IOERR and _is_full(path.parent):
        return _FULL
    return _CAUSES.get(code, (str(exc), _OTHERWISE))


def _is_full(folder: Path) -> bool:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < 1024 * 1024
