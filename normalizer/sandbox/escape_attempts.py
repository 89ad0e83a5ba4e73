"""Attempts that a compromised decoder would make; each must fail to prove its isolation layer.

They run in sandboxes of their own when the gateway starts. An attempt that succeeds returns, which is a failed
self-test; if the layer holds, the attempt raises or the process is killed.
"""

import ctypes
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from . import linux
from .job import JobRequest


def _open_a_file() -> None:
    os.close(os.open(sys.executable, os.O_RDONLY))


def _write_a_file() -> None:
    os.close(os.open(f"/tmp/{os.getpid()}", os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))  # noqa: S108  # must fail


def _open_a_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _listen() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _execute() -> None:
    os.execv(sys.executable, [sys.executable, "-c", ""])  # noqa: S606  # must fail


def _signal_the_zygote() -> None:
    os.kill(os.getppid(), 0)


def _run_written_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _keep_privileges() -> None:
    if not linux.has_capabilities():
        raise PermissionError("no capability is left")


def _gain_privileges() -> None:
    if ctypes.CDLL(None).prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1:
        raise PermissionError("no new privileges")


def _take_all_memory() -> None:
    kept = [mmap.mmap(-1, 1 << 28) for _ in range(64)]
    for each in kept:
        each.close()


def _open_many_files() -> None:
    for _ in range(256):
        os.dup(0)


def _write_without_end() -> None:
    descriptor = os.memfd_create("flood")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.ftruncate(descriptor, 1 << 40)


_PR_GET_NO_NEW_PRIVS = 39

#: The attempts against each layer. Those against "seccomp" run with all layers, the others without seccomp, which
#: would hide whether the layer holds on its own.
ATTEMPTS: dict[str, dict[str, Callable[[], None]]] = {
    "privileges": {"keep privileges": _keep_privileges},
    "no_new_privs": {"gain privileges": _gain_privileges},
    "landlock": {"open a file": _open_a_file, "write a file": _write_a_file},
    "limits": {
        "take all memory": _take_all_memory,
        "open many files": _open_many_files,
        "write without end": _write_without_end,
    },
    "seccomp": {
        "open a file": _open_a_file,
        "open a socket": _open_a_socket,
        "fork": _fork,
        "execute a program": _execute,
        "signal another process": _signal_the_zygote,
        "run code it wrote": _run_written_code,
    },
}


def attempt(request: JobRequest) -> dict[str, Any]:
    """Run the attempt of a job. Return whether it failed, and how."""
    try:
        ATTEMPTS[request.message["layer"]][request.message["attempt"]]()
    except (OSError, MemoryError) as exc:
        return {"held": True, "how": str(exc)}
    return {"held": False}
