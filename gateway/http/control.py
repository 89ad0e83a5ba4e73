"""The control socket: commands on this machine call the API through a socket in the data folder, without a token.

Only the user of the gateway and root may open it, and both may read everything in the folder anyway.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: The socket's name in the data folder.
SOCKET = "airlock.sock"
_BACKLOG = 16


@contextmanager
def short_path(folder: Path) -> Iterator[str]:
    """Yield a path of the control socket that is short enough for its address, 108 bytes (unix(7))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def open_control_socket(folder: Path) -> socket.socket:
    """Open the socket. The caller has claimed the folder, so one that is there belonged to a process that is gone."""
    remove_control_socket(folder)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(folder) as path:
            # Its rights count from the beginning: nobody else can connect before a chmod.
            before = os.umask(0o177)
            try:
                sock.bind(path)
            finally:
                os.umask(before)
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def remove_control_socket(folder: Path) -> None:
    with suppress(FileNotFoundError):
        (folder / SOCKET).unlink()
