"""The isolation layers of decoders: each is in place and tested at start, and nothing starts without them."""

import errno
import mmap
import os
import struct
import subprocess
import sys
import textwrap

import pytest

from normalizer.sandbox import escape_attempts, seccomp
from normalizer.sandbox.isolation import NOT_IN_THIS_KERNEL
from normalizer.sandbox.self_test import may_be_missing, run_self_test
from normalizer.sandbox.syscall_numbers import PROCESSORS, Processor
from normalizer.sandbox.zygote_client import Zygote

from .media_samples import encoded, quadrants

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
BOTH_PROCESSORS = pytest.mark.parametrize("processor", PROCESSORS.values(), ids=lambda p: p.name)


def verdict(processor: Processor, number: int, *arguments: int, audit: int | None = None) -> int:
    """Return the kernel's verdict, with a small interpreter for the few instructions of the filter."""
    data = struct.pack(
        "=iIQ6Q", number, audit or processor.audit, 0, *arguments, *[0] * (6 - len(arguments))
    )
    code = seccomp.program(processor)
    program = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    accumulator = at = 0
    while True:
        operation, when_true, when_false, value = program[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x15:
            at += when_true if accumulator == value else when_false
        elif operation == 0x35:
            at += when_true if accumulator >= value else when_false
        else:
            assert operation == 0x06
            return int(value)


def number(processor: Processor, name: str) -> int:
    found = processor.number(name)
    assert found is not None
    return found


@BOTH_PROCESSORS
def test_every_call_that_decoding_needs_is_allowed(processor: Processor) -> None:
    for name in seccomp.ALLOWED:
        assert verdict(processor, number(processor, name)) == ALLOW, name


@BOTH_PROCESSORS
def test_calls_that_only_attackers_make_kill_the_process(processor: Processor) -> None:
    for name in seccomp.KILLED:
        assert verdict(processor, number(processor, name)) == KILL, name


@BOTH_PROCESSORS
@pytest.mark.parametrize(
    "name",
    [
        "open",
        "openat",
        "openat2",
        "write",
        "writev",
        "fork",
        "vfork",
        "kill",
        "tkill",
        "tgkill",
        "memfd_create",
    ],
)
def test_calls_that_a_library_may_try_are_refused(processor: Processor, name: str) -> None:
    if processor.number(name) is not None:
        assert verdict(processor, number(processor, name)) == REFUSE | errno.EPERM


@BOTH_PROCESSORS
def test_memory_is_never_executable(processor: Processor) -> None:
    writable = mmap.PROT_READ | mmap.PROT_WRITE
    for name in ("mmap", "mprotect"):
        call = number(processor, name)
        assert verdict(processor, call, 0, 4096, writable) == ALLOW
        assert verdict(processor, call, 0, 4096, writable | mmap.PROT_EXEC) == REFUSE | errno.EPERM


@BOTH_PROCESSORS
def test_threads_may_start_and_processes_may_not(processor: Processor) -> None:
    clone = number(processor, "clone")
    thread, process = 0x3D0F00, 17
    assert verdict(processor, clone, thread) == ALLOW
    assert verdict(processor, clone, process) == REFUSE | errno.EPERM
    assert verdict(processor, clone, thread & ~0x10000) == REFUSE | errno.EPERM
    # Its flags are in memory, so the C library must use clone instead.
    assert verdict(processor, number(processor, "clone3")) == REFUSE | errno.ENOSYS


@BOTH_PROCESSORS
def test_a_sandbox_uses_only_its_control_socket(processor: Processor) -> None:
    for name in ("sendmsg", "recvmsg"):
        call = number(processor, name)
        assert verdict(processor, call, seccomp.CONTROL_FD) == ALLOW
        assert verdict(processor, call, seccomp.CONTROL_FD + 1) == REFUSE | errno.EPERM


@BOTH_PROCESSORS
def test_a_sandbox_sets_only_its_own_priority(processor: Processor) -> None:
    of_process, of_group, of_user = 0, 1, 2
    for name in ("getpriority", "setpriority"):
        call = number(processor, name)
        assert verdict(processor, call, of_process, 0, 10) == ALLOW
        for which, who in ((of_process, 4711), (of_group, 0), (of_user, 0), (of_user, 1000)):
            assert verdict(processor, call, which, who, 10) == REFUSE | errno.EPERM


@BOTH_PROCESSORS
def test_calls_of_another_architecture_kill_the_process(processor: Processor) -> None:
    read = number(processor, "read")
    assert verdict(processor, read, audit=0x40000003) == KILL
    if processor.foreign_from is not None:
        assert verdict(processor, read | processor.foreign_from) == KILL


async def test_every_layer_passes_the_self_test_here() -> None:
    zygote = await Zygote.start()
    try:
        found = await run_self_test(zygote)
    finally:
        await zygote.close()
    assert set(found) == set(escape_attempts.ATTEMPTS)
    assert {layer: why for layer, why in found.items() if not may_be_missing(layer, why)} == {}


async def test_the_self_test_notices_a_sandbox_without_layers() -> None:
    zygote = await Zygote.start()
    try:
        for layer in ("limits", "seccomp"):
            for attempt in escape_attempts.ATTEMPTS[layer]:
                if layer == "seccomp" and attempt == "open a file":
                    continue  # Landlock stops it as well
                sandbox = await zygote.spawn(())
                job = {"job": "attempt", "layer": layer, "attempt": attempt, "cpu_seconds": 5}
                if attempt == "execute a program":
                    sandbox.end()
                    continue  # the process would be replaced
                answer = await sandbox.ask(job, [], 20)
                sandbox.end()
                assert answer["done"] == {"held": False}, attempt
    finally:
        await zygote.close()


def test_only_landlock_may_be_missing_from_the_kernel() -> None:
    assert may_be_missing("landlock", NOT_IN_THIS_KERNEL)
    assert not may_be_missing("landlock", "a sandbox could open a file")
    assert not may_be_missing("seccomp", NOT_IN_THIS_KERNEL)


#: Refuses one system call to itself and all its children, as container profiles do.
START_WITHOUT = """
    import asyncio, os, struct, sys
    from normalizer.sandbox import linux
    from normalizer.sandbox.errors import SandboxUnavailable
    from normalizer.media import Limits
    from normalizer.sanitizer import Sanitizer

    def refusing(number, error):
        code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | error), (0x06, 0, 0, 0x7FFF0000)]
        return b"".join(struct.pack("=HBBI", *each) for each in code)

    async def main():
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.install_filter(refusing(int(sys.argv[1]), int(sys.argv[2])))
        running = Sanitizer(Limits(), sandboxes=1, isolation=sys.argv[3])
        try:
            await running.start()
            photo = os.memfd_create("photo")
            os.write(photo, bytes.fromhex(sys.argv[4]))
            await running.sanitize(photo)
            print("started without", sorted(running.missing_layers))
        except SandboxUnavailable as error:
            print(error)
        await running.close()

    asyncio.run(main())
"""

SECCOMP = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
PRLIMIT = {"x86_64": 302, "aarch64": 261}[os.uname().machine]
LANDLOCK = 444


def start_without(call: int, error: int, isolation: str) -> str:
    arguments = [str(call), str(error), isolation, encoded(quadrants(64, 48), "PNG").hex()]
    command = [sys.executable, "-c", textwrap.dedent(START_WITHOUT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_nothing_starts_without_seccomp_and_the_error_names_it() -> None:
    output = start_without(SECCOMP, errno.EPERM, "full")
    assert "seccomp" in output
    assert "media.isolation: reduced" in output
    assert "started" not in output


def test_reduced_isolation_starts_and_names_missing_layers() -> None:
    assert start_without(SECCOMP, errno.EPERM, "reduced") == "started without ['seccomp']\n"


def test_other_layers_hold_without_limits() -> None:
    assert "limits" in start_without(PRLIMIT, errno.EPERM, "full")
    assert start_without(PRLIMIT, errno.EPERM, "reduced") == "started without ['limits']\n"


def test_a_kernel_without_landlock_is_accepted() -> None:
    assert start_without(LANDLOCK, errno.ENOSYS, "full") == "started without ['landlock']\n"


def test_a_forbidden_landlock_is_a_missing_layer() -> None:
    assert "landlock" in start_without(LANDLOCK, errno.EPERM, "full")
