"""Checkpoints: the write-ahead log is brought into the database, nearly all of it while writing goes on.

A checkpoint of a long log takes tens of milliseconds. Done while nobody may write, every delivery that comes
meanwhile waits as long. So most of it is done beside the writer (PASSIVE), and only what was added meanwhile,
with the return to the start of the log, while the writer pauses.
"""

import os
import sqlite3
import threading
from pathlib import Path

import structlog

from gateway.fault_points import fault_point

from . import schema
from .wal_size import WalSize

log = structlog.get_logger(__name__)

#: Commits after which the log is brought into the database. More means that a page which changed often is written
#: there once: the longer log was measured at a tenth less for each message.
_COMMITS = 1000
#: … while nothing waits to be written: whoever comes during a checkpoint waits for the disk behind it, the longer the
#: more of it there is.
_COMMITS_IF_IDLE = 200
#: Pages that may be left for the pause, and how often we try to get there beside a busy writer.
_PAGES_LEFT = 300
_ROUNDS = 4
#: Milliseconds that the return to the start of the log waits for whoever reads.
_BUSY_TIMEOUT_MS = 50
#: How much rarer the system lets the thread run that does so.
_NICE = 10


class Checkpoints:
    """For the one journal of a process. All but `finish` is the event loop's thread's to call."""

    def __init__(self, path: Path) -> None:
        self._connection = schema.connect(str(path))
        # What is to go from the log must not stay because somebody was just reading.
        self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        (page_bytes,) = self._connection.execute("PRAGMA page_size").fetchone()
        self._wal_size = WalSize(path, page_bytes)
        self._commits = 0
        self._scrub = False
        self._passive_thread: threading.Thread | None = None

    def scrub(self) -> None:
        """With the next commit, let the log hold nothing old any more."""
        self._scrub = True

    def committed(self, *, idle: bool) -> None:
        """One more commit; begins what can be done beside the writer when it is time, sooner if it is calm."""
        self._commits += 1
        due = self._commits >= (_COMMITS_IF_IDLE if idle else _COMMITS) or self._wal_size.is_long()
        if due and self._passive_thread is None:
            self._passive_thread = threading.Thread(
                target=self._run_passive, name="journal-checkpoint"
            )
            self._passive_thread.start()

    def needs_pause(self) -> bool:
        """Whether the writer should pause now, for `finish`."""
        if self._scrub or self._passive_thread is None:
            return self._scrub
        return not self._passive_thread.is_alive() or self._wal_size.is_too_long()

    def finish(self) -> None:
        """The rest, while nobody writes. The log is written again from its start afterwards."""
        if self._passive_thread is not None:
            self._passive_thread.join()
        # Cutting it short would be tidier, but then every sync has to write down how it grows, which doubles
        # its time.
        mode = "TRUNCATE" if self._scrub else "RESTART"
        self._commits, self._scrub, self._passive_thread = 0, False, None
        fault_point("before-checkpoint")
        self._run(mode)
        fault_point("after-checkpoint")

    def bytes_to_come(self) -> int:
        """Bytes of the disk that what is written already may still take."""
        return self._wal_size.bytes_to_come()

    def close(self) -> None:
        """Once nobody uses the journal any more."""
        if self._passive_thread is not None:
            self._passive_thread.join()
        self._connection.close()

    def close_wal_size(self) -> None:
        """After every connection is closed."""
        self._wal_size.close()

    def _run_passive(self) -> None:
        # Of this thread alone: accepting needs the processor more.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        for _ in range(_ROUNDS):
            if self._run("PASSIVE") <= _PAGES_LEFT:
                return

    def _run(self, mode: str) -> int:
        """How many pages are left in the log."""
        try:
            command = f"PRAGMA wal_checkpoint({mode})"
            _, pages, done = self._connection.execute(command).fetchone()
        except sqlite3.Error as exc:
            log.error("journal_checkpoint_failed", error=str(exc))
            return 0
        return int(pages) - int(done)
