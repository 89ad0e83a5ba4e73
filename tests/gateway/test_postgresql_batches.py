"""Recording a batch in PostgreSQL: a handful of statements for any number of messages, with the result of one by one."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.inbound.parse_worker import read
from gateway.journal import Batch, Recorded
from gateway.journal.postgresql.journal import PostgresqlJournal
from gateway.journal.postgresql.transaction import PostgresqlTransaction
from normalizer.events import Identity, Receipt
from tests.gateway.engines import Postgresql
from tests.gateway.people import about, events_of, message, tell
from tests.gateway.test_journal import CONNECTORS, bodies, delivery, note, record

#: The tables of which this transaction read all rows.
_READ_WHOLE = """SELECT relname, seq_scan FROM pg_stat_xact_user_tables
    WHERE schemaname = current_schema() AND seq_scan > 0"""


@pytest.fixture
async def journal(on_postgresql: Postgresql, tmp_path: Path) -> PostgresqlJournal:
    return await on_postgresql.open(tmp_path)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that transactions send from now on."""
    found: list[str] = []
    send = PostgresqlTransaction._send

    def counting(self: PostgresqlTransaction, statement: str, parameters: Any) -> Any:
        found.append(statement)
        return send(self, statement, parameters)

    monkeypatch.setattr(PostgresqlTransaction, "_send", counting)
    return found


async def test_a_batch_takes_as_many_statements_as_a_message(
    journal: PostgresqlJournal, sent: list[str]
) -> None:
    await record(journal, delivery(*(note(f"first {n}", f"s{n}") for n in range(5))))
    counts = []
    for size in (1, 50):
        sent.clear()
        entries = [note(f"{size} {n}", f"s{n % 5}") for n in range(size)]
        recorded = await record(journal, delivery(*entries))
        assert len(recorded.entries) == size
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 7


async def test_new_names_leave_a_batch_at_its_few_statements(
    journal: PostgresqlJournal, sent: list[str]
) -> None:
    people = [str(n) for n in range(40)]
    await tell(journal, *(message(f"first {one}", one) for one in people))
    sent.clear()
    named = (message(f"second {one}", one, name=f"Name {one}") for one in people)
    recorded = await tell(journal, *named, *(message(f"third {one}", one) for one in people))
    assert len(recorded.entries) == 3 * len(people)
    assert not any("FROM alias WHERE id = ?" in statement for statement in sent)


async def test_plans_of_an_empty_database_never_read_whole_tables(
    journal: PostgresqlJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[Any] = []
    end = PostgresqlTransaction.end

    def looking(self: PostgresqlTransaction) -> None:
        end(self)
        whole.extend(self.execute(_READ_WHOLE))

    monkeypatch.setattr(PostgresqlTransaction, "end", looking)
    for number in range(12):  # the server keeps a plan after a few executions
        await tell(
            journal,
            message(str(number), f"s{number}"),
            Receipt(id=f"r{number}", **about(f"t{number}"), status="read", message_ids=("m",)),
        )
    assert whole == []


async def test_events_of_many_posts_are_removed_with_one_statement(
    journal: PostgresqlJournal, sent: list[str]
) -> None:
    recorded = await record(journal, delivery(*(note(str(n), f"s{n}") for n in range(9))))
    sent.clear()
    marks = [journal.mark_delivered([(e.conversation, e.key)]) for e in recorded.entries[:8]]
    await asyncio.gather(*marks)
    assert await journal.backlog() == 1
    assert sum(statement.startswith("DELETE") for statement in sent) <= 2


async def test_keys_of_events_ascend_in_the_order_of_messages(journal: PostgresqlJournal) -> None:
    recorded = await record(journal, delivery(*(note(str(n), f"s{n % 3}") for n in range(30))))
    keys = [entry.key for entry in recorded.entries]
    assert keys == sorted(set(keys))
    lane = recorded.entries[0].conversation
    stored = await journal.next_entries(lane, 0, 100)
    assert stored == [entry for entry in recorded.entries if entry.conversation == lane]


async def test_changes_of_one_conversation_keep_their_order(journal: PostgresqlJournal) -> None:
    readings = [
        reading
        for number, reports in enumerate([False, True, False, True])
        for reading in _readings(str(number), reports_opt_in=reports)
    ]
    await journal.record(Batch((), tuple(readings)))
    recorded = await record(journal, delivery(note("last")))
    assert [e["data"]["message"]["sequence"] for e in bodies(recorded)] == [5]


def _readings(id: str, *, reports_opt_in: bool) -> list[Any]:
    found = read(delivery(note(id)), CONNECTORS)
    return [replace(reading, reports_opt_in=reports_opt_in) for reading in found]


async def test_addresses_that_change_within_a_batch_are_followed(
    journal: PostgresqlJournal,
) -> None:
    await tell(journal, message("1", "4911"))
    recorded = await tell(
        journal,
        message("2", "4911"),
        Identity(id="i", **about("4912"), former=("4911",)),
        message("3", "4912"),
        message("4", "4911"),
        message("5", "4911", "4912"),
        message("5", "4911"),
    )
    assert shown(recorded) == [
        ("2", "4911", 2),
        ("3", "4912", 3),
        ("4", "4911", 1),
        ("5", "4911", 4),
    ]
    assert recorded.duplicates == 1


def shown(recorded: Recorded) -> list[tuple[str, str, int]]:
    return [
        (
            event["data"]["message"]["platform_id"],
            event["data"]["conversation"]["consumer"]["id"],
            event["data"]["message"]["sequence"],
        )
        for event in events_of(recorded)
        if event["type"] == "message.received"
    ]


async def test_one_bad_message_leaves_the_rest_of_the_group(journal: PostgresqlJournal) -> None:
    bad, good = await asyncio.gather(
        tell(journal, message("1", "ann", text="\ud83d")),
        tell(journal, message("2", "ann"), message("3", "ann")),
        return_exceptions=True,
    )
    assert isinstance(bad, TypeError)
    assert isinstance(good, Recorded)
    assert shown(good) == [("2", "ann", 1), ("3", "ann", 2)]


async def test_a_query_that_fails_leaves_the_reader_usable(journal: PostgresqlJournal) -> None:
    for _ in range(4):
        with pytest.raises(psycopg.errors.UndefinedTable):
            await journal._read(lambda c: c.execute("SELECT 1 FROM nowhere").fetchone())
    assert await asyncio.gather(*(journal.backlog() for _ in range(4))) == [0, 0, 0, 0]
