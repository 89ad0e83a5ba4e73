"""`airlock check` refuses a database that would lose what was acknowledged."""

import asyncio
import sys
from pathlib import Path

import pytest

from gateway.cli import check
from gateway.journal import JournalUnusable, examine_database, open_journal
from gateway.journal.postgresql import session
from tests.gateway.settings_files import SettingsFile
from tests.gateway.test_settings_journal import CORE
from tests.postgresql import Server


def test_a_server_without_fsync_is_refused(postgresql: Server) -> None:
    found = examine_database(postgresql.url)
    assert found.what.startswith("PostgreSQL ")
    assert "database 'postgres' at 127.0.0.1" in found.what
    assert [fault.partition(":")[0] for fault in found.faults] == [
        "fsync is off",
        "full_page_writes is off",
    ]


def test_a_server_that_syncs_is_accepted_with_a_note(postgresql: Server) -> None:
    with postgresql.having(fsync="on", full_page_writes="on"):
        found = examine_database(postgresql.url)
    assert found.faults == ()
    assert "on one machine only" in found.notes[0]


def test_a_read_only_server_is_refused(postgresql: Server) -> None:
    with postgresql.having(fsync="on", full_page_writes="on", default_transaction_read_only="on"):
        (fault,) = examine_database(postgresql.url).faults
    assert fault.startswith("transaction_read_only is on: it cannot be written")


def test_an_old_server_is_refused_by_its_version(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "OLDEST_VERSION", 99)
    with pytest.raises(JournalUnusable, match=r"the server is PostgreSQL \d+; Airlock needs 99"):
        examine_database(postgresql.url)


def test_a_database_in_another_encoding_is_refused(postgresql: Server) -> None:
    with postgresql.connect() as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    faults = examine_database(f"{postgresql.url.removesuffix('/postgres')}/latin").faults
    assert any(fault.startswith("server_encoding is LATIN1") for fault in faults)


def test_an_absent_server_is_named_without_its_password() -> None:
    with pytest.raises(JournalUnusable, match="cannot connect to database 'airlock'") as caught:
        examine_database("postgresql://ann:hunter2@127.0.0.1:1/airlock")
    assert "hunter2" not in str(caught.value)


def test_a_url_that_libpq_refuses_is_named() -> None:
    with pytest.raises(JournalUnusable, match="the URL is not understood"):
        examine_database("postgresql://db/airlock?no_such_parameter=hunter2")


def test_the_command_prints_each_fault_and_fails(
    postgresql: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = postgresql.url.replace("postgres@", "postgres:hunter2@")
    settings = SettingsFile(tmp_path).load(f"gateway: {{journal: '{url}'}}\n{CORE}")
    assert not check._journal(settings)
    with postgresql.having(fsync="on", full_page_writes="on"):
        assert check._journal(settings)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        "journal:",
        "journal:",
        "note:",
        "note:",
        "journal:",
    ]
    assert lines[-1].startswith("journal: ok, PostgreSQL ")
    assert not any("hunter2" in line for line in lines)


def test_a_missing_driver_is_named_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(JournalUnusable, match=r"pip install 'airlock-messaging\[postgresql\]'"):
        asyncio.run(open_journal("postgresql://db/airlock", tmp_path, hold_seconds=2))
