"""Files and folders that only the gateway's user may open: they hold customers' messages, photos and videos."""

import os
from contextlib import suppress
from pathlib import Path

from .folder_sync import sync_folder

#: The rights of a file in the data folder, and of a folder in it.
FILE_MODE, FOLDER_MODE = 0o600, 0o700


def keep_new_files_private() -> None:
    """Take the rights of others from every file that this process creates, also in libraries."""
    os.umask(0o077)


def private_folder(path: Path, *ours: str) -> Path:
    """Create a folder durably, or restrict an existing one and the files in it that match the patterns `ours`."""
    path.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    path.chmod(FOLDER_MODE)
    for file in [file for pattern in ours for file in path.glob(pattern)]:
        # A file of SQLite may vanish meanwhile.
        with suppress(FileNotFoundError):
            file.chmod(FILE_MODE)
    sync_folder(path.parent)
    return path


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
