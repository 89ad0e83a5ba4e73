"""Wakes: what a node recorded for the shards of others is announced to them soon after the commit.

A wake is only ever an acceleration: each owner also looks by itself. It is sent on a session of its own, never in the
transaction that recorded something: PostgreSQL would then let no two transactions of any node commit at the same time.
"""

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import psycopg
import structlog

from gateway.journal.records import Recorded
from gateway.observability.metrics import WAKES

from .outcomes import in_words
from .session import LISTENER, WAKER, Connection, Database
from .session_thread import SessionThread

log = structlog.get_logger(__name__)

#: Seconds for which wakes are collected.
_COLLECT = 0.005
#: Numbers of at most 20 digits in one notification, which may have 8,000 bytes.
_AT_ONCE = 300
#: Seconds between two attempts to listen, and after which an idle listener says something.
_RETRY, _KEEP_ALIVE = 0.5, 30.0

#: How the sets of a wake are called in a notification.
_SETS = ("s", "l", "e", "m", "x")

Statement = tuple[bytes, tuple[Any, ...]]


@dataclass(slots=True)
class Wake:
    """What other nodes may have to look at."""

    #: Streams of the intake with new deliveries.
    streams: set[int] = field(default_factory=set)
    #: Lanes with new events, and those whose conversation was erased.
    lanes: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)
    #: Messages with attachments to fetch.
    messages: set[int] = field(default_factory=set)
    #: Events that an operator wants to be sent again.
    retried: set[str] = field(default_factory=set)
    texts: bool = False
    reports: bool = False

    def add(self, recorded: Recorded) -> None:
        self.lanes.update(entry.conversation for entry in recorded.entries)
        self.erased.update(recorded.erased)
        self.messages.update(job.message for job in recorded.jobs)
        self.retried.update(recorded.retried)
        self.texts |= recorded.new_parts
        self.reports |= recorded.new_reports

    def payloads(self, sender: int) -> Iterable[str]:
        """Yield this wake as notifications."""
        flags = {"t": 1} if self.texts else {}
        flags |= {"r": 1} if self.reports else {}
        if flags:
            yield _packed(sender, flags)
        sets: tuple[set[Any], ...] = (
            self.streams,
            self.lanes,
            self.erased,
            self.messages,
            self.retried,
        )
        for name, values in zip(_SETS, sets, strict=True):
            numbers = iter(values)
            while part := list(itertools.islice(numbers, _AT_ONCE // (4 if name == "x" else 1))):
                yield _packed(sender, {name: part})


def _packed(sender: int, content: dict[str, Any]) -> str:
    return orjson.dumps({"f": sender, **content}).decode()


def unpacked(payload: str) -> tuple[int, Wake]:
    """Return who sent a notification, and what it says."""
    found = orjson.loads(payload)
    streams, lanes, erased, messages, retried = (set(found.get(name, ())) for name in _SETS)
    return found["f"], Wake(
        streams, lanes, erased, messages, retried, texts="t" in found, reports="r" in found
    )


class Notifier(SessionThread[Statement]):
    """Runs statements that nobody waits for: notifications, and what the node says about itself."""

    def _perform(self, connection: Connection, group: list[Statement]) -> None:
        with connection.transaction():
            for statement, values in group:
                connection.execute(statement, values)

    def _refuse(self, group: list[Statement], reason: str) -> None:
        del reason
        WAKES.labels("lost").inc(len(group))

    def say(self, statement: bytes, *values: Any) -> None:
        self._put((statement, values))


class Wakes:
    """Sends this node's wakes, and calls `received` on the event loop with those of others.

    `received` gets None when wakes may have been missed.
    """

    def __init__(
        self, database: Database, node: int, received: Callable[[Wake | None], None]
    ) -> None:
        self._database = database
        self._node = node
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._collected = Wake()
        self._is_collecting = False
        self._channel = ""
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="journal-listen", daemon=True)
        self.notifier = Notifier("journal-wakes", lambda: database.connect(WAKER))

    def start(self, connection: Connection, channel: str) -> None:
        self._channel = channel
        self.notifier.start(connection)
        self._thread.start()

    async def close(self) -> None:
        self._ends.set()
        if self._is_collecting:
            self._send()
        if self._thread.is_alive():
            # So that our own listener ends at once.
            self._notify(_packed(self._node, {}))
        await self.notifier.close()
        if self._thread.is_alive():
            await self._loop.run_in_executor(None, self._thread.join)

    def collect(self) -> Wake:
        """Return the wake that is sent next, to add to it."""
        if not self._is_collecting:
            self._is_collecting = True
            self._loop.call_later(_COLLECT, self._send)
        return self._collected

    def _send(self) -> None:
        if not self._is_collecting:
            return
        wake, self._collected, self._is_collecting = self._collected, Wake(), False
        for payload in wake.payloads(self._node):
            WAKES.labels("sent").inc()
            self._notify(payload)

    def _notify(self, payload: str) -> None:
        self.notifier.say(b"SELECT pg_notify($1, $2)", self._channel, payload)

    # in a thread ---------------------------------------------------------------------------------

    def _listen(self) -> None:
        complained = False
        while not self._ends.is_set():
            try:
                with self._database.connect(LISTENER) as connection:
                    connection.execute(f'LISTEN "{self._channel}"'.encode())
                    self._pass_on(None)
                    complained = False
                    self._listen_to(connection)
            except psycopg.Error as exc:
                if not complained:
                    log.warning("wakes_not_received", error=in_words(exc))
                complained = True
                self._ends.wait(_RETRY)

    def _listen_to(self, connection: Connection) -> None:
        silent = 0.0
        while not self._ends.is_set():
            received = list(connection.notifies(timeout=_RETRY, stop_after=1))
            for notification in received:
                sender, wake = unpacked(notification.payload)
                if sender != self._node:
                    self._pass_on(wake)
            silent = 0.0 if received else silent + _RETRY
            if silent >= _KEEP_ALIVE:
                connection.execute(b"SELECT 1")
                silent = 0.0

    def _pass_on(self, wake: Wake | None) -> None:
        if not self._ends.is_set():
            self._loop.call_soon_threadsafe(self._received, wake)
