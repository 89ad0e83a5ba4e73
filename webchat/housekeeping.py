"""Housekeeping: uploads, sessions, counts and conversations whose time is over."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from functools import partial

from webchat.files import Files
from webchat.store import consumers, sessions, tickets, uploads, usage
from webchat.store.database import Connection, Database
from webchat.store.erase import erase

_log = logging.getLogger(__name__)

#: Seconds between two rounds, and between two batches of one round.
_ROUND_SECONDS, _PAUSE_SECONDS = 60.0, 0.05
#: Conversations in one transaction, so that other writes do not wait long.
_BATCH = 50
#: Seconds after which a file that no row knows is deleted: its row may be on its way out.
_ORPHAN_SECONDS = 3600.0


class Housekeeping:
    """Deletes what is over. `retention` is in milliseconds, after the last message of a conversation."""

    def __init__(
        self, database: Database, files: Files, retention: int, clock: Callable[[], int]
    ) -> None:
        self._database = database
        self._files = files
        self._retention = retention
        self._clock = clock

    async def run(self) -> None:
        """Run rounds forever."""
        while True:
            try:
                found = await self.round()
            except (sqlite3.Error, OSError):
                _log.exception("housekeeping failed; it goes on in a minute")
                found = 0
            await asyncio.sleep(_PAUSE_SECONDS if found else _ROUND_SECONDS)

    async def round(self) -> int:
        """Delete what is over; return the number of conversations, of which there may be more."""
        now = self._clock()
        await self._files.delete(await self._database.write(partial(_expire, now=now)))
        change = partial(_expire_conversations, before=now - self._retention)
        found, files = await self._database.write(change)
        await self._files.delete(files)
        await self._delete_orphans()
        return found

    async def _delete_orphans(self) -> None:
        names = await self._files.names()
        known = await self._database.read(uploads.known_files)
        orphans = [name for name in names if name not in known]
        await self._files.delete(
            await asyncio.to_thread(self._files.older, orphans, time.time() - _ORPHAN_SECONDS)
        )


def _expire(db: Connection, now: int) -> list[str]:
    sessions.expire(db, now)
    tickets.expire(db, now)
    usage.expire(db, now)
    return uploads.expire(db, now)


def _expire_conversations(db: Connection, before: int) -> tuple[int, list[str]]:
    rows = consumers.inactive(db, before, _BATCH)
    return len(rows), [file for consumer in rows for file in erase(db, consumer)]
