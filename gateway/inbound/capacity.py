"""Capacity: deliveries are accepted only while the disk and the backlog have room for them.

Every connector has a share: with others beside it, it may hold no more room than is free. So the flood of one connector
closes that connector alone, and whatever it holds, the others may still have half of the rest.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import NoReturn

from gateway.backoff import retry_until_done
from gateway.journal import JournalUnavailable

#: Free bytes below which nothing is accepted: deliveries that were accepted before need room to be processed.
#: On a small disk, an eighth of it is enough.
DISK_RESERVE = 256 * 1024 * 1024
#: Bytes that one byte of an unparsed delivery may still need: its text is written to the message and to the event,
#: twice each. A delivery of many short messages grows most.
GROWTH = 8
#: Events waiting for the core above which platforms are asked to send again later.
BACKLOG_LIMIT = 1_000_000

#: Seconds between two checks of the disk. A burst must not fill the reserve in between.
_CHECK_EVERY = 0.05
#: Seconds between two counts of each connector's backlog.
_COUNT_EVERY = 2.0


class CapacityGate:
    """Decides for every delivery whether it may be accepted.

    `backlog` returns the number of events that wait for the core, `unread` the bytes of deliveries that have yet
    to be parsed, and `to_come` the bytes of disk that the journal may still need for what it already holds.
    `backlog_of_each` returns the number of waiting events by connector.
    """

    def __init__(
        self,
        directory: Path,
        backlog: Callable[[], int],
        unread: Callable[[], int],
        to_come: Callable[[], int],
        *,
        connectors: Collection[str] = (),
        backlog_of_each: Callable[[], Awaitable[Mapping[str, int]]] | None = None,
    ) -> None:
        self._directory = directory
        self._backlog = backlog
        self._unread = unread
        self._to_come = to_come
        self._connectors = connectors
        self._backlog_of_each = backlog_of_each
        #: Events that wait for the core, by connector: as counted, plus a delivery each since then.
        self._waiting: Counter[str] = Counter()
        #: Bytes of deliveries that have yet to be parsed, by connector.
        self._unread_of: Counter[str] = Counter()
        self._checked_at = 0.0
        self._spare = 0

    @property
    def _has_shares(self) -> bool:
        return len(self._connectors) > 1

    def accepted(self, connector: str, size: int) -> None:
        """Count a delivery of so many bytes that the journal keeps."""
        self._unread_of[connector] += size
        self._waiting[connector] += 1

    def parsed(self, connector: str, size: int) -> None:
        """Count a delivery that is parsed and recorded. Those of an earlier run were never counted as accepted."""
        self._unread_of[connector] = max(0, self._unread_of[connector] - size)

    async def watch(self) -> NoReturn:
        """Count the backlog of each connector from time to time, but only while it may matter."""
        while True:
            await retry_until_done(
                _COUNT_EVERY, self._count, JournalUnavailable, "backlog_not_counted"
            )
            await asyncio.sleep(_COUNT_EVERY)

    async def _count(self) -> None:
        if not self._has_shares or self._backlog_of_each is None:
            return
        # Below a half, no connector can hold more than is free.
        counted = await self._backlog_of_each() if 2 * self._backlog() > BACKLOG_LIMIT else {}
        self._waiting = Counter(counted)

    def refusal(self, connector: str = "") -> str | None:
        """Return why deliveries of a connector are refused now; None while they are accepted."""
        return self._refusal_of_all() or (self._refusal_of(connector) if self._has_shares else None)

    def closed(self) -> dict[str, str]:
        """The connectors whose deliveries are refused while those of others are accepted, each with the reason."""
        names = self._connectors if self._has_shares else ()
        refusals = ((name, self._refusal_of(name)) for name in names)
        return {name: refusal for name, refusal in refusals if refusal}

    def _refusal_of(self, connector: str) -> str | None:
        free = self._spare - GROWTH * self._unread()
        if GROWTH * self._unread_of[connector] > free:
            return "this connector's deliveries wait to be parsed; send the delivery again later"
        waiting, free = self._waiting[connector], BACKLOG_LIMIT - self._backlog()
        if waiting > free:
            return (
                "too many events of this connector are waiting for the conversation core;"
                " send the delivery again later"
            )
        return None

    def _refusal_of_all(self) -> str | None:
        now = time.monotonic()
        if now - self._checked_at >= _CHECK_EVERY:
            self._spare = self._free_beyond_reserve() - self._to_come()
            self._checked_at = now
        # Checked every time: a burst may arrive between two checks of the disk.
        if self._spare < GROWTH * self._unread():
            return "the disk is nearly full; send the delivery again later"
        if self._backlog() > BACKLOG_LIMIT:
            return "too many events are waiting for the conversation core; send the delivery again later"
        return None

    def is_short_of_room(self) -> bool:
        """Whether the disk is nearly full: the reserve is being used."""
        return self._free_beyond_reserve() < 0

    def has_no_room_for_media(self) -> bool:
        """Whether the journal needs all the space that is left.

        Media may use half of the reserve, so that the media of accepted messages can still be stored.
        """
        free, reserve = self._disk()
        return free < reserve // 2

    def _free_beyond_reserve(self) -> int:
        """Return the free bytes beyond the reserve; negative while the reserve is being used."""
        free, reserve = self._disk()
        return free - reserve

    def _disk(self) -> tuple[int, int]:
        disk = os.statvfs(self._directory)
        reserve = min(DISK_RESERVE, disk.f_blocks * disk.f_frsize // 8)
        return disk.f_bavail * disk.f_frsize, reserve
