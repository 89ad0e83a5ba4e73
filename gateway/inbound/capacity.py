"""Capacity: deliveries are accepted only while the disk and the backlog have room for them."""

import os
import time
from collections.abc import Callable
from pathlib import Path

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


class CapacityGate:
    """Decides for every delivery whether it may be accepted.

    `backlog` returns the number of events that wait for the core, `unread` the bytes of deliveries that have yet
    to be parsed, and `to_come` the bytes of disk that the journal may still need for what it already holds.
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
        """Return why deliveries are refused now; None while they are accepted."""
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
