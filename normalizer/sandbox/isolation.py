"""The isolation layers of a sandbox: the zygote applies some for all its children, each child applies the rest.

All layers are permanent: no code in the sandbox, not even as root, can remove one.
"""

import errno
import os
import resource
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

from . import linux, seccomp
from .syscall_numbers import PROCESSORS

Layer = Literal["privileges", "no_new_privs", "landlock", "limits", "seccomp"]


#: The user "nobody", who owns nothing and may do nothing.
_NOBODY = 65534

#: More than the largest permitted photo (64 megapixels of HEIC) needs in addition to the loaded libraries.
_MEMORY_BYTES = 1 << 30
_CPU_SECONDS = 1800
_OPEN_FILES = 32

#: Bits of linux/landlock.h by the ABI version that added them: all file accesses there are.
_LANDLOCK_FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_LANDLOCK_TCP, _LANDLOCK_SCOPES = 0b11, 0b11

#: The kernel does not have Landlock, or it was switched off at boot.
_NO_LANDLOCK = frozenset({errno.ENOSYS, errno.EOPNOTSUPP})
NOT_IN_THIS_KERNEL = "not in this kernel"


def apply_shared_layers() -> dict[str, str]:
    """Apply, in the zygote, the layers that its children inherit. Return an error, or "", for each layer."""
    layers: dict[Layer, Callable[[], None]] = {
        "privileges": _drop_privileges,
        "no_new_privs": lambda: linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1),
        "landlock": _landlock,
    }
    return {name: _apply(apply) for name, apply in layers.items()}


def apply_own_layers(
    layers: Collection[str], file_bytes: int, virtual_bytes: int, processes: int
) -> None:
    """Apply the named layers in the child. Raise OSError if one cannot be applied."""
    if "limits" in layers:
        _limit(file_bytes, virtual_bytes + _MEMORY_BYTES, processes)
    if "seccomp" in layers:
        linux.install_filter(_FILTER())


def lower_limits(cpu_seconds: int, address_bytes: int | None = None) -> None:
    """Lower the limits once the job is known."""
    # At the first limit, the kernel sends a signal that says why; at the second, it kills.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    if address_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (address_bytes, address_bytes))


def virtual_bytes() -> int:
    """Return the size of the address space in use now."""
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()


def _apply(apply: Callable[[], None]) -> str:
    try:
        apply()
    except OSError as exc:
        return NOT_IN_THIS_KERNEL if exc.errno in _NO_LANDLOCK else str(exc)
    return ""


def _drop_privileges() -> None:
    if os.geteuid() == 0:
        _become_nobody()
    linux.prctl(linux.PR_CAP_AMBIENT, linux.PR_CAP_AMBIENT_CLEAR_ALL)
    linux.drop_capabilities()


def _become_nobody() -> None:
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except PermissionError:
        # In containers, root may lack the privilege to change its user. What it has left goes with its
        # capabilities, and the self-test checks those, not the name.
        return


def _landlock() -> None:
    abi = linux.landlock_version()
    files = sum(bits for since, bits in _LANDLOCK_FILES.items() if since <= abi)
    linux.landlock_forbid(
        files,
        _LANDLOCK_TCP if abi >= 4 else 0,
        _LANDLOCK_SCOPES if abi >= 6 else 0,
        abi,
    )


def process_limit() -> int:
    """Return half of the processes and threads that the machine allows. All of one user count, so it cannot be less."""
    paths = (Path("/proc/sys/kernel") / name for name in ("pid_max", "threads-max"))
    return min(int(path.read_bytes()) for path in paths) // 2


def overcommits_memory() -> bool:
    """Return whether the kernel grants memory in advance. If so, only a sandbox's own limit refuses memory."""
    return Path("/proc/sys/vm/overcommit_memory").read_bytes().strip() != _STRICT


#: See Linux's Documentation/mm/overcommit-accounting.
_STRICT = b"2"


def _limit(file_bytes: int, address_bytes: int, processes: int) -> None:
    limits = {
        resource.RLIMIT_AS: address_bytes,
        resource.RLIMIT_CPU: _CPU_SECONDS,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (lowest, lowest))


def _filter() -> Callable[[], bytes]:
    """Return a function that builds the filter once, before the first fork."""
    programs: list[bytes] = []

    def built() -> bytes:
        if not programs:
            machine = os.uname().machine
            if machine not in PROCESSORS:
                raise OSError(
                    errno.ENOSYS, f"the seccomp filter does not support the processor {machine}"
                )
            programs.append(seccomp.program(PROCESSORS[machine]))
        return programs[0]

    return built


_FILTER = _filter()
