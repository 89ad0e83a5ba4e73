"""One process at a time works in a data folder: two would number and forward the same things twice.

The lock ends with the process, however it ends. A new process waits a while for the old one, so that it may be
started while the old one still finishes its work (a rolling restart).
"""

import asyncio
import fcntl
import os
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_FILE = "airlock.lock"
_POLL_EVERY = 0.05


class FolderInUse(OSError):
    """Another process works in the folder."""


async def claim(folder: Path, patience: float) -> int:
    """A descriptor that holds the folder until it is closed; raises FolderInUse after `patience` seconds."""
    descriptor = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = asyncio.get_running_loop().time() + patience
    announced = False
    while not _try_lock(descriptor):
        if asyncio.get_running_loop().time() >= deadline:
            os.close(descriptor)
            raise FolderInUse(
                f"another Airlock works in {folder}: end it, or point gateway.data elsewhere"
            )
        if not announced:
            log.info("waiting_for_the_data_folder", folder=str(folder))
            announced = True
        await asyncio.sleep(_POLL_EVERY)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
