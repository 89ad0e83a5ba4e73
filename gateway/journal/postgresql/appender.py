"""Appender: puts accepted deliveries into the intake, on a session of its own, even if another node parses them."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from gateway.fault_points import fault_point
from gateway.journal.errors import JournalUnavailable
from gateway.observability.metrics import JOURNAL_COMMITS

from .adapters import Bigints, Byteas
from .outcomes import SessionLost, in_words, is_lost
from .session import Connection
from .session_thread import SessionThread

#: Seconds after which a delivery that is not stored is refused, so that its platform sends it again. It may be stored
#: all the same: the repeat is recognised.
_SECONDS = 2.0

#: One statement for a group. Rows get their numbers in the order in which they were accepted.
_INSERT = (
    b"INSERT INTO intake (stream, delivery) SELECT stream, delivery FROM unnest($1::bigint[], $2::bytea[]) "
    b"WITH ORDINALITY AS new (stream, delivery, place) ORDER BY place"
)


@dataclass(slots=True)
class _Delivery:
    done: "asyncio.Future[None]"
    stream: int
    frame: bytes
    refused_at: float
    error: Exception | None = None


class Appender(SessionThread[_Delivery]):
    """Called from the thread of the event loop. `on_stored` is called there after each group, with its bytes."""

    max_group = 500

    def __init__(self, connect: Callable[[], Connection], on_stored: Callable[[int], None]) -> None:
        super().__init__("journal-intake", connect)
        self._on_stored = on_stored
        self._waiting: deque[_Delivery] = deque()
        self._timer: asyncio.TimerHandle | None = None
        #: Bytes of deliveries that are not stored yet.
        self.pending_bytes = 0

    def append(self, stream: int, frame: bytes) -> "asyncio.Future[None]":
        """Add a delivery; the future completes once it is durable, or fails with JournalUnavailable."""
        refused_at = self._loop.time() + _SECONDS
        delivery = _Delivery(self._loop.create_future(), stream, frame, refused_at)
        self.pending_bytes += len(frame)
        self._waiting.append(delivery)
        if self._timer is None:
            self._timer = self._loop.call_at(refused_at, self._refuse_late)
        self._put(delivery)
        return delivery.done

    def _refuse_late(self) -> None:
        """Refuse what has waited for too long, and come back for the rest."""
        now = self._loop.time()
        while self._waiting and (
            self._waiting[0].done.done() or self._waiting[0].refused_at <= now
        ):
            late = self._waiting.popleft()
            if not late.done.done():
                late.done.set_exception(
                    JournalUnavailable(f"PostgreSQL did not answer within {_SECONDS:.0f} s")
                )
        self._timer = (
            self._loop.call_at(self._waiting[0].refused_at, self._refuse_late)
            if self._waiting
            else None
        )

    # in the thread -------------------------------------------------------------------------------

    def _perform(self, connection: Connection, group: list[_Delivery]) -> None:
        streams = Bigints(delivery.stream for delivery in group)
        frames = Byteas(delivery.frame for delivery in group)
        try:
            connection.execute(_INSERT, (streams, frames))
            self.check_replicated()
        except (psycopg.Error, SessionLost) as exc:
            reason = str(exc) if isinstance(exc, SessionLost) else in_words(exc)
            self._refuse(group, reason)
            if isinstance(exc, SessionLost) or is_lost(connection, exc):
                raise SessionLost(reason) from exc
            return
        JOURNAL_COMMITS.inc()
        fault_point("after-sync")
        self._on_loop(self._complete, group)

    def _refuse(self, group: list[_Delivery], reason: str) -> None:
        for delivery in group:
            delivery.error = JournalUnavailable(reason)
        self._on_loop(self._complete, group)

    # on the event loop ---------------------------------------------------------------------------

    def _complete(self, group: list[_Delivery]) -> None:
        stored = 0
        for delivery in group:
            self.pending_bytes -= len(delivery.frame)
            stored += len(delivery.frame) if delivery.error is None else 0
            if delivery.done.done():
                continue
            if delivery.error is not None:
                delivery.done.set_exception(delivery.error)
            else:
                delivery.done.set_result(None)
        while self._waiting and self._waiting[0].done.done():
            self._waiting.popleft()
        if stored:
            self._on_stored(stored)
