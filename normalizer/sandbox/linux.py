"""The few kernel interfaces that Python has no function for."""

import ctypes
import os
from collections.abc import Mapping

_LIBC = ctypes.CDLL(None, use_errno=True)

# linux/prctl.h
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

# linux/seccomp.h. Without SPEC_ALLOW, older kernels slow down every filtered process to prevent an attack
# (speculative store bypass) that only reads the process's own memory.
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1, 4
_SECCOMP = {"x86_64": 317, "aarch64": 277}

# The same number on all processors.
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_CREATE_RULESET_VERSION = 1

_CAPGET = {"x86_64": 125, "aarch64": 90}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522


def prctl(option: int, *arguments: int) -> None:
    padded = [*arguments, 0, 0, 0, 0][:4]
    if _LIBC.prctl(option, *(ctypes.c_ulong(each) for each in padded)) != 0:
        raise _failure("prctl")


def install_filter(program: bytes) -> None:
    """Put the calling thread under a seccomp filter, permanently."""
    instructions = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.cast(instructions, ctypes.c_void_p))
    _call(
        _number(_SECCOMP),
        _SECCOMP_SET_MODE_FILTER,
        _SECCOMP_FILTER_FLAG_SPEC_ALLOW,
        ctypes.addressof(header),
    )


def has_capabilities() -> bool:
    """Return whether any root privilege is in effect or can be gained."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    _call(_number(_CAPGET), ctypes.addressof(header), ctypes.addressof(sets))
    return any(sets)


def landlock_version() -> int:
    """Return the Landlock ABI version of the kernel. Raise OSError if the kernel does not have Landlock."""
    return _call(_LANDLOCK_CREATE_RULESET, 0, 0, _LANDLOCK_CREATE_RULESET_VERSION)


def landlock_forbid(files: int, network: int, scopes: int, version: int) -> None:
    """Forbid all named accesses, without exception and permanently."""
    attributes = _Ruleset(files, network, scopes)
    # Older kernels refuse a structure that is longer than they know.
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _call(_LANDLOCK_CREATE_RULESET, ctypes.addressof(attributes), size, 0)
    try:
        _call(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def drop_capabilities() -> None:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _call(_number(_CAPSET), ctypes.addressof(header), ctypes.addressof(none))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


def _number(numbers: Mapping[str, int]) -> int:
    machine = os.uname().machine
    if machine not in numbers:
        raise OSError(f"the system call numbers of the processor {machine} are unknown")
    return numbers[machine]


def _call(number: int, *arguments: int) -> int:
    result: int = _LIBC.syscall(
        ctypes.c_long(number), *(ctypes.c_ulong(each) for each in arguments)
    )
    if result < 0:
        raise _failure(f"system call {number}")
    return result


def _failure(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
