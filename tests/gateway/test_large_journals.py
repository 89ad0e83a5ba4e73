"""Periodic work must cost the same on a journal of a day and on one of years."""

import sqlite3
from pathlib import Path

import pytest

from gateway.journal.operations import retention
from gateway.journal.sqlite.journal import SqliteJournal
from tests.gateway.test_journal import delivery, note, record

pytestmark = pytest.mark.sqlite

_MESSAGES = 3_000


def _steps(connection: sqlite3.Connection, before: int) -> int:
    """Return the steps of SQLite's virtual machine, in hundreds, to expire data older than `before`."""
    hundreds = 0

    def count() -> int:
        nonlocal hundreds
        hundreds += 1
        return 0

    connection.set_progress_handler(count, 100)
    retention.expire_texts(connection, before, before)
    connection.set_progress_handler(None, 0)
    return hundreds


@pytest.mark.parametrize("old", [False, True])
async def test_expiry_reads_only_the_rows_to_expire(tmp_path: Path, old: bool) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    await record(journal, delivery(*(note(str(n), f"s{n % 50}") for n in range(_MESSAGES))))
    (newest,) = await journal._read(
        lambda c: c.execute("SELECT max(received_at) FROM message").fetchone()
    )
    if old:
        # All of it expired long ago; only the ids are left, to recognise duplicates.
        while await journal.expire_texts(newest + 1, newest + 1):
            pass
    await journal.close()
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    left = connection.execute("SELECT count(*) FROM message WHERE platform_id != ''").fetchone()
    assert left == (0 if old else _MESSAGES,)
    before = newest + 1 if old else newest - 1_000_000
    assert _steps(connection, before) <= 5
    connection.close()
