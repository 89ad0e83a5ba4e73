"""Scratch files: without a name, so that no crash can leave them behind."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_file(directory: Path) -> Iterator[int]:
    """Open a file without a name, so that no crash can leave it behind; it can be linked to a name later."""
    directory.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        # The file system does not support unnamed files.
        with tempfile.TemporaryFile(dir=directory) as file:
            yield file.fileno()
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
