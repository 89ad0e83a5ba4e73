"""Observer of SQLite's file syncs: a thin layer between SQLite and the operating system.

SQLite is asked for its own table of functions (https://www.sqlite.org/vfs.html), and two of them are replaced:
opening a file, to know its name, and syncing one. Everything else goes its usual way.
"""

import _sqlite3
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

_OK = 0

_OPEN = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_void_p,  # the name: SQLite keeps the pointer, so it must be passed on unchanged
    ctypes.c_void_p,
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_int),
)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_name", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("open", ctypes.c_void_p),
    )


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, version 3. Only `sync` is of interest; the rest is copied."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("close_read_write_truncate", ctypes.c_void_p * 4),
        ("sync", ctypes.c_void_p),
        ("others", ctypes.c_void_p * 13),
    )


class _File(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(_Methods)),)


#: Objects that SQLite may still call; they must outlive every connection.
_KEPT: list[Any] = []

#: Called with a file's path and the original sync; returns the status of SQLite.
Watch = Callable[[Path, Callable[[], int]], int]


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Pass every sync of files that are opened inside this context to `watch`."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    vfs = library.sqlite3_vfs_find(None).contents
    before = vfs.open
    opened = _OPEN(_opening(_OPEN(before), watch))
    _KEPT.append(opened)
    vfs.open = ctypes.cast(opened, ctypes.c_void_p)
    try:
        yield
    finally:
        vfs.open = before


def _opening(really: Any, watch: Watch) -> Callable[..., int]:
    paths: dict[int, Path] = {}
    replaced: dict[int, _Methods] = {}

    def sync(really: Any, file: int, flags: int) -> int:
        path = paths.get(file)
        return (
            int(really(file, flags)) if path is None else watch(path, lambda: really(file, flags))
        )

    def methods(original: _Methods) -> _Methods:
        address = ctypes.addressof(original)
        if address not in replaced:
            copy = _Methods.from_buffer_copy(original)
            syncing = _SYNC(partial(sync, _SYNC(copy.sync)))
            copy.sync = ctypes.cast(syncing, ctypes.c_void_p)
            _KEPT.extend((copy, syncing))
            replaced[address] = copy
        return replaced[address]

    def open(vfs: int, name: int | None, file: int, flags: int, out_flags: Any) -> int:
        status = int(really(vfs, name, file, flags, out_flags))
        opened = _File.from_address(file)
        if status == _OK and name is not None and opened.methods:
            paths[file] = Path(os.fsdecode(ctypes.string_at(name)))
            opened.methods = ctypes.pointer(methods(opened.methods.contents))
        return status

    return open
