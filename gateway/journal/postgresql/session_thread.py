"""SessionThread: a thread with a session of its own, which works in groups and outlives the sessions that it loses."""

import asyncio
import contextlib
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import psycopg
import structlog

from gateway.observability.metrics import ROUND_TRIP

from .outcomes import NOT_REPLICATED, SessionLost, in_words
from .session import Connection

W = TypeVar("W")


def steady_clock() -> float:
    """Return seconds of a clock that also counts while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


log = structlog.get_logger(__name__)

#: Seconds after which an idle session says something: the server ends one that is silent for longer (`session.py`).
_KEEP_ALIVE = 0.5
#: Seconds that the last works may take when the journal is closed. A commit may wait for a standby without end.
_CLOSE = 2.0
#: Seconds before the next attempt to open a session.
_RETRY = 0.2


class SessionThread(ABC, Generic[W]):
    """Works off what is submitted, a group at a time. While there is no session, work is refused at once.

    `connect` opens a session, with everything that it needs before it is used; it raises psycopg.Error or SessionLost.
    """

    #: The most works in one group.
    max_group = 1000

    def __init__(self, name: str, connect: Callable[[], Connection]) -> None:
        self._name = name
        self._round_trip = ROUND_TRIP.labels(name.removeprefix("journal-"))
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[W | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._not_replicated = False
        #: When the last answer of the session was asked for (`steady_clock`).
        self.answered_from = 0.0
        #: Why there is no session; None while there is one.
        self._down: str | None = None

    # on the event loop ---------------------------------------------------------------------------

    def start(self, connection: Connection) -> None:
        """Begin, with an open session."""
        connection.add_notice_handler(self._noticed)
        self._thread = threading.Thread(
            target=self._run, args=(connection,), name=self._name, daemon=True
        )
        self._thread.start()

    def _put(self, work: W) -> None:
        if self._down is not None:
            self._refuse([work], self._down)
        elif self._is_closing:
            self._refuse([work], "the journal is closed")
        else:
            self._queue.put(work)

    async def close(self) -> None:
        """Finish what was submitted, then close the session; leave it behind if the server does not answer."""
        if self._thread is None or self._is_closing:
            return
        self._is_closing = True
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._thread.join, _CLOSE)
        if self._thread.is_alive():
            log.error("journal_session_left_behind", session=self._name, seconds=_CLOSE)

    # in the thread -------------------------------------------------------------------------------

    @abstractmethod
    def _perform(self, connection: Connection, group: list[W]) -> None:
        """Do a group of works and report each; raises SessionLost or psycopg.Error if the session ended."""

    @abstractmethod
    def _refuse(self, group: list[W], reason: str) -> None:
        """Report that these works were not done. Called in any thread."""

    def _prepare(self, connection: Connection) -> None:
        """Make a new session ready; raises psycopg.Error or SessionLost."""

    def _lost(self, reason: str) -> None:
        """Note that the session is lost."""

    def _found(self) -> None:
        """Note that there is a session again."""

    def _idle(self, connection: Connection) -> None:
        """Keep an idle session alive."""
        asked_at = steady_clock()
        connection.execute(b"SELECT 1")
        self.answered_from = asked_at

    def _on_loop(self, callback: Callable[..., None], *arguments: object) -> None:
        """Call `callback` on the event loop, unless that has ended without closing the journal."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _run(self, first: Connection) -> None:
        connection: Connection | None = first
        while connection is not None:
            reason = self._serve(connection)
            connection.close()
            if reason is None:
                return
            self._down = reason
            log.error("journal_session_lost", session=self._name, error=reason)
            self._lost(reason)
            connection = self._reconnect()

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        if NOT_REPLICATED in (notice.message_primary or ""):
            self._not_replicated = True

    def check_replicated(self) -> None:
        """Raise SessionLost if the last commit is perhaps not on the standby that it had to wait for."""
        if self._not_replicated:
            self._not_replicated = False
            raise SessionLost("PostgreSQL: a commit was not confirmed by the standby")

    def _serve(self, connection: Connection) -> str | None:
        """Work until the session is lost; return the reason, or None once everything is done and nothing may follow."""
        try:
            while True:
                group, is_last = self._next_group()
                if group:
                    with self._round_trip.time():
                        self._perform(connection, group)
                elif not is_last:
                    self._idle(connection)
                if is_last:
                    return None
        except SessionLost as exc:
            return str(exc)
        except psycopg.Error as exc:
            return in_words(exc)

    def _next_group(self) -> tuple[list[W], bool]:
        """Wait for works; return those that wait, and whether they are the last ones."""
        group: list[W] = []
        try:
            work = self._queue.get(timeout=_KEEP_ALIVE)
            while work is not None:
                group.append(work)
                if len(group) == self.max_group:
                    return group, False
                work = self._queue.get_nowait()
        except queue.Empty:
            return group, False
        return group, True

    def _reconnect(self) -> Connection | None:
        """Return a new session; None if the thread has to end."""
        connection: Connection | None = None
        while True:
            try:
                connection = self._connect()
                connection.add_notice_handler(self._noticed)
                self._prepare(connection)
            except (psycopg.Error, SessionLost) as exc:
                if connection is not None:
                    connection.close()
                self._down = str(exc) if isinstance(exc, SessionLost) else in_words(exc)
            else:
                self._down = None
                log.info("journal_session_found", session=self._name)
                self._found()
                return connection
            if self._refuse_waiting():
                return None

    def _refuse_waiting(self) -> bool:
        """Refuse what is submitted until the next attempt; True if the thread has to end."""
        try:
            while True:
                work = self._queue.get(timeout=_RETRY)
                if work is None:
                    return True
                self._refuse([work], self._down or "the session was lost")
        except queue.Empty:
            return False
