"""The PostgreSQL journal while its sessions end, its server stops, or its standby does not confirm."""

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.journal import ALL_SHARDS, Accepted, Batch, JournalUnavailable, Shards
from gateway.journal.postgresql.journal import PostgresqlJournal
from gateway.journal.postgresql.session import Role
from gateway.journal.stores.journal import StoredJournal
from tests.gateway.engines import Postgresql
from tests.gateway.test_journal import announced, bodies, delivery, note, record
from tests.postgresql import Server

HASTY = (
    "gateway.journal.postgresql.journal.APPENDER",
    Role("intake", {"statement_timeout": "0.2s"}),
)
IMPATIENT = ("gateway.journal.postgresql.appender._SECONDS", 0.1)


@pytest.fixture
async def journal(on_postgresql: Postgresql, tmp_path: Path) -> PostgresqlJournal:
    return await on_postgresql.open(tmp_path)


def end_sessions(server: Server, role: str) -> None:
    """End the sessions of a role, as an administrator or a fail-over does."""
    with server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s",
            (f"airlock {role}%",),
        )


async def works_again(journal: StoredJournal) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await journal.check_health()
            except JournalUnavailable:
                await asyncio.sleep(0.02)
            else:
                return


async def test_a_lost_writing_session_is_reported_and_replaced(
    journal: PostgresqlJournal, postgresql: Server
) -> None:
    lost: list[Shards] = []
    journal.ownership.lost = lost.append  # type: ignore[assignment]
    end_sessions(postgresql, "writer")
    with pytest.raises(JournalUnavailable, match="PostgreSQL: "):
        await record(journal, delivery(note("1")))
    await works_again(journal)
    assert lost == [ALL_SHARDS]
    recorded = await record(journal, delivery(note("1")))
    assert [e["data"]["message"]["sequence"] for e in bodies(recorded)] == [1]


async def test_readers_replace_sessions_that_ended_while_idle(
    journal: PostgresqlJournal, postgresql: Server
) -> None:
    await journal.backlog()
    end_sessions(postgresql, "reader")
    assert await journal.backlog() == 0


async def test_an_unanswered_commit_is_completed_if_it_happened(
    journal: PostgresqlJournal, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = announced(journal)
    lose_answer(journal, monkeypatch, postgresql, after=True)
    recorded = await record(journal, delivery(note("1")))
    assert recorded.duplicates == 0
    assert seen == [recorded]
    assert (await record(journal, delivery(note("1")))).duplicates == 1


async def test_an_unanswered_commit_fails_if_it_did_not_happen(
    journal: PostgresqlJournal, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = announced(journal)
    lose_answer(journal, monkeypatch, postgresql, after=False)
    with pytest.raises(JournalUnavailable, match="lost before the commit"):
        await record(journal, delivery(note("1")))
    assert seen == []
    assert (await record(journal, delivery(note("1")))).duplicates == 0


def lose_answer(
    journal: PostgresqlJournal, monkeypatch: pytest.MonkeyPatch, server: Server, *, after: bool
) -> None:
    """Let the session end while the next commit is on its way: after the server did it, or before."""
    del journal
    execute = psycopg.Connection.execute
    left = ["once"]

    def broken(connection: Any, query: Any, *arguments: Any, **more: Any) -> Any:
        if query != b"COMMIT" or not left:
            return execute(connection, query, *arguments, **more)
        left.clear()
        if after:
            execute(connection, query)
        end_sessions(server, "writer")
        return execute(connection, b"SELECT 1")

    monkeypatch.setattr("psycopg.Connection.execute", broken)


async def test_a_delivery_without_its_standby_is_refused(
    journal: PostgresqlJournal, postgresql: Server
) -> None:
    with postgresql.having(synchronous_standby_names="nobody"):
        appended = journal.append(delivery(note("1")))
        await cancel_wait_for_standby(postgresql, "intake")
        with pytest.raises(JournalUnavailable, match="not confirmed by the standby"):
            await appended
    await accepts_again(journal, delivery(note("2")))


async def test_a_record_without_its_standby_waits_for_it(
    journal: PostgresqlJournal, postgresql: Server
) -> None:
    seen = announced(journal)
    with postgresql.having(synchronous_standby_names="nobody"):
        recording = asyncio.create_task(record(journal, delivery(note("1"))))
        await cancel_wait_for_standby(postgresql, "writer")
        # The next session waits for the standby, too, before it answers.
        await cancel_wait_for_standby(postgresql, "writer")
        assert not recording.done()
    assert seen == [await recording]


async def test_a_commit_without_an_end_does_not_prevent_closing(
    journal: PostgresqlJournal, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.journal.postgresql.session_thread._CLOSE", 0.1)
    with postgresql.having(synchronous_standby_names="nobody"):
        recording = asyncio.create_task(record(journal, delivery(note("1"))))
        await until_it_waits_for_standby(postgresql, "writer")
        await journal.close()
        with pytest.raises(JournalUnavailable, match="did not say whether it committed"):
            await recording


async def until_it_waits_for_standby(server: Server, role: str) -> None:
    with server.connect() as connection:
        async with asyncio.timeout(20):
            while not connection.execute(
                "SELECT 1 FROM pg_stat_activity "
                "WHERE wait_event = 'SyncRep' AND application_name LIKE %s",
                (f"airlock {role}%",),
            ).fetchall():
                await asyncio.sleep(0.01)


async def cancel_wait_for_standby(server: Server, role: str) -> None:
    """Cancel a commit that waits for its standby, as an administrator does."""
    with server.connect() as connection:
        async with asyncio.timeout(20):
            while not connection.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                "WHERE wait_event = 'SyncRep' AND application_name LIKE %s",
                (f"airlock {role}%",),
            ).fetchall():
                await asyncio.sleep(0.01)


async def accepts_again(journal: StoredJournal, accepted: Accepted) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await journal.append(accepted)
            except JournalUnavailable:
                await asyncio.sleep(0.02)
            else:
                return


async def test_a_read_only_server_refuses_and_is_left(
    journal: PostgresqlJournal, postgresql: Server
) -> None:
    with postgresql.having(default_transaction_read_only="on"):
        with pytest.raises(JournalUnavailable):
            await record(journal, delivery(note("1")))
        with pytest.raises(JournalUnavailable):
            await journal.append(delivery(note("1")))
    await works_again(journal)
    assert (await record(journal, delivery(note("1")))).duplicates == 0


@pytest.mark.parametrize(
    ("limit", "reason"), [(HASTY, "statement timeout"), (IMPATIENT, "did not answer within")]
)
async def test_an_append_that_waits_is_refused_in_time(
    limit: tuple[str, Any],
    reason: str,
    postgresql: Server,
    on_postgresql: Postgresql,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*limit)
    journal = await on_postgresql.open(tmp_path)
    with postgresql.connect() as other:
        other.execute(f"SET search_path = {Postgresql.schema(tmp_path)}".encode())
        with other.transaction():
            other.execute("LOCK TABLE intake")
            with pytest.raises(JournalUnavailable, match=reason):
                await journal.append(delivery(note("1")))
    await accepts_again(journal, delivery(note("2")))


async def test_transactions_that_meet_are_repeated(
    journal: PostgresqlJournal, postgresql: Server
) -> None:
    tries: list[int] = []

    def meets(connection: Any) -> int:
        tries.append(1)
        if len(tries) < 3:
            connection.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")
        return len(tries)

    assert await journal._submit(meets) == 3


async def test_a_nul_in_a_text_is_kept_as_a_symbol(journal: PostgresqlJournal) -> None:
    recorded = await record(journal, delivery(note("1", "an\0n", text="a\0b", name="A\0")))
    (event,) = bodies(recorded)
    found = await journal.conversation(event["subject"])
    assert found is not None
    assert found["consumer"]["id"] == "an\N{SYMBOL FOR NULL}n"
    assert (await record(journal, delivery(note("2", "an\0n")))).entries[0].conversation == (
        recorded.entries[0].conversation
    )


async def test_rows_are_handed_out_once_and_again_on_request(journal: PostgresqlJournal) -> None:
    for number in range(3):
        await journal.append(delivery(note(str(number), text="x" * 9_000)))
    first = await journal.unread(-1, 1)
    second = await journal.unread(first[-1].id, 10)
    assert [len(row.deliveries) for row in (*first, *second)] == [1, 1, 1]
    assert await journal.unread(second[-1].id, 10) == []
    assert await journal.unread(first[-1].id, 10) == second
    await journal.record(Batch((second[0].id,), ()))
    assert await journal.unread(-1, 10) == [first[0], second[1]]
