"""Whether the gateway may accept more deliveries: free disk space and the backlog bound."""

import os
import time
from collections.abc import Callable
from pathlib import Path

#: Below this many free bytes nothing is accepted: what was accepted needs room to drain. Of a small disk an
#: eighth is enough.
DISK_RESERVE = 256 * 1024 * 1024
#: What a byte of a delivery that has yet to be read may still take: its text goes into the message and into the
#: event, twice each, and a delivery of many short messages grows most.
GROWTH = 8
#: Events waiting for the core beyond which the platforms are asked to send again later.
BACKLOG_LIMIT = 1_000_000

#: Seconds. A burst must not fill the reserve between two looks.
_CHECK_EVERY = 0.05


class CapacityGate:
    """Whether deliveries may be accepted: looked at some times a second, asked at every delivery.

    `backlog` are events that wait for the core, `unread` bytes of deliveries that nobody has read yet, `to_come`
    bytes that what is in the journal may still take on the disk.
    """

    def __init__(
        self,
        directory: Path,
        backlog: Callable[[], int],
        unread: Callable[[], int],
        to_come: Callable[[], int],
    ) -> None:
        self._directory = directory
        self._backlog = backlog
        self._unread = unread
        self._to_come = to_come
        self._checked_at = 0.0
        self._spare = 0

    def refusal(self) -> str | None:
        """Why nothing may be accepted now; None if it may."""
        now = time.monotonic()
        if now - self._checked_at >= _CHECK_EVERY:
            self._spare = self._free_beyond_reserve() - self._to_come()
            self._checked_at = now
        # Asked anew each time: between two looks at the disk a burst may come in.
        if self._spare < GROWTH * self._unread():
            return "the disk is nearly full; send the delivery again later"
        if self._backlog() > BACKLOG_LIMIT:
            return "too many events wait for the conversation core; send the delivery again later"
        return None

    def is_short_of_room(self) -> bool:
        """Whether the disk is nearly full."""
        return self._free_beyond_reserve() < 0

    def has_no_room_for_media(self) -> bool:
        """Whether so little is left that the journal needs it all.

        Media may take half of the reserve, so that those of what was accepted can still be stored.
        """
        free, reserve = self._disk()
        return free < reserve // 2

    def _free_beyond_reserve(self) -> int:
        """Free bytes beyond the reserve; fewer than 0 if it is being used."""
        free, reserve = self._disk()
        return free - reserve

    def _disk(self) -> tuple[int, int]:
        disk = os.statvfs(self._directory)
        reserve = min(DISK_RESERVE, disk.f_blocks * disk.f_frsize // 8)
        return disk.f_bavail * disk.f_frsize, reserve
