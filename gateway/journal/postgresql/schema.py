"""Schema of the PostgreSQL journal: plain SQL in numbered files, applied under one lock.

A node starts on an empty database, and on one that an older Airlock left. During a rolling upgrade, nodes of the older
version go on beside those of the newer one, and may start again. So a migration that only adds something says in its
first line how old a node may be: `-- works with: N`, the newest format that such a node knows. The database keeps that
number, because the older nodes do not have the file. What the older version needs is removed in a later release.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from urllib.parse import quote

import psycopg
import structlog

from gateway.fault_points import fault_point
from gateway.journal.errors import JournalUnusable

from .outcomes import in_words
from .session import ADMINISTRATOR, Connection, Database

log = structlog.get_logger(__name__)

#: The first half of the keys of our advisory locks: "airl" in ASCII.
LOCKS = 0x6169726C
_MIGRATION = 0

_VERSIONS = (
    b"CREATE TABLE IF NOT EXISTS schema_version (number integer PRIMARY KEY)",
    b"ALTER TABLE schema_version ADD COLUMN IF NOT EXISTS works_with integer",
)
_APPLIED = b"SELECT number, coalesce(works_with, number) FROM schema_version"
_WORKS_WITH = re.compile(r"\A-- works with: (\d+)\n")
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
    for statement in _VERSIONS:
        connection.execute(statement)
    applied: dict[int, int] = dict(connection.execute(_APPLIED).fetchall())
    known = migrations()
    if newer := applied.keys() - known.keys():
        _require_compatible(max(known), max(applied), max(applied[number] for number in newer))
    for number in sorted(known.keys() - applied.keys()):
        for text in _statements(known[number]):
            connection.execute(text.encode())
        connection.execute(
            b"INSERT INTO schema_version (number, works_with) VALUES ($1, $2)",
            (number, works_with(number, known[number])),
        )
    # The key is part of the same transaction: no journal is ever without a key.
    connection.execute(
        b"INSERT INTO meta VALUES ('key', $1) ON CONFLICT DO NOTHING", (os.urandom(32),)
    )


def works_with(number: int, migration: str) -> int:
    """Return the newest format that a node has to know to work with the tables after this migration."""
    found = _WORKS_WITH.match(migration)
    return int(found[1]) if found else number


def _require_compatible(known: int, format: int, oldest: int) -> None:
    """Raise JournalUnusable if tables of a newer format need a newer Airlock than this one."""
    if known < oldest:
        raise JournalUnusable(
            f"gateway.journal: a newer Airlock made the tables (format {format}, which needs a node that knows format "
            f"{oldest}; this one knows {known}); upgrade Airlock on this node, or restore a backup from before the "
            "upgrade"
        )
    log.warning("journal_is_newer", format=format, known=known)


def _statements(text: str) -> list[str]:
    """Return the statements of a file; none of ours has a semicolon in a text, or a comment behind a statement."""
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return [part for part in "\n".join(lines).split(";") if part.strip()]


@contextmanager
def own_schema(url: str) -> Iterator[str]:
    """Yield the URL of a new, empty schema, and remove it at the end; raises JournalUnusable if that cannot be done."""
    database, name = Database(url, "demo"), f"airlock_{secrets.token_hex(6)}"
    _administer(database, f"CREATE SCHEMA {name}")
    try:
        separator = "&" if "?" in url else "?"
        yield f"{url}{separator}options={quote(f'-csearch_path={name}')}"
    finally:
        _administer(database, f"DROP SCHEMA {name} CASCADE")


def _administer(database: Database, statement: str) -> None:
    connection = database.open(ADMINISTRATOR)
    try:
        connection.execute(statement.encode())
    except psycopg.Error as exc:
        raise JournalUnusable(
            f"{database}: {in_words(exc)}; let the role create schemas: GRANT CREATE ON DATABASE <database> TO <role>"
        ) from None
    finally:
        connection.close()


def key(connection: Connection) -> bytes:
    """Return the key from which ids and links are derived."""
    row = connection.execute(b"SELECT value FROM meta WHERE key = 'key'").fetchone()
    if row is None:
        raise JournalUnusable("gateway.journal: the database has lost its key; restore a backup")
    return bytes(row[0])
