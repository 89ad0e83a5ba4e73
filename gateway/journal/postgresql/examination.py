"""What `airlock check` wants to know of a database: whether it keeps the journal's promises."""

from collections.abc import Iterator

import psycopg

from gateway.journal.records import Examined

from .outcomes import in_words
from .session import ADMINISTRATOR, Connection, Database

_FACTS = b"""SELECT name, setting FROM pg_settings WHERE name IN
    ('fsync', 'full_page_writes', 'server_encoding', 'synchronous_standby_names', 'transaction_read_only')"""
_PROCESS = b"SELECT pg_backend_pid()"

#: Settings of the server that lose what was acknowledged, with the value that keeps it.
_MUST_BE: dict[str, tuple[str, str]] = {
    "fsync": ("on", "a power cut would destroy the journal; set fsync = on and restart PostgreSQL"),
    "full_page_writes": (
        "on",
        "a power cut could damage the journal; set full_page_writes = on and reload PostgreSQL",
    ),
    "server_encoding": (
        "UTF8",
        "it cannot store all texts; create the database with ENCODING 'UTF8' TEMPLATE template0",
    ),
    "transaction_read_only": (
        "off",
        "it cannot be written, as a standby; name the primary, or all hosts: postgresql://user@one,two/database",
    ),
}
_NO_STANDBY = (
    "synchronous_standby_names is empty, so what was acknowledged is on one machine only, "
    "and is lost if its disk is"
)


def examine(url: str) -> Examined:
    """Look at the database; raises JournalUnusable if it cannot be reached at all."""
    database = Database(url, "check")
    connection = database.open(ADMINISTRATOR, only_writable=False)
    try:
        version = connection.info.parameter_status("server_version") or "of an unknown version"
        settings: dict[str, str] = dict(connection.execute(_FACTS).fetchall())
        faults = tuple(_faults(connection, settings))
        notes = () if settings.get("synchronous_standby_names") else (_NO_STANDBY,)
        return Examined(f"PostgreSQL {version.split()[0]}, {database}", faults, notes)
    except psycopg.Error as exc:
        return Examined(str(database), (f"it cannot be examined: {in_words(exc)}",), ())
    finally:
        connection.close()


def _faults(connection: Connection, settings: dict[str, str]) -> Iterator[str]:
    for name, (value, why) in _MUST_BE.items():
        if settings.get(name) != value:
            yield f"{name} is {settings.get(name)}: {why}"
    # In separate transactions: a pool may give each of them to another session.
    processes = {connection.execute(_PROCESS).fetchone() for _ in range(3)}
    if len(processes) > 1:
        yield (
            "a pool such as PgBouncer gives every transaction another session, but locks belong to sessions: name "
            "PostgreSQL itself, or set pool_mode = session"
        )
