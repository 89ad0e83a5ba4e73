"""`make test-postgresql` is only worth something if the journals really are in PostgreSQL."""

from pathlib import Path

from gateway.journal.sqlite.journal import SqliteJournal
from tests.journal_rows import ON_POSTGRESQL, rows


async def test_journals_are_where_this_run_keeps_them(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    await journal.close()
    assert (tmp_path / "journal.db").exists() != ON_POSTGRESQL
    assert rows(tmp_path, "SELECT count(*) FROM outbox") == [(0,)]
