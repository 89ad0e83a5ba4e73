"""The gateway's side of the zygote: starts it, requests sandboxes, and receives their exit statuses."""

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Collection
from typing import Any

from . import protocol
from .errors import SandboxUnavailable
from .process import SandboxProcess

_log = logging.getLogger(__name__)

#: Warm-up takes about a second; this leaves room for a machine that starts everything at once.
_START_SECONDS = 60.0
_END_SECONDS = 5.0

_MODULE = "normalizer.decoders"

#: A sandbox that was requested: its process id, its pidfd, and its future exit status.
SpawnRequest = asyncio.Future[tuple[int, int, asyncio.Future[int]]]

#: Memory that a warm process has touched is kept, and large blocks use huge pages.
_MALLOC = (
    "hugetlb=1",
    "mmap_threshold=8388608",
    "trim_threshold=134217728",
    "top_pad=8388608",
)


class Zygote:
    """The process that forks sandboxes. `layers` holds an error, or "", for each layer that it applied."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process, self._control = process, control
        self._spawns: deque[SpawnRequest] = deque()
        self._exit_statuses: dict[int, asyncio.Future[int]] = {}
        self.layers: dict[str, str] = {}
        self.gone = False
        #: Bytes of the largest sandbox so far, including the memory that all share with the zygote.
        self.peak_memory = 0

    @classmethod
    async def start(cls) -> "Zygote":
        """Start a zygote and wait until it is warm. Raise SandboxUnavailable if that fails."""
        ours, theirs = protocol.pair()
        ours.setblocking(False)
        with theirs:
            process = _launch(theirs)
        zygote = cls(process, ours)
        try:
            await zygote._wait_until_ready()
        except BaseException:
            await zygote.close()
            raise
        return zygote

    async def spawn(self, layers: Collection[str]) -> SandboxProcess:
        """Return a new sandbox with the named layers in addition to the zygote's own."""
        ours, theirs = protocol.pair()
        ours.setblocking(False)
        spawned: SpawnRequest = asyncio.get_running_loop().create_future()
        try:
            with theirs:
                self._send({"spawn": list(layers)}, [theirs.fileno()])
            self._spawns.append(spawned)
            pid, pidfd, exit_status = await asyncio.shield(spawned)
        except BaseException:
            spawned.add_done_callback(_abandon)
            ours.close()
            raise
        return SandboxProcess(pid, pidfd, ours, exit_status, self._kill)

    async def close(self) -> None:
        """End the zygote; its sandboxes end with it."""
        self._mark_gone()
        try:
            await asyncio.to_thread(self._process.wait, _END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    async def _wait_until_ready(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                await _readable(self._control.fileno())
            message, _ = protocol.receive(self._control)
        except TimeoutError:
            raise SandboxUnavailable(
                f"The decoder process was not ready after {_START_SECONDS:g} s."
            ) from None
        except (EOFError, ConnectionError):
            raise SandboxUnavailable(
                "The decoder process exited while it started; see its output above for the reason."
            ) from None
        self.layers = message["ready"]
        for warning in message["warnings"]:
            _log.warning("decoder_warning: %s", warning)
        asyncio.get_running_loop().add_reader(self._control.fileno(), self._receive)

    def _receive(self) -> None:
        try:
            message, descriptors = protocol.receive(self._control, 1)
        except BlockingIOError:
            return
        except (EOFError, ConnectionError):
            self._mark_gone()
            return
        if "spawned" in message:
            self._resolve_spawn(message["spawned"], descriptors[0])
        elif "unspawned" in message:
            reason = message["unspawned"]
            self._spawns.popleft().set_exception(
                SandboxUnavailable(f"A decoder cannot be started: {reason}.")
            )
        elif "ended" in message:
            self.peak_memory = max(self.peak_memory, message["memory"])
            self._resolve_exit(message["ended"], message["status"])

    def _resolve_spawn(self, pid: int, pidfd: int) -> None:
        exit_status = self._exit_statuses[pid] = asyncio.get_running_loop().create_future()
        self._spawns.popleft().set_result((pid, pidfd, exit_status))

    def _resolve_exit(self, pid: int, status: int) -> None:
        exit_status = self._exit_statuses.pop(pid, None)
        if exit_status and not exit_status.done():
            exit_status.set_result(status)

    def _send(self, message: dict[str, Any], descriptors: Collection[int] = ()) -> None:
        if self.gone:
            raise SandboxUnavailable("The decoder process has ended.")
        try:
            protocol.send(self._control, message, list(descriptors))
        except (ConnectionError, BlockingIOError) as exc:
            raise SandboxUnavailable(
                f"The decoder process does not accept requests: {exc}."
            ) from None

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(SandboxUnavailable):
            self._send({"kill": pid})

    def _mark_gone(self) -> None:
        if self.gone:
            return
        self.gone = True
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        for spawned in self._spawns:
            spawned.set_exception(SandboxUnavailable("The decoder process has ended."))
        self._spawns.clear()
        for exit_status in self._exit_statuses.values():
            exit_status.set_exception(SandboxUnavailable("The decoder process has ended."))
            # Usually nothing waits for it; retrieved, so that asyncio does not log it.
            exit_status.exception()
        self._exit_statuses.clear()


def _launch(control: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-s", "-P", "-m", _MODULE, str(control.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=[control.fileno()],
        # Ctrl+C at the gateway's terminal is handled by the gateway.
        start_new_session=True,
        env=_environment(),
        cwd="/",
    )


def _environment() -> dict[str, str]:
    """Return only the import path: settings and secrets are in the gateway's environment."""
    return {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        # A fresh process spends its time on page faults, not on system calls; huge pages avoid most of them.
        "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{name}" for name in _MALLOC),
        # The numeric libraries would start a thread per processor, and threads do not survive a fork.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _abandon(spawned: SpawnRequest) -> None:
    """Release a sandbox whose caller is gone: closing its socket ends it, so only the pidfd is left."""
    if not spawned.cancelled() and spawned.exception() is None:
        os.close(spawned.result()[1])


async def _readable(descriptor: int) -> None:
    """Return once reading would not block. Leave nothing behind when cancelled."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _set_ready, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _set_ready(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
