"""Sessions: connections to PostgreSQL with the settings that the journal's promises need.

They are set here, on every connection, and not left to the operator or to the role's defaults.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg import conninfo
from pydantic import SecretStr

from gateway.journal.errors import JournalUnusable
from gateway.settings import DatabaseUrl
from gateway.settings.credentials import mask

from .adapters import ADAPTERS
from .outcomes import in_words

# It logs errors that it passes over, with what the server says about rows.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)

Connection = psycopg.Connection[tuple[Any, ...]]

#: The first version with `idle_session_timeout` and `client_connection_check_interval`.
OLDEST_VERSION = 14
#: Statements that the server keeps prepared for a session. Each text with other types of parameters is one of them.
_PREPARED = 500

#: For libpq.
_CLIENT: Mapping[str, Any] = {
    "connect_timeout": 3,
    "tcp_user_timeout": 3000,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}
#: A session that is cut off must not hold its locks for long, and a commit is one only once it is on disk.
_SERVER: Mapping[str, str] = {
    "synchronous_commit": "on",
    "client_connection_check_interval": "250ms",
    "idle_in_transaction_session_timeout": "2s",
    "lock_timeout": "5s",
    # Each statement touches few rows; compiling it takes longer than running it.
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Role:
    """What a session is for: its name in `pg_stat_activity`, and its own time limits (as PostgreSQL writes them)."""

    name: str
    settings: Mapping[str, str]


#: After so many seconds of silence the server ends the writer's session, and with it all that the node owned.
WRITER_IDLE_SECONDS = 2.0
#: Writes everything but deliveries. It says something twice a second, so that a frozen process loses it soon.
#:
#: The server keeps a plan that it made while the tables were empty, when reading all rows looked cheapest, until it
#: analyses them. Each statement of the writer touches few rows, which it has to find by an index.
WRITER = Role(
    "writer",
    MappingProxyType(
        {
            "statement_timeout": "30s",
            "idle_session_timeout": "2s",
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
        }
    ),
)
APPENDER = Role(
    "intake", MappingProxyType({"statement_timeout": "2s", "idle_session_timeout": "5s"})
)
READER = Role(
    "reader", MappingProxyType({"statement_timeout": "30s", "idle_session_timeout": "10min"})
)
#: For notifications, which nobody waits for. A lost one is found by looking.
WAKER = Role(
    "wakes",
    MappingProxyType(
        {"statement_timeout": "5s", "idle_session_timeout": "30s", "synchronous_commit": "off"}
    ),
)
LISTENER = Role(
    "listener", MappingProxyType({"statement_timeout": "5s", "idle_session_timeout": "2min"})
)
#: For migrations, checks and copies.
ADMINISTRATOR = Role(
    "administration",
    MappingProxyType(
        {
            "statement_timeout": "0",
            "idle_session_timeout": "10min",
            "idle_in_transaction_session_timeout": "10min",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Database:
    """The database that `gateway.journal` names, and the name of this node."""

    url: str = field(repr=False)
    node: str = ""

    def connect(self, role: Role, *, only_writable: bool = True) -> Connection:
        """Open a session; raises psycopg.Error. `only_writable` leaves out hosts that are standbys."""
        wanted = {**_CLIENT, "target_session_attrs": "read-write" if only_writable else "any"}
        name = f"airlock {role.name} {self.node}".strip()
        connection = psycopg.connect(
            conninfo.make_conninfo(self.url, **wanted, application_name=name),
            autocommit=True,
            cursor_factory=psycopg.RawCursor,
            context=ADAPTERS,
            prepare_threshold=2,
        )
        connection.prepared_max = _PREPARED
        try:
            _configure(connection, role)
        except BaseException:
            connection.close()
            raise
        return connection

    def open(self, role: Role, *, only_writable: bool = True) -> Connection:
        """Open a session at the start of a program; raises JournalUnusable with cause and remedy."""
        try:
            connection = self.connect(role, only_writable=only_writable)
        except psycopg.ProgrammingError as exc:
            raise JournalUnusable(
                f"gateway.journal: the URL is not understood: {self._masked(exc)}; "
                "write postgresql://user:password@host/database"
            ) from None
        except psycopg.Error as exc:
            raise JournalUnusable(
                f"gateway.journal: cannot connect to {self}: {self._masked(exc)}; start PostgreSQL, or correct the URL"
            ) from None
        return connection

    def _masked(self, exc: psycopg.Error) -> str:
        return mask(in_words(exc), DatabaseUrl(SecretStr(self.url)).passwords())

    def __str__(self) -> str:
        """Return where the database is, without the password."""
        found = conninfo.conninfo_to_dict(self.url)
        return f"database {found.get('dbname', '')!r} at {found.get('host') or 'the local socket'}"


def _configure(connection: Connection, role: Role) -> None:
    if connection.info.server_version < OLDEST_VERSION * 10_000:
        version = connection.info.server_version // 10_000
        raise JournalUnusable(
            f"gateway.journal: the server is PostgreSQL {version}; Airlock needs {OLDEST_VERSION} or newer: upgrade it"
        )
    settings = {**_SERVER, **role.settings}
    calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
    connection.execute(f"SELECT {calls}".encode())
