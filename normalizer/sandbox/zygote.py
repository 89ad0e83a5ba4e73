"""The zygote: a single-threaded process with warm decoders that forks one sandbox for each request.

It is a fresh interpreter, so it holds no thread, secret or descriptor of the gateway. It never reads a customer's
file itself. It exits when the gateway exits, and its sandboxes exit with it.
"""

import contextlib
import gc
import os
import select
import signal
import socket
from collections.abc import Callable

from . import child, isolation, protocol
from .job import Decoders


def serve(control_fd: int, load: Callable[[], Decoders]) -> None:
    """Fork sandboxes on request until the gateway closes its end. `load` loads the decoders into this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=control_fd)
    wakeup = _wake_on_child()
    decoders = load()
    prepared = child.prepare(decoders)
    states = isolation.apply_shared_layers()
    # Existing objects are shared with every child as long as they are not moved.
    gc.disable()
    gc.freeze()
    with contextlib.suppress(EOFError, ConnectionError):
        protocol.send(control, {"ready": states, "warnings": decoders.warnings})
        _Zygote(control, wakeup, prepared).serve()


def _wake_on_child() -> int:
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


class _Zygote:
    def __init__(self, control: socket.socket, wakeup: int, prepared: child.PreparedState) -> None:
        self._control, self._wakeup, self._prepared = control, wakeup, prepared
        self._children: set[int] = set()

    def serve(self) -> None:
        """Serve requests. Raise EOFError or ConnectionError when the gateway is gone."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wakeup, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
                self._reap()
            if self._control.fileno() in ready:
                self._handle_request()

    def _handle_request(self) -> None:
        message, descriptors = protocol.receive(self._control, 1)
        if "spawn" in message:
            self._spawn(message["spawn"], descriptors[0])
        elif message["kill"] in self._children:
            # Not reaped yet, so the number still belongs to our child.
            os.kill(message["kill"], signal.SIGKILL)

    def _spawn(self, own_layers: list[str], child_control: int) -> None:
        threads = len(os.listdir(self._prepared.threads))  # noqa: PTH208  # paths lead nowhere in here
        if threads != 1:
            # A fork copies only one thread; locks that the others hold would stay locked.
            raise RuntimeError(f"the zygote has {threads} threads")
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as exc:
            # The machine has too many processes at the moment. That must not end the busy sandboxes.
            os.close(child_control)
            protocol.send(self._control, {"unspawned": str(exc)})
            return
        if pid == 0:
            child.run(parent, own_layers, child_control, self._prepared)
        self._children.add(pid)
        pidfd = os.pidfd_open(pid)
        try:
            protocol.send(self._control, {"spawned": pid}, [pidfd])
        finally:
            os.close(pidfd)
            os.close(child_control)

    def _reap(self) -> None:
        while self._children:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.discard(pid)
            exit_status = os.waitstatus_to_exitcode(status)
            memory = used.ru_maxrss * 1024
            protocol.send(self._control, {"ended": pid, "status": exit_status, "memory": memory})
