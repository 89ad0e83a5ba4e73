"""Writer: the one session of this node that changes what it owns, and the announcements of what it changed.

Works that wait become one transaction, as in the SQLite journal. What the node owns it owns by locks of exactly this
session: a node that lost the session can commit nothing.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
import structlog

from gateway.fault_points import fault_point
from gateway.journal.errors import JournalUnavailable
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import Recorded
from gateway.observability.metrics import JOURNAL_COMMITS

from .outcomes import SessionLost, in_words, is_conflict, is_lost, is_of_server
from .session import Connection
from .session_thread import SessionThread, steady_clock
from .transaction import PostgresqlTransaction

T = TypeVar("T")
R = TypeVar("R", bound=Recorded | None)
Operation = Callable[[Transaction], T]

log = structlog.get_logger(__name__)

#: Writes to the log alone, which touches no row. Its commit waits for the disk, and for a standby if there is one.
DURABLE = "SELECT pg_logical_emit_message(true, 'airlock', '')"
#: How often a transaction is repeated that met another one.
_REPEATS = 3


@dataclass(slots=True)
class _Write:
    done: "asyncio.Future[Any]"
    operation: "Operation[Any]"
    announces: bool = False
    #: Whether it must not wait for what else is to be done.
    is_urgent: bool = False
    result: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class _InDoubt:
    """A commit to which the server did not answer: its transaction, and the works in it."""

    transaction: str
    group: list[_Write]


class Writer(SessionThread[_Write]):
    """All methods without an underscore are called from the thread of the event loop.

    `on_lost` is called there when the session is lost, with the reason, and `on_found` once there is a new one.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        on_lost: Callable[[str], None],
        on_found: Callable[[], None],
        on_idle: Callable[[], None],
    ) -> None:
        super().__init__("journal-writer", connect)
        self._on_lost, self._on_found, self._on_idle = on_lost, on_found, on_idle
        #: Each is called with the result of a transaction, once that is durable.
        self.subscribers: list[Callable[[Recorded], None]] = []
        #: Completes with an error once a subscriber failed, so that the process has to be restarted.
        self.broken: asyncio.Future[Exception] = self._loop.create_future()
        self._in_doubt: _InDoubt | None = None

    def submit(self, operation: "Operation[T]") -> "asyncio.Future[T]":
        """Run `operation` in the next transaction; see `Store._submit`."""
        return self._enqueue(_Write(self._loop.create_future(), operation))

    def submit_first(self, operation: "Operation[T]") -> "asyncio.Future[T]":
        """Run `operation` like `submit`, in a transaction of its own before that of whatever waits."""
        return self._enqueue(_Write(self._loop.create_future(), operation, is_urgent=True))

    def announce(self, operation: "Operation[R]") -> "asyncio.Future[R]":
        """Run `operation` like `submit`, and announce its result, if any, before the future completes."""
        return self._enqueue(_Write(self._loop.create_future(), operation, announces=True))

    async def close(self) -> None:
        await super().close()
        if self._in_doubt is not None:
            doubtful, self._in_doubt = self._in_doubt, None
            self._refuse(doubtful.group, "the server did not say whether it committed")

    def announce_received(self, recorded: Recorded) -> None:
        """Announce what another node recorded."""
        self._announce(recorded)

    def _enqueue(self, write: _Write) -> "asyncio.Future[Any]":
        self._put(write)
        return write.done

    # in the thread -------------------------------------------------------------------------------

    def _perform(self, connection: Connection, group: list[_Write]) -> None:
        urgent = [write for write in group if write.is_urgent]
        others = [write for write in group if not write.is_urgent]
        try:
            if urgent:
                self._perform_together(connection, urgent)
        except SessionLost as exc:
            self._refuse(others, str(exc))
            raise
        if others:
            self._perform_together(connection, others)

    def _perform_together(self, connection: Connection, group: list[_Write]) -> None:
        try:
            self._run_until_committed(connection, group)
        except (psycopg.Error, SessionLost) as exc:
            ended = isinstance(exc, SessionLost) or is_lost(connection, exc)
            reason = str(exc) if isinstance(exc, SessionLost) else in_words(exc)
            if self._in_doubt is None:
                log.error("journal_write_failed", error=reason, writes=len(group))
                self._refuse(group, reason)
            if ended:
                raise SessionLost(reason) from exc
            return
        self._report(group)

    def _run_until_committed(self, connection: Connection, group: list[_Write]) -> None:
        isolated, repeats = False, 0
        while True:
            try:
                self._run_transaction(connection, group, isolated=isolated)
                return
            except SessionLost:
                raise
            except psycopg.Error as exc:
                if is_lost(connection, exc):
                    raise
                _roll_back(connection)
                if is_conflict(exc) and repeats < _REPEATS:
                    repeats += 1
                elif isolated or is_of_server(exc):
                    raise
                else:
                    isolated = True
            except Exception:
                _roll_back(connection)
                if isolated:
                    raise
                isolated = True  # an operation raised; the next run isolates it

    def _run_transaction(
        self, connection: Connection, group: list[_Write], *, isolated: bool
    ) -> None:
        run = _run_isolated_each if isolated else _run_together
        number = run(connection, group)
        # A transaction without a number has changed nothing.
        self._in_doubt = _InDoubt(number, group) if number else None
        self._commit(connection)

    def _commit(self, connection: Connection) -> None:
        fault_point("before-commit")
        asked_at = steady_clock()
        try:
            connection.execute(b"COMMIT")
        except psycopg.Error as exc:
            if not is_lost(connection, exc):
                self._in_doubt = None
            raise
        self.check_replicated()
        self._in_doubt = None
        self.answered_from = asked_at
        fault_point("after-commit")
        JOURNAL_COMMITS.inc()

    def _prepare(self, connection: Connection) -> None:
        """Find out what became of a commit to which the server did not answer."""
        if self._in_doubt is None:
            return
        doubtful = self._in_doubt
        state = _state_of(connection, doubtful.transaction)
        if state == "in progress":
            raise SessionLost("PostgreSQL: the server is still ending the former session")
        if state == "committed":
            # A commit after it is confirmed by the standbys only after it.
            connection.execute(DURABLE.encode())
            self.check_replicated()
        else:
            _fail(doubtful.group, "PostgreSQL: the session was lost before the commit")

    def _idle(self, connection: Connection) -> None:
        super()._idle(connection)
        self._on_loop(self._on_idle)

    def _lost(self, reason: str) -> None:
        self._on_loop(self._on_lost, reason)

    def _found(self) -> None:
        doubtful, self._in_doubt = self._in_doubt, None
        if doubtful is not None:
            self._report(doubtful.group)
        self._on_loop(self._on_found)

    def _refuse(self, group: list[_Write], reason: str) -> None:
        _fail(group, reason)
        self._report(group)

    def _report(self, group: list[_Write]) -> None:
        self._on_loop(self._complete, group)

    # on the event loop ---------------------------------------------------------------------------

    def _complete(self, group: list[_Write]) -> None:
        for write in group:
            if write.done.done() and not write.done.cancelled():
                continue  # given up when the journal was closed
            if write.announces and write.error is None and write.result is not None:
                self._announce(write.result)
            if write.done.cancelled():
                continue
            if write.error is not None:
                write.done.set_exception(write.error)
            else:
                write.done.set_result(write.result)

    def _announce(self, recorded: Recorded) -> None:
        for receiver in self.subscribers:
            try:
                receiver(recorded)
            except Exception as exc:  # noqa: BLE001 - ends the process, which then restarts from the journal
                if not self.broken.done():
                    self.broken.set_result(exc)


def _fail(group: list[_Write], reason: str) -> None:
    for write in group:
        write.error = JournalUnavailable(reason)


def _run_together(connection: Connection, group: list[_Write]) -> str | None:
    """Run all operations in a new transaction; return its number."""
    with connection.pipeline() as pipeline:
        try:
            connection.execute(b"BEGIN")
            transaction = PostgresqlTransaction(connection)
            for write in group:
                write.error = None
                write.result = write.operation(transaction)
            transaction.end()
            return _number(connection)
        except Exception:
            # What was sent after a statement that failed fails as well.
            with contextlib.suppress(psycopg.Error):
                pipeline.sync()
            raise


def _run_isolated_each(connection: Connection, group: list[_Write]) -> str | None:
    """The same, but undo only the changes of an operation that raises."""
    connection.execute(b"BEGIN")
    for write in group:
        write.error = None
        _run_isolated(connection, write)
    return _number(connection)


def _number(connection: Connection) -> str | None:
    row = connection.execute(b"SELECT pg_current_xact_id_if_assigned()::text").fetchone()
    return row[0] if row is not None else None


def _run_isolated(connection: Connection, write: _Write) -> None:
    connection.execute(b"SAVEPOINT operation")
    transaction = PostgresqlTransaction(connection)
    try:
        write.result = write.operation(transaction)
        transaction.end()
    except psycopg.Error as exc:
        if is_of_server(exc):
            raise
        write.error = exc
    except Exception as exc:  # noqa: BLE001 - passed on to the caller
        write.error = exc
    if write.error is not None:
        connection.execute(b"ROLLBACK TO operation")
    connection.execute(b"RELEASE operation")


def _roll_back(connection: Connection) -> None:
    connection.execute(b"ROLLBACK")


def _state_of(connection: Connection, transaction: str) -> str | None:
    try:
        row = connection.execute(
            b"SELECT pg_xact_status(CAST($1 AS xid8))", (transaction,)
        ).fetchone()
    except psycopg.errors.InvalidParameterValue:
        return None  # a standby that was promoted never saw it
    return None if row is None else row[0]
