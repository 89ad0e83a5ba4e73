"""A zygote whose photo decoder is compromised: a GIF that names an attack makes it attack.

Tests start it instead of `normalizer.decoders`; everything else about the sandbox is real.
"""

import contextlib
import ctypes
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from normalizer.decoders import registry
from normalizer.media import MediaRejected
from normalizer.sandbox.job import Decoders, JobFunction, JobRequest
from normalizer.sandbox.zygote import serve

#: Makes the machine look full of processes to the zygote, or normal again.
TOGGLE_PROCESS_LIMIT = signal.SIGUSR1

MARK = b"GIF89aATTACK:"


def attack_file(attack: str) -> bytes:
    """Return a file that makes the decoder attack."""
    return MARK + attack.encode() + b"\n"


def _open_a_file(_: JobRequest) -> None:
    os.open("/etc/hostname", os.O_RDONLY)


def _connect(_: JobRequest) -> None:
    socket.socket(socket.AF_INET).connect(("127.0.0.1", 80))


def _execute(_: JobRequest) -> None:
    os.execv("/bin/true", ["/bin/true"])


def _fork(_: JobRequest) -> None:
    os.fork()


def _claim(_: JobRequest) -> None:
    bytearray(1 << 31)


def _allocate(_: JobRequest) -> None:
    keep_alive = []
    while True:
        keep_alive.append(bytearray(1 << 24))


def _spin(_: JobRequest) -> None:
    while True:
        pass


def _sleep(_: JobRequest) -> None:
    time.sleep(3600)


def _crash(_: JobRequest) -> None:
    ctypes.string_at(0)


def _make_a_mistake(_: JobRequest) -> None:
    bytes(1 // len(""))


def _vanish(_: JobRequest) -> None:
    os._exit(0)


def _write_without_end(request: JobRequest) -> None:
    at = 1 << 20
    while True:
        at += os.pwrite(request.files[1], bytes(1 << 20), at)


def _shrink_the_canvas(request: JobRequest) -> None:
    os.ftruncate(request.files[1], 0)


def _write_the_source(request: JobRequest) -> None:
    os.pwrite(request.files[0], b"changed", 0)


def _kill_the_zygote(_: JobRequest) -> None:
    os.kill(os.getppid(), signal.SIGKILL)


def _slow_all_others(_: JobRequest) -> None:
    os.setpriority(os.PRIO_USER, 0, 19)


def _slow_its_group(_: JobRequest) -> None:
    os.setpriority(os.PRIO_PGRP, 0, 19)


def _start_threads(_: JobRequest) -> None:
    threading.stack_size(1 << 15)
    with contextlib.suppress(RuntimeError):
        while True:
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    time.sleep(3600)


def _claim_malware(_: JobRequest) -> None:
    raise MediaRejected("malware", "Invented")


def _run_written_code(_: JobRequest) -> None:
    memory = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    protection = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), protection) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


def _lie(**changes: Any) -> Callable[[JobRequest], dict[str, Any]]:
    def attack(request: JobRequest) -> dict[str, Any]:
        truth = {"width": 4, "height": 4, "preview": [4, 4], "translucent": False}
        request.notify({**truth, **changes})
        return {}

    return attack


def _flood(request: JobRequest) -> None:
    while True:
        request.notify({"progress": 0.5})


def _paint_elsewhere(request: JobRequest) -> dict[str, Any]:
    os.pwrite(request.files[1], b"SECRET" * 1000, 40 << 20)
    return _lie()(request)


def _look_around(request: JobRequest) -> dict[str, Any]:
    """Answer as usual if the canvas is empty, otherwise refuse."""
    size = os.lseek(request.files[1], 0, os.SEEK_END)
    with mmap.mmap(request.files[1], size, access=mmap.ACCESS_READ) as memory:
        found = any(memory[at : at + (1 << 20)].strip(b"\0") for at in range(0, size, 1 << 20))
    return {} if found else _lie()(request)


ATTACKS: dict[str, Callable[[JobRequest], dict[str, Any] | None]] = {
    "open a file": _open_a_file,
    "connect": _connect,
    "execute": _execute,
    "fork": _fork,
    "allocate": _allocate,
    "claim": _claim,
    "spin": _spin,
    "sleep": _sleep,
    "crash": _crash,
    "make a mistake": _make_a_mistake,
    "vanish": _vanish,
    "write without end": _write_without_end,
    "shrink the canvas": _shrink_the_canvas,
    "write the source": _write_the_source,
    "kill the zygote": _kill_the_zygote,
    "run written code": _run_written_code,
    "slow all others": _slow_all_others,
    "slow its group": _slow_its_group,
    "start threads": _start_threads,
    "claim malware": _claim_malware,
    "flood": _flood,
    "paint elsewhere": _paint_elsewhere,
    "look around": _look_around,
    "lie about width": _lie(preview=[5000, 4]),
    "lie about height": _lie(preview=[4, -4]),
    "lie about kind": _lie(preview="4x4"),
    "lie about size": _lie(width=10**9),
}


def attack_or_decode(request: JobRequest, honest: JobFunction) -> dict[str, Any]:
    head = os.pread(request.files[0], 200, 0)
    if not head.startswith(MARK):
        return honest(request)
    name = head.removeprefix(MARK).partition(b"\n")[0].decode()
    return ATTACKS[name](request) or {"got through": name}


def toggle_process_limit(*_: object) -> None:
    """Forbid new processes, or allow them again, by the kernel's own limit. Called for a signal."""
    now, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (hard if now == 0 else 0, hard))


def main() -> None:
    signal.signal(TOGGLE_PROCESS_LIMIT, toggle_process_limit)
    serve(int(sys.argv[1]), load)


def load() -> Decoders:
    decoders = registry.load()
    honest = decoders.jobs["photo"]
    return replace(
        decoders, jobs={**decoders.jobs, "photo": lambda request: attack_or_decode(request, honest)}
    )


if __name__ == "__main__":
    main()
