"""The seccomp filter of a sandbox: the system calls it may use, as a program that the kernel runs for each call.

A call that is not named fails with EPERM. A call that only an attacker would make ends the process.
"""

import errno
import mmap
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .syscall_numbers import Processor

# Instructions of classic BPF (linux/bpf_common.h) and verdicts of linux/seccomp.h.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000

# Offsets into struct seccomp_data; only the low half of each argument matters, see _Rule.
_NUMBER, _PROCESSOR, _ARGUMENTS = 0, 4, 16

#: The descriptor of the socket to the gateway, the only one on which a sandbox may send and receive.
CONTROL_FD = 3

_F_GETFD, _F_GETFL, _F_DUPFD_CLOEXEC = 1, 3, 1030
_PR_SET_NAME = 15
_PRIO_PROCESS = 0
_CLONE_THREAD_IN_SAME_MEMORY = 0x00010100

#: Most frequent first: the kernel compares from the top.
ALLOWED = (
    "pread64",
    "pwrite64",
    "read",
    "futex",
    "madvise",
    "mincore",
    "munmap",
    "brk",
    "mremap",
    "lseek",
    "close",
    "fstat",
    "readv",
    "clock_gettime",
    "gettimeofday",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "sched_yield",
    "sched_getaffinity",
    "getcpu",
    "getpid",
    "gettid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getrandom",
    "getrusage",
    "sysinfo",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "set_robust_list",
    "rseq",
    "exit",
    "exit_group",
)

#: No decoder ever makes these calls.
KILLED = (
    "accept",
    "add_key",
    "bpf",
    "connect",
    "delete_module",
    "execve",
    "execveat",
    "finit_module",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "kexec_load",
    "keyctl",
    "mount",
    "open_by_handle_at",
    "perf_event_open",
    "personality",
    "pidfd_getfd",
    "pidfd_send_signal",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "request_key",
    "setns",
    "socket",
    "socketpair",
    "umount2",
    "unshare",
    "userfaultfd",
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """Allows a call if `argument & mask` is one of `values`, and the argument `zero` is 0.

    The high half of an argument is ignored: the kernel takes these arguments as 32 bits, or defines no flags there.
    """

    name: str
    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    zero: int | None = None


_RULES = (
    _Rule("mmap", 2, (0,), mask=mmap.PROT_EXEC),
    _Rule("mprotect", 2, (0,), mask=mmap.PROT_EXEC),
    _Rule("sendmsg", 0, (CONTROL_FD,)),
    _Rule("recvmsg", 0, (CONTROL_FD,)),
    # Threads, which libde265 always starts, but no processes.
    _Rule("clone", 0, (_CLONE_THREAD_IN_SAME_MEMORY,), mask=_CLONE_THREAD_IN_SAME_MEMORY),
    _Rule("fcntl", 1, (_F_GETFD, _F_GETFL, _F_DUPFD_CLOEXEC)),
    _Rule("prctl", 0, (_PR_SET_NAME,)),
    # A sandbox lowers its own limits when it receives its job; it may not raise any.
    _Rule("prlimit64", 0, (0,)),
    # Its own priority, which it can only lower. Other processes of the same user are out of reach.
    _Rule("getpriority", 0, (_PRIO_PROCESS,), zero=1),
    _Rule("setpriority", 0, (_PRIO_PROCESS,), zero=1),
)

#: The flags of clone3 are behind a pointer, which a filter cannot follow. C libraries then use clone.
_UNIMPLEMENTED = ("clone3",)


def program(processor: Processor) -> bytes:
    """Return the filter as an array of struct sock_filter."""
    return b"".join(struct.pack("=HBBI", *each) for each in _instructions(processor))


_Instruction = tuple[int, int, int, int]


def _instructions(processor: Processor) -> Iterator[_Instruction]:
    yield (_LOAD, 0, 0, _PROCESSOR)
    yield (_JUMP_EQUAL, 1, 0, processor.audit)
    yield (_RETURN, 0, 0, _KILL)
    yield (_LOAD, 0, 0, _NUMBER)
    if processor.foreign_from is not None:
        yield (_JUMP_AT_LEAST, 0, 1, processor.foreign_from)
        yield (_RETURN, 0, 0, _KILL)
    yield from _verdicts(processor, ALLOWED, _ALLOW)
    for rule in _RULES:
        yield from _conditional(processor, rule)
    yield from _verdicts(processor, _UNIMPLEMENTED, _REFUSE | errno.ENOSYS)
    yield from _verdicts(processor, KILLED, _KILL)
    yield (_RETURN, 0, 0, _REFUSE | errno.EPERM)


def _verdicts(processor: Processor, names: Iterable[str], verdict: int) -> Iterator[_Instruction]:
    for name in names:
        number = processor.number(name)
        if number is not None:
            yield (_JUMP_EQUAL, 0, 1, number)
            yield (_RETURN, 0, 0, verdict)


def _conditional(processor: Processor, rule: _Rule) -> Iterator[_Instruction]:
    number = processor.number(rule.name)
    if number is None:
        return
    body: list[_Instruction] = []
    if rule.zero is not None:
        body += [
            (_LOAD, 0, 0, _ARGUMENTS + 8 * rule.zero),
            (_JUMP_EQUAL, 1, 0, 0),
            (_RETURN, 0, 0, _REFUSE | errno.EPERM),
        ]
    body += [(_LOAD, 0, 0, _ARGUMENTS + 8 * rule.argument), (_AND, 0, 0, rule.mask)]
    for value in rule.values:
        body += [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
    body.append((_RETURN, 0, 0, _REFUSE | errno.EPERM))
    yield (_JUMP_EQUAL, 0, len(body), number)
    yield from body
