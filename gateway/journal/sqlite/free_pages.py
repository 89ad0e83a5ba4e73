"""Free pages of the database file, which are returned to the disk step by step."""

import sqlite3

#: Pages moved in one transaction: some milliseconds.
_PAGES = 500


def has_spare(connection: sqlite3.Connection, spare: int) -> bool:
    """Whether more than `spare` bytes of the file are free pages."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    return bool(free * page > spare)


def shrink(connection: sqlite3.Connection, spare: int) -> bool:
    """Take a few free pages out of the file; True while there are more than `spare` bytes of them."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    for _ in range(min(free, _PAGES)):
        # One by one: Python's sqlite3 takes a single step of this statement, whatever number stands in it.
        connection.execute("PRAGMA incremental_vacuum(1)")
    return has_spare(connection, spare)


def count_steps(connection: sqlite3.Connection) -> int:
    """How many calls of `shrink` take the pages out of the file that are free now."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return -(-int(free) // _PAGES)
