"""Compaction: returns free space of the journal to the disk, and all of it if the disk is nearly full.

After the core was down for hours, the journal is large and nearly empty. Without compaction the disk would stay full,
and deliveries would be refused permanently.
"""

import asyncio
from collections.abc import Callable

from gateway.backoff import every
from gateway.journal import Journal, JournalUnavailable

_CHECK_EVERY = 2.0
#: Free bytes that the journal may keep for later events, while the disk has room.
_SPARE = 64 * 1024 * 1024


class Compactor:
    """Shrinks the journal. `is_short` returns whether the disk is nearly full."""

    def __init__(self, journal: Journal, is_short: Callable[[], bool]) -> None:
        self._journal = journal
        self._is_short = is_short

    async def run(self) -> None:
        await every(_CHECK_EVERY, self._check, JournalUnavailable, "journal_not_shrunk")

    async def _check(self) -> None:
        await self.compact(0 if self._is_short() else _SPARE)

    async def compact(self, spare: int) -> None:
        """Shrink the journal in small steps until at most `spare` bytes of it are free."""
        while await self._journal.shrink(spare):  # noqa: ASYNC110 - each step is work, not waiting
            await asyncio.sleep(0)
