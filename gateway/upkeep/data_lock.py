"""Lock of the data folder: only one process may use it, because two would number and forward messages twice.

The lock ends with its process, even after a crash. A new process waits a while for the old one, so that it can be
started while the old one finishes (a rolling restart).
"""

import asyncio
import fcntl
import os
from pathlib import Path

import structlog

from gateway.observability.system_errors import CannotStart

log = structlog.get_logger(__name__)

_FILE = "airlock.lock"
_POLL_EVERY = 0.05


class FolderInUse(CannotStart):
    """Another process is using the folder."""


async def claim(folder: Path, patience: float) -> int:
    """Lock the folder; return the descriptor that holds the lock, or raise FolderInUse after `patience` seconds."""
    descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = asyncio.get_running_loop().time() + patience
    announced = False
    while not _try_lock(descriptor):
        if asyncio.get_running_loop().time() >= deadline:
            os.close(descriptor)
            raise FolderInUse(
                f"gateway.data: another Airlock process is using {folder}; stop it, or set a different folder"
            )
        if not announced:
            log.info("data_folder_busy", folder=str(folder))
            announced = True
        await asyncio.sleep(_POLL_EVERY)
    return descriptor


def is_claimed(folder: Path) -> bool:
    """Whether a process uses the folder."""
    try:
        descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
