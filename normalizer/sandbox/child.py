"""The sandbox process itself: sets up, takes one job, answers, exits."""

import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from normalizer.media import MediaRejected

from . import escape_attempts, isolation, linux, protocol
from .job import Decoders, JobFunction, JobRequest
from .seccomp import CONTROL_FD
from .verdicts import verdict

_UNUSED_FD = 64

#: Jobs run below the gateway, which answers webhooks meanwhile, and long jobs below those that somebody waits for.
_NICENESS, _LONG_NICENESS = 10, 15

#: The source, the canvas and a video file.
MAX_FILES = 3

#: The largest file a sandbox may write: the longest video allowed, re-encoded.
_FILE_BYTES = 1 << 29


@dataclass(frozen=True, slots=True)
class PreparedState:
    """State that must be prepared while the file system is still reachable."""

    jobs: Mapping[str, JobFunction]
    warm_child: Callable[[], None]
    null: int
    #: The zygote's directory of threads.
    threads: int
    #: The address space of the zygote with all libraries loaded.
    virtual_bytes: int
    #: The limit on processes of all sandboxes together, and of everything else that runs as their user.
    processes: int
    #: Whether a failed allocation means that the sandbox reached its own limit, and will reach it again.
    memory_errors_are_final: bool


def prepare(decoders: Decoders) -> PreparedState:
    """Prepare the state in the zygote, because the isolation layers prevent opening and loading."""
    return PreparedState(
        jobs={"empty": lambda _: {}, "attempt": escape_attempts.attempt, **decoders.jobs},
        warm_child=decoders.warm_child,
        null=os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC),
        threads=os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC),
        virtual_bytes=isolation.virtual_bytes(),
        processes=isolation.process_limit(),
        memory_errors_are_final=isolation.overcommits_memory(),
    )


def run(parent: int, own_layers: list[str], control_fd: int, prepared: PreparedState) -> NoReturn:
    """Run the sandbox process: one job, one answer. Never returns."""
    try:
        _die_with_parent(parent)
        _set_up_descriptors(control_fd, prepared.null)
        control = socket.socket(fileno=CONTROL_FD)
        _warm_up(prepared)
        isolation.apply_own_layers(
            own_layers, _FILE_BYTES, prepared.virtual_bytes, prepared.processes
        )
        message, files = protocol.receive(control, MAX_FILES)
        if "limits" in own_layers:
            isolation.lower_limits(message["cpu_seconds"], _address_bytes(message, prepared))
        os.nice(_LONG_NICENESS if message.get("low_priority") else _NICENESS)
        request = JobRequest(
            message,
            files,
            lambda note: protocol.send(control, {"note": note}),
            wait=lambda: _wait(control),
        )
        final = "limits" in own_layers and prepared.memory_errors_are_final
        protocol.send(control, _run_job(prepared, request, final=final))
        if request.keep_alive:
            # Freeing it takes milliseconds of processor time. The gateway decides when.
            with contextlib.suppress(EOFError, ConnectionError):
                protocol.receive(control)
    finally:
        # Not sys.exit: the interpreter's clean-up belongs to the zygote.
        os._exit(0)


def _wait(control: socket.socket) -> None:
    protocol.receive(control)


def _address_bytes(message: dict[str, Any], prepared: PreparedState) -> int | None:
    """Return the address space for a job that needs less than a sandbox has."""
    memory = message.get("memory_bytes")
    return None if memory is None else prepared.virtual_bytes + int(memory)


def _warm_up(prepared: PreparedState) -> None:
    """Run an empty job, because the first use of memory after a fork takes time."""
    prepared.warm_child()
    here, there = protocol.pair()
    with here, there:
        protocol.send(here, {"job": "empty"})
        message, _ = protocol.receive(there, MAX_FILES)
        protocol.send(
            there, _run_job(prepared, JobRequest(message, [], lambda _: None), final=False)
        )


def _die_with_parent(parent: int) -> None:
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _set_up_descriptors(control_fd: int, null: int) -> None:
    """Leave open only the control socket and a null device for the standard streams, at their descriptors."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    control, null_copy = (
        fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, _UNUSED_FD) for each in (control_fd, null)
    )
    for place, descriptor in {
        0: null_copy,
        1: null_copy,
        2: null_copy,
        CONTROL_FD: control,
    }.items():
        os.dup2(descriptor, place, inheritable=False)
    os.closerange(CONTROL_FD + 1, os.sysconf("SC_OPEN_MAX"))


def _run_job(prepared: PreparedState, request: JobRequest, *, final: bool) -> dict[str, Any]:
    try:
        return {"done": prepared.jobs[request.message["job"]](request)}
    except MediaRejected as refusal:
        return {"rejected": refusal.reason, "detail": refusal.detail}
    except Exception as exc:  # noqa: BLE001  # each becomes an answer: about the file, or about our mistake
        return verdict(exc, final=final)
