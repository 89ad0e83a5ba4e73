"""Syncs the write-ahead log in a thread and reports each result on the event loop.

The kernel can sync asynchronously (io_submit with IOCB_CMD_FDSYNC). That was measured side by side: it accepted and
forwarded no more deliveries than this thread (ratio 0.98 to 1.00), for 130 lines and a table of system-call numbers.
"""

import asyncio
import os
import queue
import threading
from collections.abc import Callable

#: Called on the event loop's thread with None or the error. After a failed sync, data may be lost.
OnSynced = Callable[[OSError | None], None]


class WalSync:
    """Syncs the open file `descriptor`, which the caller closes after `close`.

    The present content is durable once the constructor returns; it raises OSError if the file cannot be synced.
    """

    def __init__(self, descriptor: int, on_synced: OnSynced) -> None:
        os.fdatasync(descriptor)
        self._descriptor, self._on_synced = descriptor, on_synced
        self._loop = asyncio.get_running_loop()
        self._requests: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Sync what was written before this call. Call again only after the result was reported."""
        self._requests.put(True)

    def close(self) -> None:
        """End the thread after the sync in progress."""
        self._requests.put(False)
        self._thread.join()

    def _run(self) -> None:
        while self._requests.get():
            error: OSError | None = None
            try:
                os.fdatasync(self._descriptor)
            except OSError as exc:
                error = exc
            self._loop.call_soon_threadsafe(self._on_synced, error)
