"""Reads small text files that the operator names: secrets, and lists of environment variables."""

import os
import stat
from pathlib import Path

#: A key or a certificate has a few kB.
_MAX_BYTES = 64 * 1024


class Unreadable(ValueError):
    """The file cannot be used; the message continues a sentence that begins with the file's name."""


def read_text(path: Path) -> str:
    """Return the file's text; raises `Unreadable`, whose message never quotes the content."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            content = file.read(_MAX_BYTES + 1) if regular else b""
    except (OSError, ValueError) as exc:
        raise Unreadable(_reason(exc)) from None
    if not regular:
        raise Unreadable("is not a regular file; give the path of a file")
    if len(content) > _MAX_BYTES:
        raise Unreadable(f"is larger than {_MAX_BYTES // 1024} KiB; is this the right file?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8 text; encode binary keys in base64") from None
    if "\0" in text:
        raise Unreadable("contains a NUL character; encode binary keys in base64")
    return text


def _without_waiting(path: str, flags: int) -> int:
    # A pipe must not block the start until somebody writes to it.
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _reason(exc: Exception) -> str:
    match exc:
        case FileNotFoundError() | NotADirectoryError():
            return "does not exist; create it, or correct the path"
        case IsADirectoryError():
            return "is a folder; give the path of a file"
        case PermissionError():
            return "cannot be read: permission denied; let the user that runs Airlock read it"
        case OSError():
            return f"cannot be read: {exc.strerror}"
        case _:
            return "cannot be read: the path is not valid"
