"""Errors of PostgreSQL: which of them end the session, which are worth another try, and how operators see them.

The codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from typing import Any

import psycopg

#: The session is of no use any more: the server became read-only after a fail-over, ended the session because it was
#: idle, is shutting down, crashed, or starts up.
_LOST = frozenset({"25006", "25P03", "57P01", "57P02", "57P03", "57P05"})
#: Transactions that met each other: a deadlock, and a serialization failure.
_CONFLICTS = frozenset({"40P01", "40001"})
#: Classes of errors that say nothing about the statement: connection, transaction state and rollback, resources,
#: locks, the operator's intervention, the operating system.
_SERVER = ("08", "25", "40", "53", "55", "57", "58")
#: The commit is on this server, and perhaps not on its standby. It comes as a warning, not as an error.
NOT_REPLICATED = "wait for synchronous replication"


class SessionLost(Exception):
    """The session cannot be used any more; what was not committed is undone."""


def is_lost(connection: "psycopg.Connection[Any]", exc: psycopg.Error) -> bool:
    """Whether the session ended with this error."""
    code = exc.sqlstate or ""
    return connection.closed or code in _LOST or code.startswith("08")


def is_conflict(exc: psycopg.Error) -> bool:
    """Whether the transaction may succeed if it is repeated."""
    return exc.sqlstate in _CONFLICTS


def is_of_server(exc: psycopg.Error) -> bool:
    """Whether the whole transaction is in doubt, and not one statement wrong."""
    if exc.sqlstate is None:
        return isinstance(exc, psycopg.OperationalError)
    return exc.sqlstate.startswith(_SERVER)


def in_words(exc: BaseException) -> str:
    """Return an error in one line, without what the server adds about the statement, which may quote customers."""
    if isinstance(exc, psycopg.Error) and exc.diag.message_primary:
        return f"PostgreSQL: {exc.diag.message_primary}"
    lines = str(exc).strip().splitlines()
    return f"PostgreSQL: {lines[0] if lines else type(exc).__name__}"
