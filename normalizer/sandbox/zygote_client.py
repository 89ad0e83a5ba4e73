"""The gateway's side of the zygote: starts it, orders cells from it, hears how they end."""

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

#: Warm-up takes about a second; this is for a machine that is busy starting everything at once.
_START_SECONDS = 60.0
_END_SECONDS = 5.0

_MODULE = "normalizer.decoders"

#: A cell to come: its process, a handle on that, and the exit status to come.
SpawnRequest = asyncio.Future[tuple[int, int, asyncio.Future[int]]]

#: Memory that a warm cell has touched stays its own, and large blocks come in huge pages.
_MALLOC = (
    "hugetlb=1",
    "mmap_threshold=8388608",
    "trim_threshold=134217728",
    "top_pad=8388608",
)


class Zygote:
    """The process that forks cells. `layers` tells what became of those it raised for all of them."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process, self._control = process, control
        self._spawns: deque[SpawnRequest] = deque()
        self._exit_statuses: dict[int, asyncio.Future[int]] = {}
        self.layers: dict[str, str] = {}
        self.gone = False
        #: Bytes that the largest of its cells had, what all share with the zygote included.
        self.peak_memory = 0

    @classmethod
    async def start(cls) -> "Zygote":
        """A zygote that is warm; raises SandboxUnavailable."""
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
        """A new cell behind the walls named (besides the zygote's own)."""
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
        """Ends the zygote; its cells end with it."""
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
                "The decoder process ended while it started; what it wrote above says why."
            ) from None
        self.layers = message["ready"]
        for warning in message["warnings"]:
            _log.warning("media decoders: %s", warning)
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
                SandboxUnavailable(f"No process can be made for a decoder: {reason}.")
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
            raise SandboxUnavailable(f"The decoder process does not listen: {exc}.") from None

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
            # Most of them nobody waits for.
            exit_status.exception()
        self._exit_statuses.clear()


def _launch(control: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-s", "-P", "-m", _MODULE, str(control.fileno())],
        stdin=subprocess.DEVNULL,
        pass_fds=[control.fileno()],
        # An interrupt typed at the gateway's terminal is the gateway's business.
        start_new_session=True,
        env=_environment(),
        cwd="/",
    )


def _environment() -> dict[str, str]:
    """Nothing of ours but where the code lies: settings and secrets live in the environment."""
    return {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        # Page faults, not system calls, are what a fresh process costs: huge pages save most of them.
        "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{name}" for name in _MALLOC),
        # The numeric libraries would start a thread per processor, and threads do not survive a fork.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _abandon(spawned: SpawnRequest) -> None:
    """Whoever ordered the cell is gone: closing its door ends it, only the handle must go."""
    if not spawned.cancelled() and spawned.exception() is None:
        os.close(spawned.result()[1])


async def _readable(descriptor: int) -> None:
    """Return once reading would not block; leave nothing behind when cancelled."""
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
