"""Crash count: a file that ends the node that works on it must not end every node.

The next owner takes up what a dead node left. So each attempt is counted in the journal before a decoder sees the
file, and the count begins again once an attempt has ended in any way. All files in the hands of a node that ended are
suspects. They are decoded one at a time, so that the one to blame does not make the others look guilty again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog

from gateway.journal import AttachmentRow, Journal, JournalUnavailable

from .attempt import AttemptFailed

log = structlog.get_logger(__name__)

#: Attempts in a row that ended with their node. After that, the file is taken to be the reason.
FATAL_ATTEMPTS = 3


class CrashCount:
    """Counts attempts, unless the journal belongs to this process alone."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._is_needed = journal.ownership.shared
        #: Attempts that this process has counted and survived.
        self._counted: set[tuple[int, int]] = set()
        self._one_suspect = asyncio.Lock()

    @asynccontextmanager
    async def attempt(self, row: AttachmentRow) -> AsyncIterator[None]:
        """Count an attempt that begins; raise AttemptFailed if too many before it ended with their node."""
        key = row.message, row.position
        if not self._is_needed or key in self._counted:
            yield
        elif await self._journal.begin(*key, again=False):
            self._counted.add(key)
            yield
        else:
            async with self._one_suspect:
                self._raise_if_fatal(row, await self._journal.begin(*key, again=True))
                self._counted.add(key)
                yield

    def _raise_if_fatal(self, row: AttachmentRow, attempts: int) -> None:
        if attempts > FATAL_ATTEMPTS:
            log.error("attachment_ended_its_nodes", attachment=row.id, attempts=FATAL_ATTEMPTS)
            detail = f"{FATAL_ATTEMPTS} nodes ended while they worked on it"
            raise AttemptFailed("failed", "decoder_crashed", detail, retry=False)

    def ended(self, key: tuple[int, int]) -> None:
        """Forget an attempt whose end the journal knows."""
        self._counted.discard(key)

    async def survived(self, keys: Iterable[tuple[int, int]]) -> None:
        """Take back what was counted for attempts that another node makes instead."""
        counted = [key for key in keys if key in self._counted]
        self._counted.difference_update(counted)
        try:
            for key in counted:
                await self._journal.take_back(*key)
        except JournalUnavailable as exc:
            log.warning("attempts_stay_counted", error=str(exc), attempts=len(counted))
