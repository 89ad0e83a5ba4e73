"""Opening the journal that the settings name."""

from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path

from .errors import JournalUnusable
from .interface import Journal
from .records import Examined, Node

SQLITE = "sqlite"


async def open_journal(where: str, data: Path, *, hold_seconds: float, node: str = "") -> Journal:
    """Open the journal in the folder `data`, or in the database `where`; raises JournalUnusable if that fails."""
    # An engine is imported only if it is used: the driver of PostgreSQL is an extra.
    if where == SQLITE:
        from .sqlite.journal import SqliteJournal

        return await SqliteJournal.open(data, hold_seconds=hold_seconds)
    require_driver()
    from .postgresql.journal import PostgresqlJournal

    return await PostgresqlJournal.open(
        where, hold_seconds=hold_seconds, node=node, version=version("airlock-messaging")
    )


def examine_database(url: str) -> Examined:
    """Look whether a database keeps the journal's promises; raises JournalUnusable if it cannot be reached."""
    require_driver()
    from .postgresql.examination import examine

    return examine(url)


def throwaway_database(url: str) -> AbstractContextManager[str]:
    """Yield the URL of an empty journal in a database, which is removed at the end; raises JournalUnusable."""
    require_driver()
    from .postgresql.schema import own_schema

    return own_schema(url)


def nodes_of(url: str) -> list[Node]:
    """Return the nodes that use a database, and those that did within a day; raises JournalUnusable."""
    require_driver()
    from .postgresql import nodes

    return nodes.nodes_of(url)


def require_driver() -> None:
    """Raise JournalUnusable unless the driver of PostgreSQL is installed."""
    try:
        import psycopg  # noqa: F401 - only whether it is there
    except ImportError as exc:
        raise JournalUnusable(
            f"gateway.journal: the driver of PostgreSQL cannot be loaded ({exc}); install it with "
            "pip install 'airlock-messaging[postgresql]'"
        ) from exc
