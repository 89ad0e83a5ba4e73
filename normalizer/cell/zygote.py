"""The zygote: a single-threaded process with warm decoders that forks one cell for each request.

It is a fresh interpreter, so that no thread, secret or descriptor of the gateway is in it. It never sees a
file of a customer itself. When the gateway goes away, it goes, and takes its cells with it.
"""

import gc
import os
import select
import signal
import socket

from . import inmate, walls, wire


def serve(control_fd: int) -> None:
    """Forks cells on request until the gateway closes its end."""
    control = socket.socket(fileno=control_fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    wake_reader = _wake_on_child()
    belongings = inmate.prepare()
    states = walls.raise_shared()
    gc.disable()
    gc.freeze()
    children: set[int] = set()
    wire.send(control, {"ready": states})
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake_reader, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if wake_reader in ready:
            os.read(wake_reader, 4096)
            _reap(control, children)
        if control.fileno() in ready and not _obey(control, belongings, children):
            return


def _wake_on_child() -> int:
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def _obey(control: socket.socket, belongings: inmate.Belongings, children: set[int]) -> bool:
    try:
        message, descriptors = wire.receive(control, 1)
    except (EOFError, ConnectionError):
        return False
    if "spawn" in message:
        children.add(_spawn(control, message["spawn"], descriptors[0], belongings))
    elif message["kill"] in children:
        # Not reaped yet, so the number still means our child.
        os.kill(message["kill"], signal.SIGKILL)
    return True


def _spawn(
    control: socket.socket,
    own_walls: list[str],
    door: int,
    belongings: inmate.Belongings,
) -> int:
    threads = len(os.listdir(belongings.threads))  # noqa: PTH208  # by descriptor: names lead nowhere any more
    if threads != 1:
        # A fork copies one thread only; locks that the others hold would stay locked for ever.
        raise RuntimeError(f"the zygote has {threads} threads")
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        inmate.live(parent, own_walls, door, belongings)
    pidfd = os.pidfd_open(pid)
    wire.send(control, {"spawned": pid}, [pidfd])
    for descriptor in (pidfd, door):
        os.close(descriptor)
    return pid


def _reap(control: socket.socket, children: set[int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        children.discard(pid)
        wire.send(control, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})
