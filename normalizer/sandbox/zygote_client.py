"""The gateway's side of the zygote: starts it, orders cells from it, hears how they end."""

import asyncio
import contextlib
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
        self._orders: deque[SpawnRequest] = deque()
        self._endings: dict[int, asyncio.Future[int]] = {}
        self.layers: dict[str, str] = {}
        self.gone = False
        #: Bytes that the largest of its cells had, what all share with the zygote included.
        self.most_memory = 0

    @classmethod
    async def start(cls) -> "Zygote":
        """A zygote that is warm; raises SandboxUnavailable."""
        ours, theirs = protocol.pair()
        ours.setblocking(False)
        with theirs:
            process = _launch(theirs)
        zygote = cls(process, ours)
        try:
            await zygote._warm()
        except BaseException:
            await zygote.close()
            raise
        return zygote

    async def spawn(self, layers: Collection[str]) -> SandboxProcess:
        """A new cell behind the walls named (besides the zygote's own)."""
        ours, theirs = protocol.pair()
        ours.setblocking(False)
        order: SpawnRequest = asyncio.get_running_loop().create_future()
        try:
            with theirs:
                self._send({"spawn": list(layers)}, [theirs.fileno()])
            self._orders.append(order)
            pid, pidfd, ending = await asyncio.shield(order)
        except BaseException:
            order.add_done_callback(_abandon)
            ours.close()
            raise
        return SandboxProcess(pid, pidfd, ours, ending, self._kill)

    async def close(self) -> None:
        """Ends the zygote; its cells end with it."""
        self._lost()
        try:
            await asyncio.to_thread(self._process.wait, _END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    async def _warm(self) -> None:
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
        asyncio.get_running_loop().add_reader(self._control.fileno(), self._hear)

    def _hear(self) -> None:
        try:
            message, descriptors = protocol.receive(self._control, 1)
        except BlockingIOError:
            return
        except (EOFError, ConnectionError):
            self._lost()
            return
        if "spawned" in message:
            self._spawned(message["spawned"], descriptors[0])
        elif "unspawned" in message:
            why = message["unspawned"]
            self._orders.popleft().set_exception(
                SandboxUnavailable(f"No process can be made for a decoder: {why}.")
            )
        elif "ended" in message:
            self.most_memory = max(self.most_memory, message["memory"])
            self._ended(message["ended"], message["status"])

    def _spawned(self, pid: int, pidfd: int) -> None:
        ending = self._endings[pid] = asyncio.get_running_loop().create_future()
        self._orders.popleft().set_result((pid, pidfd, ending))

    def _ended(self, pid: int, status: int) -> None:
        ending = self._endings.pop(pid, None)
        if ending and not ending.done():
            ending.set_result(status)

    def _send(self, message: dict[str, Any], descriptors: Collection[int] = ()) -> None:
        if self.gone:
            raise SandboxUnavailable("The decoder process has ended.")
        try:
            protocol.send(self._control, message, list(descriptors))
        except (ConnectionError, BlockingIOError) as error:
            raise SandboxUnavailable(f"The decoder process does not listen: {error}.") from None

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(SandboxUnavailable):
            self._send({"kill": pid})

    def _lost(self) -> None:
        if self.gone:
            return
        self.gone = True
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._control.close()
        for order in self._orders:
            order.set_exception(SandboxUnavailable("The decoder process has ended."))
        self._orders.clear()
        for ending in self._endings.values():
            ending.set_exception(SandboxUnavailable("The decoder process has ended."))
            # Most of them nobody waits for.
            ending.exception()
        self._endings.clear()


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


def _abandon(order: SpawnRequest) -> None:
    """Whoever ordered the cell is gone: closing its door ends it, only the handle must go."""
    if not order.cancelled() and order.exception() is None:
        os.close(order.result()[1])


async def _readable(descriptor: int) -> None:
    """Return once reading would not block; leave nothing behind when cancelled."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
