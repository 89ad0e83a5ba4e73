"""Free pages of the database file, returned to the disk in small steps."""

import sqlite3

#: Pages removed in one transaction, which takes a few milliseconds.
_PAGES = 500


def has_spare(connection: sqlite3.Connection, spare: int) -> bool:
    """Whether more than `spare` bytes of the file are free pages."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    return bool(free * page > spare)


def shrink(connection: sqlite3.Connection, spare: int) -> bool:
    """Remove some free pages from the file; True while more than `spare` bytes are free."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    for _ in range(min(free, _PAGES)):
        # One by one: Python's sqlite3 executes only one step of this statement, whatever its argument.
        connection.execute("PRAGMA incremental_vacuum(1)")
    return has_spare(connection, spare)


def count_steps(connection: sqlite3.Connection) -> int:
    """Return the number of calls of `shrink` that remove all pages that are free now."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return -(-int(free) // _PAGES)
