"""Files in memory that a sandbox writes and that are read once it has answered."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from . import answers


@contextmanager
def memory_file() -> Iterator[int]:
    """Provide memory for a file that a sandbox writes."""
    descriptor = os.memfd_create("document", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_file(target: int, length: object, at: int = 0) -> bytes:
    """Return what a sandbox wrote at a place, of the length that it stated. Raise MediaFailed if that is invalid."""
    if length == 0:
        return b""
    try:
        return os.pread(target, answers.parse_number(length, os.fstat(target).st_size), at)
    except ValueError as exc:
        raise answers.invalid_answer(exc) from None
