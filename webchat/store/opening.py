"""Errors while the file of the web channel is opened, worded for the operator: the file, the cause and the remedy."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class Unusable(Exception):
    """The file cannot be used; the message names it, the cause and the remedy."""


_DAMAGED = ("is damaged, or not a database", "move it away and restore a backup")
_NO_RIGHTS = (
    "cannot be opened for writing",
    "let the user that runs Airlock write it and its folder",
)
_LOCKED = ("is locked by another program", "close that program, and try again")
_FULL = ("cannot be written because the disk is full", "free some space")
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
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "check the disk and its free space"),
}


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the operating system into `Unusable`."""
    try:
        yield
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF  # the rest of the bits tell kinds apart
        cause, remedy = _CAUSES.get(code, (f"cannot be used: {exc}", "restore a backup"))
        if path.is_dir():
            cause, remedy = "is a folder", "move it away"
        raise Unusable(f"{path} {cause}; {remedy}") from exc
    except OSError as exc:
        reason = os.strerror(exc.errno) if exc.errno else str(exc)
        remedy = "correct the folder's permissions and its free space"
        raise Unusable(f"{path} cannot be used: {reason}; {remedy}") from exc


class TooNew(Unusable):
    """The file was written by a later version, and this version might misread it."""
