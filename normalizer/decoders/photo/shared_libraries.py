"""Libraries that Pillow and pillow_heif have loaded, for calls that these two do not offer."""

import contextlib
import ctypes
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: name: (result, arguments)
Calls = Mapping[str, tuple[Any, Sequence[Any]]]

POINTER = ctypes.c_void_p


def library(name: str, owner: str, calls: Calls) -> ctypes.CDLL | None:
    """Return the loaded library of that name, or None if it lacks a call. Works only while there is a file system.

    If several packages have loaded their own copy, `owner` is part of the path of the right one.
    """
    named = re.compile(rf"\S*/{name}[-.]\S*$")
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = {found.group() for line in lines if (found := named.search(line))}
    paths = {path for path in paths if owner in path} or paths
    if len(paths) != 1:
        return None
    loaded = ctypes.CDLL(paths.pop())
    try:
        for each, (result, arguments) in calls.items():
            call = getattr(loaded, each)
            call.restype, call.argtypes = result, arguments
    except AttributeError:
        return None
    return loaded


@contextlib.contextmanager
def statements() -> Iterator[None]:
    """Turn a compiled library's exceptions into OSError, which says that the file is damaged.

    Such a library leaves no frame of its own in the traceback, so its exceptions would look like mistakes of ours.
    """
    try:
        yield
    except (ValueError, RuntimeError, LookupError, OverflowError) as exc:
        raise OSError(str(exc)) from exc
