"""Sync a file without blocking the event loop, and report the end of the sync on it.

Linux does that asynchronously and signals an eventfd at the end: asynchronous I/O with IOCB_CMD_FDSYNC, since 4.18
(io_submit(2); the structures are laid out as in linux/aio_abi.h). A thread that waits works everywhere. But it needs
Python's global lock, which a busy event loop holds, before it can report the end: that was measured to be a seventh
of the cost of accepting a delivery. The thread is therefore used only if the kernel or a sandbox does not offer
asynchronous syncs.
"""

import asyncio
import ctypes
import errno
import os
import platform
import queue
import select
import threading
from collections.abc import Callable
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

#: Called on the thread of the event loop with None or the error. A failed sync may have lost data.
OnSynced = Callable[[OSError | None], None]

#: Numbers of io_setup, io_destroy, io_getevents and io_submit. The structures below are the same on both machines.
_CALLS = {"x86_64": (206, 207, 208, 209), "aarch64": (0, 1, 4, 2)}
_FDSYNC = 3
_WITH_EVENTFD = 1
#: Milliseconds for the trial that shows whether the kernel can sync this file asynchronously.
_TRIAL = 60_000


class WalSync(Protocol):
    """Syncs one file, one sync at a time: `begin` may be called again once the last sync was reported."""

    def begin(self) -> None: ...
    def close(self) -> None: ...


def wal_sync(descriptor: int, on_synced: OnSynced) -> WalSync:
    """Return a sync of the open file `descriptor`, which the caller closes; its current content is synced now."""
    try:
        return KernelSync(descriptor, on_synced)
    except OSError as exc:
        os.fdatasync(descriptor)
        log.info("journal_syncs_in_a_thread", error=exc.strerror)
        return ThreadSync(descriptor, on_synced)


class _Request(ctypes.Structure):
    """struct iocb."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("key", ctypes.c_uint32),
        ("rw_flags", ctypes.c_uint32),
        ("operation", ctypes.c_uint16),
        ("priority", ctypes.c_int16),
        ("descriptor", ctypes.c_uint32),
        ("buffer", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("reserved", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("eventfd", ctypes.c_uint32),
    )


class _Event(ctypes.Structure):
    """struct io_event; `result` is 0 or a negative errno."""

    _fields_ = (
        ("data", ctypes.c_uint64),
        ("request", ctypes.c_uint64),
        ("result", ctypes.c_int64),
        ("more", ctypes.c_int64),
    )


class KernelSync:
    """Syncs in the kernel. Raises OSError if the kernel, sandbox or file system does not offer it."""

    def __init__(self, descriptor: int, on_synced: OnSynced) -> None:
        numbers = _CALLS.get(platform.machine())
        if numbers is None:
            raise OSError(
                errno.ENOSYS,
                f"the numbers of the system calls are not known for {platform.machine()}",
            )
        self._setup, self._destroy, self._getevents, self._submit = numbers
        self._library = ctypes.CDLL(None, use_errno=True)
        self._context = ctypes.c_ulong(0)
        self._call(self._setup, 1, ctypes.byref(self._context))
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        request = _Request(
            operation=_FDSYNC, descriptor=descriptor, flags=_WITH_EVENTFD, eventfd=self._eventfd
        )
        self._requests = (ctypes.POINTER(_Request) * 1)(ctypes.pointer(request))
        self._event = _Event()
        self._on_synced = on_synced
        self._loop = asyncio.get_running_loop()
        try:
            self._run_trial()
        except OSError:
            self._release()
            raise
        self._loop.add_reader(self._eventfd, self._on_event)

    def begin(self) -> None:
        """Start a sync. Everything written before is durable when `on_synced` is called without an error."""
        self._call(self._submit, self._context, 1, self._requests)

    def close(self) -> None:
        self._loop.remove_reader(self._eventfd)
        self._release()

    def _run_trial(self) -> None:
        self.begin()
        poll = select.poll()
        poll.register(self._eventfd, select.POLLIN)
        if not poll.poll(_TRIAL):
            raise OSError(errno.ETIMEDOUT, "the kernel did not finish a sync in time")
        self._check()

    def _on_event(self) -> None:
        try:
            self._check()
        except OSError as exc:
            self._on_synced(exc)
        else:
            self._on_synced(None)

    def _check(self) -> None:
        """Fetch the result of the sync from the kernel; raise OSError if it failed."""
        os.eventfd_read(self._eventfd)
        self._call(self._getevents, self._context, 1, 1, ctypes.byref(self._event), None)
        if self._event.result:
            code = -self._event.result
            raise OSError(code, os.strerror(code))

    def _release(self) -> None:
        self._call(self._destroy, self._context)
        os.close(self._eventfd)

    def _call(self, number: int, *arguments: object) -> None:
        if self._library.syscall(ctypes.c_long(number), *arguments) < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


class ThreadSync:
    """Syncs in a thread."""

    def __init__(self, descriptor: int, on_synced: OnSynced) -> None:
        self._descriptor, self._on_synced = descriptor, on_synced
        self._loop = asyncio.get_running_loop()
        self._requests_queue: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        self._requests_queue.put(True)

    def close(self) -> None:
        self._requests_queue.put(False)
        self._thread.join()

    def _run(self) -> None:
        while self._requests_queue.get():
            error: OSError | None = None
            try:
                os.fdatasync(self._descriptor)
            except OSError as exc:
                error = exc
            self._loop.call_soon_threadsafe(self._on_synced, error)
