"""A journal of an earlier format is brought up to date when it is opened, and loses nothing."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from gateway.identifiers import Identifiers
from gateway.journal.errors import JournalUnusable
from gateway.journal.sqlite import schema
from gateway.journal.sqlite.journal import SqliteJournal
from tests.gateway.people import events_of, message, tell

pytestmark = pytest.mark.sqlite

FIRST = Path(__file__).with_name("journal_format_1.sql").read_text()
KEY = b"k" * 32


def columns(connection: sqlite3.Connection) -> dict[str, list[tuple[str, str, int, str | None]]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: sorted(
            (column, kind, required, default)
            for _, column, kind, required, default, _ in connection.execute(
                f"PRAGMA table_info({name})"
            )
        )
        for (name,) in tables
    }


def indexes(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
    return {name for (name,) in rows}


def first_format(folder: Path) -> None:
    """Make a journal of format 1 with a conversation of one message."""
    ids = Identifiers(KEY)
    with contextlib.closing(sqlite3.connect(folder / "journal.db")) as made:
        made.executescript(FIRST)
        made.execute("INSERT INTO meta VALUES ('key', ?)", (KEY,))
        made.execute(
            "INSERT INTO conversation (key, id, connector, platform, account, consumer, sequence) "
            "VALUES (1, ?, 'desk', 'notes', 'desk-1', '4915', 1)",
            (ids.conversation("desk", "desk-1", "4915"),),
        )
        made.execute(
            "INSERT INTO message VALUES (4294967297, ?, '1', 5, 6, ?)",
            (ids.message("desk", "1"), b'{"text":"old","transcript":"old","reply_to":null}'),
        )
        made.commit()


#: A text that waits to be sent.
WAITING = (
    """INSERT INTO outgoing (key, id, conversation, agent, text, accepted_at, status)
    VALUES (1, 'msg_a', 1, 'anna', 'hello', 5, 'accepted')""",
    "INSERT INTO part (outgoing, position, text, state, due) VALUES (1, 0, 'hello', 'waiting', 5)",
)


async def test_a_journal_of_the_first_format_goes_on(tmp_path: Path) -> None:
    first_format(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as made:
        made.executescript(";".join(WAITING))
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    try:
        recorded = await tell(journal, message("1", "4915"), message("2", "4915"))
        (event,) = events_of(recorded)
        assert event["data"]["message"]["sequence"] == 2
        (found,) = await journal.conversations(limit=10)
        texts = [one["text"] for one in await journal.messages(found["id"], 0, 10) or ()]
        assert texts == ["old", "text of 2"]
        (part,) = await journal.open_parts()
        assert (part.id, part.text, part.request_id) == ("msg_a", "hello", "")
    finally:
        await journal.close()


def test_a_journal_brought_up_to_date_equals_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    first_format(tmp_path / "old")
    with contextlib.ExitStack() as stack:
        made = []
        for path in (tmp_path / "old" / "journal.db", tmp_path / "new.db"):
            connection = stack.enter_context(contextlib.closing(schema.connect(str(path))))
            schema.migrate(connection)
            made.append(connection)
        old, new = made
        assert columns(old) == columns(new)
        assert indexes(old) == indexes(new)


def test_a_journal_of_a_later_format_is_refused(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as later:
        later.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        with pytest.raises(JournalUnusable, match="newer Airlock"):
            schema.migrate(later)
