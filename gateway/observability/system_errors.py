"""Errors of the operating system, worded for the operator: the setting, the cause and the remedy."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class CannotStart(Exception):
    """Airlock cannot use what a setting names; the message says why and what to do."""


_MORE_FILES = "raise the limit of open files (LimitNOFILE= in systemd, ulimit -n in a shell)"
_OTHER_FOLDER = "set gateway.data to a folder"
#: Cause and remedy of errors about the data folder; errno(3).
_FOLDER: Mapping[int, tuple[str, str]] = {
    errno.EEXIST: ("it is a file", _OTHER_FOLDER),
    errno.ENOTDIR: ("a part of the path is a file", _OTHER_FOLDER),
    errno.EACCES: ("permission denied", "let the user that runs Airlock read and write the folder"),
    errno.EPERM: ("permission denied", "let the user that runs Airlock read and write the folder"),
    errno.EISDIR: ("it is a folder", "move it away"),
    errno.EROFS: ("the file system is read-only", "mount it writable, or use another folder"),
    errno.ENOSPC: ("the disk is full", "free some space, or use a folder on another disk"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or raise the quota"),
    errno.EIO: ("the disk fails", "check the disk and the kernel's log"),
    errno.EMFILE: ("too many files are open", _MORE_FILES),
    errno.ENFILE: ("too many files are open", _MORE_FILES),
    errno.ENOLCK: ("the file system offers no locks", "use a folder on a local disk"),
}
#: The same for what Airlock keeps in the folder.
_INSIDE: Mapping[int, tuple[str, str]] = {
    **_FOLDER,
    errno.EEXIST: ("it is a file", "move it away"),
    errno.ENOTDIR: ("it is a file", "move it away"),
}
_OTHER_ADDRESS = "set it to an address of this machine, or to 0.0.0.0"
#: Cause and remedy of errors about the listening address; bind(2).
_ADDRESS: Mapping[int, tuple[str, str]] = {
    errno.EADDRINUSE: ("another program is using the port", "stop it, or choose another port"),
    errno.EACCES: (
        "a port below 1024 needs a privilege",
        "choose a port from 1024 on behind the proxy, or grant CAP_NET_BIND_SERVICE",
    ),
    errno.EADDRNOTAVAIL: ("this machine does not have the address", _OTHER_ADDRESS),
    errno.EAFNOSUPPORT: ("this machine does not support the kind of address", _OTHER_ADDRESS),
    errno.EMFILE: ("too many files are open", _MORE_FILES),
    errno.ENFILE: ("too many files are open", _MORE_FILES),
}


@contextmanager
def about_data_folder(folder: Path) -> Iterator[None]:
    """Turn an error of the operating system into `CannotStart` about gateway.data."""
    try:
        yield
    except OSError as exc:
        named = Path(os.fsdecode(exc.filename)) if isinstance(exc.filename, str | bytes) else folder
        is_inside = folder in named.parents
        causes, place = (_INSIDE, named) if is_inside else (_FOLDER, folder)
        raise CannotStart(f"gateway.data: {place} cannot be used: {_error(exc, causes)}") from exc


@contextmanager
def about_listening(address: object, key: str = "gateway.listen") -> Iterator[None]:
    """Turn an error of the operating system into `CannotStart` about the setting `key`."""
    try:
        yield
    except OSError as exc:
        found = _ADDRESS.get(_code(exc), (words_of(exc), "choose another address"))
        # The codes of getaddrinfo(3) are negative; Python gives them on as those of an ordinary error.
        cause, remedy = found if _code(exc) >= 0 else ("the name has no address", _OTHER_ADDRESS)
        raise CannotStart(f"{key}: cannot listen on {address}: {cause}; {remedy}") from exc


def folder_error(exc: OSError) -> str:
    """Return cause and remedy of an error about the data folder or a file in it."""
    return _error(exc, _FOLDER)


def _error(exc: OSError, causes: Mapping[int, tuple[str, str]]) -> str:
    cause, remedy = causes.get(_code(exc), (words_of(exc), "correct the path or the folder"))
    return f"{cause}; {remedy}"


def _code(exc: OSError) -> int:
    return exc.errno or 0


def words_of(exc: Exception) -> str:
    """Return an error's words for people, without its number and without a path."""
    code = exc.errno if isinstance(exc, OSError) else None
    return os.strerror(code) if code and code > 0 else str(exc)
