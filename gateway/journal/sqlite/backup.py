"""A copy of a database that is in use: complete, consistent, and without the remains of erased rows."""

import contextlib
import os
import sqlite3
from pathlib import Path

from gateway.journal.folder_sync import sync_folder
from gateway.journal.private_files import create_private


class Damaged(Exception):
    """A database cannot be copied, or its copy is not sound."""


def copy_database(source: Path, target: Path) -> None:
    """Copy a database durably, and check the copy; replaces `target` only if it is sound. Raises Damaged.

    VACUUM INTO reads one snapshot, and writers go on meanwhile (https://sqlite.org/lang_vacuum.html).
    """
    unfinished = target.with_name(f".{target.name}.part")
    unfinished.unlink(missing_ok=True)
    create_private(unfinished)
    try:
        with contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as found:
            found.execute("PRAGMA busy_timeout = 10000")
            found.execute("VACUUM INTO ?", (str(unfinished),))
        with contextlib.closing(
            sqlite3.connect(f"{unfinished.as_uri()}?mode=ro", uri=True)
        ) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise Damaged(f"{source.name} is damaged: {verdict}")
        _sync(unfinished)
        unfinished.replace(target)
        sync_folder(target.parent)
    except sqlite3.Error as exc:
        raise Damaged(f"{source} cannot be copied: {exc}") from exc
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
