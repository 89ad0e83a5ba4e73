"""The tables in PostgreSQL: made once by whichever node comes first, and the same as SQLite's."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.identifiers import Identifiers
from gateway.journal import JournalUnusable
from gateway.journal.ownership import shard_of_connector
from gateway.journal.postgresql import intake, schema
from gateway.journal.postgresql.intake import Delivery, Floor
from gateway.journal.postgresql.session import ADMINISTRATOR, Database
from gateway.journal.postgresql.statements import translated
from gateway.journal.postgresql.transaction import PostgresqlTransaction
from gateway.journal.sqlite import schema as sqlite_schema
from tests.gateway.engines import Postgresql
from tests.gateway.people import events_of, message, tell
from tests.gateway.test_journal_formats import KEY, WAITING
from tests.postgresql import Server


def migrated(url: str) -> bytes:
    connection = Database(url).open(ADMINISTRATOR)
    try:
        schema.migrate(connection)
        return schema.key(connection)
    finally:
        connection.close()


def test_nodes_that_start_at_once_share_one_key(postgresql: Server, tmp_path: Path) -> None:
    url = Postgresql(postgresql).url(tmp_path)
    with ThreadPoolExecutor(4) as nodes:
        keys = set(nodes.map(migrated, [url] * 4))
    assert len(keys) == 1


def test_tables_of_a_newer_version_are_left_alone(postgresql: Server, tmp_path: Path) -> None:
    url = Postgresql(postgresql).url(tmp_path)
    migrated(url)
    with postgresql.connect() as connection:
        connection.execute(
            f"INSERT INTO {Postgresql.schema(tmp_path)}.schema_version VALUES (999)".encode()
        )
    with pytest.raises(JournalUnusable, match="a newer Airlock made the tables"):
        migrated(url)


_CONVERSATION = (
    "INSERT INTO conversation (key, id, connector, platform, account, consumer, sequence) "
    "VALUES (1, '{}', 'desk', 'notes', 'desk-1', '4915', 1)"
)
_MESSAGE = """INSERT INTO message VALUES (4294967297, '{}', '1', 5, 6,
    '{{"text":"old","transcript":"old","reply_to":null}}')"""


async def test_tables_of_the_first_format_go_on(on_postgresql: Postgresql, tmp_path: Path) -> None:
    ids = Identifiers(KEY)
    connection = Database(on_postgresql.url(tmp_path)).open(ADMINISTRATOR)
    for statement in (
        *schema._statements(schema.migrations()[1]),
        "CREATE TABLE schema_version (number integer PRIMARY KEY)",
        "INSERT INTO schema_version VALUES (1)",
        f"INSERT INTO meta VALUES ('key', '\\x{KEY.hex()}')",
        _CONVERSATION.format(ids.conversation("desk", "desk-1", "4915")),
        _MESSAGE.format(ids.message("desk", "1")),
        *WAITING,
    ):
        connection.execute(statement.encode())
    connection.close()
    journal = await on_postgresql.open(tmp_path)
    (event,) = events_of(await tell(journal, message("1", "4915"), message("2", "4915")))
    assert event["data"]["message"]["sequence"] == 2
    (conversation,) = await journal.conversations_of("4915", None)
    texts = [one["text"] for one in await journal.messages(conversation, 0, 10) or ()]
    assert texts == ["old", "text of 2"]
    (part,) = await journal.open_parts()
    assert (part.id, part.text, part.request_id) == ("msg_a", "hello", "")


def test_both_engines_have_the_same_columns(postgresql: Server, tmp_path: Path) -> None:
    migrated(Postgresql(postgresql).url(tmp_path))
    with postgresql.connect() as connection:
        ours = set(
            connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s",
                (Postgresql.schema(tmp_path),),
            ).fetchall()
        )
    file = sqlite3.connect(":memory:")
    file.executescript(sqlite_schema.TABLES)
    tables = [
        name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    theirs = {
        (table, row[1]) for table in tables for row in file.execute(f"PRAGMA table_info({table})")
    }
    file.close()
    here_only = {("intake", "deliveries"), ("sqlite_sequence", "name"), ("sqlite_sequence", "seq")}
    assert theirs - here_only <= ours


def test_statements_are_translated_but_not_their_texts() -> None:
    assert translated("SELECT ? , '?' WHERE a != x'7b7d' AND b = ?") == (
        b"SELECT $1 , '?' WHERE a != '\\x7b7d'::bytea AND b = $2"
    )


def test_a_stream_is_the_same_in_every_process() -> None:
    assert [shard_of_connector(name) for name in ("whatsapp", "sms", "apple")] == [16, 61, 16]


def test_rows_that_appear_late_are_found_in_time() -> None:
    now = 0.0
    floor = Floor(lambda: now)
    assert floor.of([1]) == 0
    floor.found([Delivery(1, 50_000, b"")])
    assert floor.of([1]) == 40_000
    floor.found([])
    now = 4.9
    assert floor.of([1]) == 40_000
    now = 5.0
    assert floor.of([1]) == 0
    floor.found([Delivery(1, 60_000, b"")])
    assert floor.of([1, 2]) == 0


def test_rows_below_the_floor_are_left_out(postgresql: Server, tmp_path: Path) -> None:
    url = Postgresql(postgresql).url(tmp_path)
    migrated(url)
    connection = Database(url).open(ADMINISTRATOR)
    connection.execute(
        b"INSERT INTO intake (stream, delivery) SELECT n % 3, 'x' FROM generate_series(1, 9) n"
    )
    transaction = PostgresqlTransaction(connection)
    everything = intake.oldest(transaction, [0, 1, 2], [], 1)
    assert [row.id for row in everything] == list(range(1, 10))
    assert [row.id for row in intake.oldest(transaction, [0, 1], [4], 1, floor=3)] == [3, 6, 7, 9]
    connection.close()


def test_a_throwaway_journal_leaves_nothing_behind(postgresql: Server) -> None:
    query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'airlock\\_%'"
    with postgresql.connect() as connection:
        with schema.own_schema(postgresql.url) as url, schema.own_schema(url) as another:
            migrated(url)
            assert migrated(url) != migrated(another)
        assert connection.execute(query.encode()).fetchall() == []


def test_the_demo_names_a_journal_that_it_cannot_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for of_a_process in ("configure", "keep_new_files_private"):
        monkeypatch.setattr(f"gateway.cli.demo.{of_a_process}", lambda **_: None)
    assert main(["demo", "--journal", "mysql://here"]) == 1
    assert "airlock demo: --journal must be sqlite, or postgresql://" in capsys.readouterr().err
    assert main(["demo", "--journal", "postgresql://127.0.0.1:1/airlock"]) == 1
    assert "cannot connect to database 'airlock'" in capsys.readouterr().err
