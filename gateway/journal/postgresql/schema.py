"""Schema of the PostgreSQL journal: plain SQL in numbered files, applied under one lock.

A node starts on an empty database, and on one that an older Airlock left.
"""

import os
from importlib import resources

import psycopg

from gateway.fault_points import fault_point
from gateway.journal.errors import JournalUnusable

from .outcomes import in_words
from .session import Connection

#: The first half of the keys of our advisory locks: "airl" in ASCII.
LOCKS = 0x6169726C
_MIGRATION = 0

_VERSIONS = b"CREATE TABLE IF NOT EXISTS schema_version (number integer PRIMARY KEY)"
_NO_RIGHTS = "let the role create tables: GRANT CREATE ON SCHEMA public TO <role>, or make it the owner of the database"


def migrations() -> dict[int, str]:
    """Return the statements of each version."""
    folder = resources.files(__package__) / "migrations"
    files = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".sql"))
    return {int(name.partition("-")[0]): file.read_text("utf-8") for name, file in files}


def migrate(connection: Connection) -> None:
    """Create the tables, or bring them up to date; raises JournalUnusable if that cannot be done."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise JournalUnusable(
            f"gateway.journal: the database's encoding is {encoding}, which cannot store all texts; create it with "
            "ENCODING 'UTF8' TEMPLATE template0"
        )
    try:
        with connection.transaction():
            _migrate(connection)
        fault_point("journal-made")
    except psycopg.errors.InsufficientPrivilege as exc:
        raise JournalUnusable(
            f"gateway.journal: cannot create the tables: {in_words(exc)}; {_NO_RIGHTS}"
        ) from None
    except psycopg.Error as exc:
        raise JournalUnusable(
            f"gateway.journal: cannot bring the tables up to date: {in_words(exc)}; start Airlock again, and if that "
            "does not help, end what uses the tables"
        ) from exc


def _migrate(connection: Connection) -> None:
    # Several nodes may start at once. What they wait for is another node's migration, and nothing else for long.
    connection.execute(b"SELECT pg_advisory_xact_lock($1::int, $2::int)", (LOCKS, _MIGRATION))
    connection.execute(b"SET LOCAL lock_timeout = '3s'")
    connection.execute(_VERSIONS)
    rows = connection.execute(b"SELECT number FROM schema_version").fetchall()
    applied, known = {number for (number,) in rows}, migrations()
    if applied - known.keys():
        raise JournalUnusable(
            f"gateway.journal: a newer Airlock made the tables (format {max(applied)}, this one knows {max(known)}); "
            "upgrade Airlock, or restore a backup from before the upgrade"
        )
    for number in sorted(known.keys() - applied):
        for statement in _statements(known[number]):
            connection.execute(statement.encode())
        connection.execute(b"INSERT INTO schema_version VALUES ($1)", (number,))
    # The key is part of the same transaction: no journal is ever without a key.
    connection.execute(
        b"INSERT INTO meta VALUES ('key', $1) ON CONFLICT DO NOTHING", (os.urandom(32),)
    )


def _statements(text: str) -> list[str]:
    """Return the statements of a file; none of ours has a semicolon in a text, or a comment behind a statement."""
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return [part for part in "\n".join(lines).split(";") if part.strip()]


def key(connection: Connection) -> bytes:
    """Return the key from which ids and links are derived."""
    row = connection.execute(b"SELECT value FROM meta WHERE key = 'key'").fetchone()
    if row is None:
        raise JournalUnusable("gateway.journal: the database has lost its key; restore a backup")
    return bytes(row[0])
