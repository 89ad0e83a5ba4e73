"""Checkpoints: copy the write-ahead log into the database, nearly all of it while writing continues.

A checkpoint of a long log takes tens of milliseconds. If writing had to pause for all of it, every delivery that
arrives meanwhile would wait as long. Therefore most of the log is copied while the writer runs (PASSIVE). Only the
frames that were added meanwhile, and the return to the start of the log, need a pause of the writer.
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

#: Commits after which a checkpoint starts. With a longer log, a page that changes often is copied only once, which was
#: measured to cost a tenth less for each message.
_COMMITS = 1000
#: The same while no write is waiting. A delivery that arrives during a checkpoint waits for the disk, and waits less
#: if the checkpoint is short.
_COMMITS_IF_IDLE = 200
#: Pages that may be left for the pause, and the number of PASSIVE runs to get there while the writer is busy.
_PAGES_LEFT = 300
_ROUNDS = 4
#: Milliseconds for which the return to the start of the log waits for readers.
_BUSY_TIMEOUT_MS = 50
#: Niceness of the thread of PASSIVE runs.
_NICE = 10


class Checkpoints:
    """The checkpoints of a journal. All methods but `finish` are called from the thread of the event loop."""

    def __init__(self, path: Path) -> None:
        self._connection = schema.connect(str(path))
        # A short read must not keep data in the log that has to be removed.
        self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        (page_bytes,) = self._connection.execute("PRAGMA page_size").fetchone()
        self._wal_size = WalSize(path, page_bytes)
        self._commits = 0
        self._scrub = False
        self._passive_thread: threading.Thread | None = None

    def scrub(self) -> None:
        """Remove all old content from the log after the next commit."""
        self._scrub = True

    def committed(self, *, idle: bool) -> None:
        """Count a commit, and start a PASSIVE checkpoint when it is due; while writes are idle it is due sooner."""
        self._commits += 1
        due = self._commits >= (_COMMITS_IF_IDLE if idle else _COMMITS) or self._wal_size.is_long()
        if due and self._passive_thread is None:
            self._passive_thread = threading.Thread(
                target=self._run_passive, name="journal-checkpoint"
            )
            self._passive_thread.start()

    def needs_pause(self) -> bool:
        """Whether the writer has to pause now for `finish`."""
        if self._scrub or self._passive_thread is None:
            return self._scrub
        return not self._passive_thread.is_alive() or self._wal_size.is_too_long()

    def finish(self) -> None:
        """Copy the rest of the log while the writer pauses; afterwards the log is written from its start again."""
        if self._passive_thread is not None:
            self._passive_thread.join()
        # Truncating the log every time would be tidier, but then every sync also has to record the growth of the file,
        # which doubles its time.
        mode = "TRUNCATE" if self._scrub else "RESTART"
        self._commits, self._scrub, self._passive_thread = 0, False, None
        fault_point("before-checkpoint")
        self._run(mode)
        fault_point("after-checkpoint")

    def bytes_to_come(self) -> int:
        """Return the bytes of disk that the data in the log may still need."""
        return self._wal_size.bytes_to_come()

    def close(self) -> None:
        """Close the connection, once the journal is not used any more."""
        if self._passive_thread is not None:
            self._passive_thread.join()
        self._connection.close()

    def close_wal_size(self) -> None:
        """Close the file behind `WalSize`, after every connection is closed."""
        self._wal_size.close()

    def _run_passive(self) -> None:
        # Applies to this thread only: accepting deliveries is more urgent.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        for _ in range(_ROUNDS):
            if self._run("PASSIVE") <= _PAGES_LEFT:
                return

    def _run(self, mode: str) -> int:
        """Run a checkpoint; return the number of pages that are left in the log."""
        try:
            command = f"PRAGMA wal_checkpoint({mode})"
            _, pages, done = self._connection.execute(command).fetchone()
        except sqlite3.Error as exc:
            log.error("journal_checkpoint_failed", error=str(exc))
            return 0
        return int(pages) - int(done)
