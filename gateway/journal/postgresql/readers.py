"""Readers: a few sessions for reading, each used by one thread."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from gateway.journal.errors import JournalUnavailable
from gateway.journal.operations.transaction import Transaction

from .outcomes import in_words, is_lost, is_of_server
from .session import Connection
from .transaction import PostgresqlTransaction

T = TypeVar("T")

_THREADS = 3
#: Seconds for which nobody tries to connect again after an attempt failed.
_PAUSE = 0.2
_BEGIN = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Readers:
    """Runs queries, each on one snapshot of the journal."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="journal-read")
        self._own = threading.local()
        self._open: list[Connection] = []
        self._failed_at, self._failure = -_PAUSE, ""

    async def run(self, query: Callable[[Transaction], T]) -> T:
        """Return the result of `query`; raises JournalUnavailable if the database does not answer."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._run, query)

    def close(self) -> None:
        self._executor.shutdown()
        for connection in self._open:
            connection.close()

    def _run(self, query: Callable[[Transaction], T]) -> T:
        connection: Connection | None = getattr(self._own, "connection", None)
        try:
            if connection is not None:
                try:
                    return _on_one_snapshot(connection, query)
                except psycopg.Error as exc:
                    if not is_lost(connection, exc):
                        raise
                    self._forget(connection)
            # An idle session may have ended long ago; that says nothing about the database now.
            return _on_one_snapshot(self._new_connection(), query)
        except psycopg.Error as exc:
            if is_of_server(exc):
                raise JournalUnavailable(in_words(exc)) from exc
            raise

    def _new_connection(self) -> Connection:
        if time.monotonic() - self._failed_at < _PAUSE:
            raise JournalUnavailable(self._failure)
        try:
            connection = self._connect()
        except psycopg.Error as exc:
            self._failed_at, self._failure = time.monotonic(), in_words(exc)
            raise
        self._own.connection = connection
        self._open.append(connection)
        return connection

    def _forget(self, connection: Connection) -> None:
        connection.close()
        self._open.remove(connection)
        self._own.connection = None


def _on_one_snapshot(connection: Connection, query: Callable[[Transaction], T]) -> T:
    try:
        # In a pipeline, so that neither BEGIN nor ROLLBACK is waited for by itself.
        with connection.pipeline():
            connection.execute(_BEGIN)
            result = query(PostgresqlTransaction(connection))
            connection.execute(b"ROLLBACK")
        return result
    except Exception:
        if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
            connection.execute(b"ROLLBACK")
        raise
