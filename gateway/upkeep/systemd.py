"""Notifications to systemd, or to another supervisor that speaks its protocol (sd_notify(3)).

Without NOTIFY_SOCKET in the environment, everything here does nothing.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

#: Notifications for each period of the watchdog. systemd's manual suggests two; one may be late on a busy machine.
_PER_PERIOD = 3


class Supervisor:
    """The process that started us, as far as it wants to know our state."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        is_ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog = _seconds(environ.get("WATCHDOG_USEC", "")) if is_ours else 0.0

    def ready(self) -> None:
        """Deliveries are accepted."""
        self._notify("READY=1", "STATUS=accepts deliveries")

    def stopping(self) -> None:
        self._notify("STOPPING=1", "STATUS=finishes what is in progress")

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """The block reads the settings again."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._notify("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=reads the settings again")
        try:
            yield
        finally:
            self.ready()

    async def feed_watchdog(self) -> None:
        """Notify while the event loop runs: a process whose loop is stuck accepts nothing and is restarted."""
        while self._address and self._watchdog:
            self._notify("WATCHDOG=1")
            await asyncio.sleep(self._watchdog / _PER_PERIOD)

    def _notify(self, *lines: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sock:
            # A supervisor that does not read must not stop the event loop.
            sock.setblocking(False)
            try:
                sock.sendto("\n".join(lines).encode(), address)
            except OSError as exc:
                log.warning("supervisor_not_notified", error=exc.strerror)


def _seconds(microseconds: str) -> float:
    return int(microseconds) / 1e6 if microseconds.isascii() and microseconds.isdigit() else 0.0
