"""One sandbox process, seen from the gateway: it is asked once and then ended."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import protocol
from .errors import SandboxLost

#: How long the zygote may take to report an exit status after the control socket closed.
_EXIT_STATUS_SECONDS = 1.0

#: Decoders start up to four threads. Thousands would leave no room for any other process.
_MAX_THREADS = 64
_CHECK_SECONDS = 0.02

_EXIT_REASONS = {
    -signal.SIGSYS: "tried a forbidden system call",
    -signal.SIGXCPU: "used up its processor time",
    -signal.SIGKILL: "was killed",
}

#: Called with each note that a sandbox sends before its answer.
OnNote = Callable[[dict[str, Any]], None]


class SandboxProcess:
    """A spare or busy sandbox. `exit_status` is set when the process has ended."""

    def __init__(
        self,
        pid: int,
        pidfd: int,
        control: socket.socket,
        exit_status: asyncio.Future[int],
        kill: Callable[[int], None],
    ) -> None:
        self.pid, self.exit_status = pid, exit_status
        self._pidfd, self._control, self._kill = pidfd, control, kill
        self._ended = False

    async def ask(
        self,
        message: Mapping[str, Any],
        files: Sequence[int],
        deadline: float,
        on_note: OnNote | None = None,
    ) -> dict[str, Any]:
        """Return the answer to one job. Raise SandboxLost, or SandboxUnavailable if all sandboxes were lost at once."""
        try:
            # Sent first: the sandbox wakes up while the rest is prepared.
            protocol.send(self._control, message, files)
            async with asyncio.timeout(deadline):
                return await self._answer(on_note)
        except TimeoutError:
            raise SandboxLost(f"took longer than {deadline:g} s", timed_out=True) from None
        except (EOFError, ConnectionError):
            raise await self._exit_error() from None
        except protocol.BadMessage as exc:
            raise SandboxLost(f"sent a bad answer: {exc}") from None

    def proceed(self) -> None:
        """Let a job that waits go on. A sandbox that is gone, or does not read, is noticed elsewhere."""
        if not self._ended:
            with contextlib.suppress(OSError):
                protocol.send(self._control, {"proceed": True})

    async def _answer(self, on_note: OnNote | None) -> dict[str, Any]:
        loop, control = asyncio.get_running_loop(), self._control.fileno()
        answer: asyncio.Future[dict[str, Any]] = loop.create_future()
        loop.add_reader(control, self._receive, answer, on_note)
        loop.call_later(_CHECK_SECONDS, self._check_threads, answer)
        try:
            return await answer
        finally:
            loop.remove_reader(control)

    def _check_threads(self, answer: asyncio.Future[dict[str, Any]]) -> None:
        """Stop waiting for a sandbox that starts too many threads: the kernel has no limit for one process."""
        if answer.done():
            return
        threads = _count_threads(self.pid)
        if threads > _MAX_THREADS:
            answer.set_exception(SandboxLost(f"started {threads} threads"))
        else:
            asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._check_threads, answer)

    def _receive(self, answer: asyncio.Future[dict[str, Any]], on_note: OnNote | None) -> None:
        if answer.done():
            return
        try:
            message, _ = protocol.receive(self._control)
            if "note" not in message:
                answer.set_result(message)
            elif on_note and isinstance(message["note"], dict):
                on_note(message["note"])
        except BlockingIOError:
            return
        except Exception as exc:  # noqa: BLE001  # raised to the caller that waits for the answer
            answer.set_exception(exc)

    async def _exit_error(self) -> SandboxLost:
        try:
            async with asyncio.timeout(_EXIT_STATUS_SECONDS):
                status = await asyncio.shield(self.exit_status)
        except TimeoutError:
            return SandboxLost("ended without an answer")
        if status >= 0:
            return SandboxLost("ended without an answer", status)
        default = f"crashed with {signal.Signals(-status).name}"
        return SandboxLost(_EXIT_REASONS.get(status, default), status)

    def end(self) -> None:
        """Kill the process, whatever it does, and release its descriptors. May be called twice."""
        if self._ended:
            return
        self._ended = True
        try:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        except PermissionError:
            # Root without CAP_KILL may not signal the sandbox; the zygote, which has the same user, may.
            self._kill(self.pid)
        except ProcessLookupError:
            pass
        os.close(self._pidfd)
        with contextlib.suppress(OSError):
            self._control.close()


def _count_threads(pid: int) -> int:
    """Return the number of threads of a process, or 0 if the process is gone or /proc does not show it."""
    try:
        # Each thread is a subdirectory and adds a link to the usual two. Nothing is opened.
        return Path(f"/proc/{pid}/task").stat().st_nlink - 2
    except OSError:
        return 0
