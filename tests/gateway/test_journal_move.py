"""A journal moves from SQLite to PostgreSQL and back, and every row is the same."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.journal import AgentText, JournalUnusable, Outcome, move_to_database, move_to_folder
from gateway.journal.postgresql.transfer import PostgresqlSide
from gateway.journal.stores.journal import StoredJournal
from gateway.upkeep import data_lock
from tests.gateway.engines import Postgresql, Sqlite
from tests.gateway.people import events_of, message, tell
from tests.gateway.test_journal import delivery, note, record
from tests.gateway.test_settings_journal import CORE

pytestmark = pytest.mark.sqlite


async def filled(journal: StoredJournal) -> str:
    """Put something into every part of a journal; return a conversation."""
    recorded = await tell(journal, message("1", "ann", "US.1", name="A\0nn"), message("2", "bob"))
    conversation: str = events_of(recorded)[0]["subject"]
    media = await record(journal, delivery(note("m", media=[["photo", "http://a/1"]])))
    (job,) = media.jobs
    ready = Outcome("ready", width=3, duration=1.5, renditions={"preview": {"bytes": 7}})
    await journal.finish(job.message, job.position, ready)
    await journal.accept_text(AgentText("msg_a", conversation, "anna", "hello", ("hello",), None))
    await journal.record_view(
        at=1, agent="anna", attachment="att_1", rendition="preview", conversation="c", part=None
    )
    await record(journal, delivery({"id": "no sender"}))
    await journal.append(delivery(note("waits"), at=7))
    await journal.append(delivery(note("waits, too"), at=8))
    return conversation


async def test_a_moved_journal_goes_on_where_it_was(
    on_postgresql: Postgresql, tmp_path: Path
) -> None:
    old = await Sqlite().open(tmp_path)
    conversation = await filled(old)
    expected = await state(old, conversation)
    await old.close()
    counts = dict[str, int]()
    left = await asyncio.to_thread(
        move_to_database, tmp_path, on_postgresql.url(tmp_path), counts.__setitem__
    )
    assert counts["conversation"] == 3
    assert counts["intake"] == 2
    assert left.exists()
    assert not (tmp_path / "journal.db").exists()
    new = await on_postgresql.open(tmp_path)
    assert (new.key, await state(new, conversation)) == (old.key, expected)
    rows = await new.unread(-1, 10)
    assert [one.received_at for row in rows for one in row.deliveries] == [7, 8]
    again = await tell(new, message("1", "ann"), message("3", "ann"))
    assert again.duplicates == 1
    assert events_of(again)[0]["data"]["message"]["sequence"] == 2


async def state(journal: StoredJournal, conversation: str) -> str:
    """Return what the API shows of a journal."""
    shown: list[Any] = [
        await journal.conversations(limit=10),
        await journal.messages(conversation, 0, 10),
        await journal.agent_text("msg_a"),
        await journal.failures(10),
        await journal.lanes(),
        await journal.open_parts(),
        [await journal.next_entries(lane, 0, 10) for lane in await journal.lanes()],
    ]
    return repr(shown).replace("\\x00", "\N{SYMBOL FOR NULL}")


async def test_the_way_back_restores_the_same_journal(
    on_postgresql: Postgresql, tmp_path: Path
) -> None:
    old = await on_postgresql.open(tmp_path)
    conversation = await filled(old)
    expected = await state(old, conversation)
    await old.close()
    url = on_postgresql.url(tmp_path)
    await asyncio.to_thread(move_to_folder, url, tmp_path, lambda table, rows: None)
    new = await Sqlite().open(tmp_path)
    assert await state(new, conversation) == expected
    assert [len(row.deliveries) for row in await new.unread(-1, 10)] == [1, 1]
    assert (await tell(new, message("1", "ann"))).duplicates == 1
    await new.close()
    with pytest.raises(JournalUnusable, match=r"journal\.db exists; move it away"):
        await asyncio.to_thread(move_to_folder, url, tmp_path, lambda table, rows: None)


async def test_a_database_with_a_journal_is_refused(
    on_postgresql: Postgresql, tmp_path: Path
) -> None:
    for engine in (on_postgresql, Sqlite()):
        journal = await engine.open(tmp_path)
        await record(journal, delivery(note("1")))
        await journal.close()
    with pytest.raises(JournalUnusable, match="holds a journal already"):
        await asyncio.to_thread(
            move_to_database, tmp_path, on_postgresql.url(tmp_path), lambda table, rows: None
        )
    assert (tmp_path / "journal.db").exists()


async def test_a_copy_that_differs_is_undone(
    on_postgresql: Postgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await Sqlite().open(tmp_path)
    await record(journal, delivery(note("1"), note("2")))
    await journal.close()
    whole = PostgresqlSide.rows
    monkeypatch.setattr(
        PostgresqlSide, "rows", lambda side, table, columns: list(whole(side, table, columns))[:1]
    )
    with pytest.raises(
        JournalUnusable, match="nothing was copied: fact|message differs: 2 rows were written, 1"
    ):
        await asyncio.to_thread(
            move_to_database, tmp_path, on_postgresql.url(tmp_path), lambda table, rows: None
        )
    monkeypatch.undo()
    assert (tmp_path / "journal.db").exists()
    assert await (await on_postgresql.open(tmp_path)).conversations(limit=10) == []


async def test_the_command_refuses_a_folder_in_use(
    on_postgresql: Postgresql, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = await data_lock.claim(tmp_path, 0)
    assert await command(tmp_path, on_postgresql.url(tmp_path)) == 1
    os.close(lock)
    assert "another Airlock process is using" in capsys.readouterr().err
    assert await command(tmp_path, on_postgresql.url(tmp_path)) == 1
    assert "there is no journal to copy" in capsys.readouterr().err


async def test_the_command_refuses_a_database_in_use(
    on_postgresql: Postgresql, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await on_postgresql.open(tmp_path)
    assert await command(tmp_path, on_postgresql.url(tmp_path), "--back") == 1
    assert "another Airlock process uses the database" in capsys.readouterr().err


async def test_the_command_moves_and_says_what_is_left_to_do(
    on_postgresql: Postgresql, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = await Sqlite().open(tmp_path)
    await record(journal, delivery(note("1")))
    await journal.close()
    assert await command(tmp_path, on_postgresql.url(tmp_path)) == 0
    assert "message: 1 rows" in capsys.readouterr().out
    assert await command(tmp_path, on_postgresql.url(tmp_path), "--back") == 0
    assert "set gateway.journal to sqlite" in capsys.readouterr().out
    assert await command(tmp_path, "sqlite") == 1
    assert "set it to the database" in capsys.readouterr().err


async def command(folder: Path, journal: str, *more: str) -> int:
    file = folder / "connectors.yaml"
    file.write_text(f"gateway: {{journal: '{journal}', data: .}}\n{CORE}")
    return await asyncio.to_thread(main, ["journal", "move", "-c", str(file), *more])
