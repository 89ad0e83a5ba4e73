"""Files in memory that sandboxes write and we check, sealed against changes before anything of them is read."""

import asyncio
import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

from normalizer.media import MediaFailed
from normalizer.sandbox.errors import SandboxUnavailable

_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


@contextmanager
def shared_file(name: str) -> Iterator[int]:
    """Provide memory for a file. A memory map keeps it alive."""
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def seal(file: int, length: int, exit_status: asyncio.Future[int]) -> None:
    """Cut a file to its length and make it unchangeable, once the sandbox that wrote it has ended.

    Raise MediaFailed if that cannot be known.
    """
    # A running sandbox could change the file after it was checked.
    try:
        await asyncio.shield(exit_status)
    except SandboxUnavailable as exc:
        raise MediaFailed("decoder_crashed", str(exc)) from None
    os.ftruncate(file, length)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)


def sealed_content(file: int, length: int) -> mmap.mmap:
    """Return the content of a sealed file."""
    return mmap.mmap(file, length, access=mmap.ACCESS_READ)
