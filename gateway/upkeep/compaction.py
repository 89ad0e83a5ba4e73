"""Gives the journal's free pages back to the disk: now and then, and at once when the disk is nearly full.

A core that was away for hours leaves a large journal that is nearly empty. Without this the disk would stay
full, and deliveries would be refused for ever.
"""

import asyncio
from collections.abc import Callable

from gateway.backoff import every
from gateway.journal import Journal, JournalUnavailable

_CHECK_EVERY = 2.0
#: Free bytes that a journal may keep for what comes next, while there is room on the disk.
_SPARE = 64 * 1024 * 1024


class Compactor:
    """`is_short` tells whether the disk is nearly full."""

    def __init__(self, journal: Journal, is_short: Callable[[], bool]) -> None:
        self._journal = journal
        self._is_short = is_short

    async def run(self) -> None:
        await every(_CHECK_EVERY, self._check, JournalUnavailable, "journal_cannot_shrink")

    async def _check(self) -> None:
        await self.compact(0 if self._is_short() else _SPARE)

    async def compact(self, spare: int) -> None:
        """Shrink the journal step by step until at most `spare` bytes of it are free."""
        while await self._journal.shrink(spare):  # noqa: ASYNC110 - each step is work, not waiting
            await asyncio.sleep(0)
