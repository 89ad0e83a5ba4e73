"""Files and folders that only the gateway's user may open: they hold customers' messages, photos and videos."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from .folder_sync import sync_folder

#: The rights of a file in the data folder, and of a folder that is created there.
FILE_MODE, FOLDER_MODE = 0o600, 0o700


def keep_new_files_private() -> None:
    """Take the rights of others from every file that this process creates, also in libraries."""
    os.umask(0o077)


def private_folder(path: Path, *ours: str) -> Path:
    """Create a folder durably; in an existing one, restrict the files named `ours`.

    A folder that was there keeps its rights: others may share it, and a volume of a container belongs to root and is
    writable for our group (Kubernetes' `fsGroup`). `exposure` says whether that deserves a warning.
    """
    try:
        path.mkdir(parents=True, mode=FOLDER_MODE)
        sync_folder(path.parent)
    except FileExistsError:
        if not path.is_dir():
            raise
    for file in (path / name for name in ours):
        # A file of SQLite may vanish meanwhile; one of another user is readable to us through our group.
        with suppress(FileNotFoundError, PermissionError):
            if stat.S_IMODE(file.stat().st_mode) != FILE_MODE:
                file.chmod(FILE_MODE)
    return path


def exposure(folder: Path) -> str | None:
    """Return who else may look into a folder that only Airlock should open; None if nobody may."""
    status = folder.stat()
    if status.st_mode & stat.S_IRWXO:
        return "every user of this machine"
    # Where the folder is another user's, we are let in as a member of its group.
    is_ours = status.st_uid == os.geteuid()
    return "every member of its group" if is_ours and status.st_mode & stat.S_IRWXG else None


def create_private(path: str | Path) -> None:
    """Create an empty file unless it exists. SQLite gives a database's rights to the files beside it.

    An existing one is not opened: closing it would end this process's locks on it (https://sqlite.org/howtocorrupt.html,
    2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))


def private_opener(path: str, flags: int) -> int:
    """Open a file for `open`; what it creates is private, whatever the process's umask."""
    return os.open(path, flags, FILE_MODE)
