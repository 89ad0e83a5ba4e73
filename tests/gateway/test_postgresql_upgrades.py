"""Rolling upgrades: nodes of two versions share the tables of the newer one, as far as that says they can."""

from pathlib import Path
from typing import Any

import pytest

from gateway.inbound.parse_worker import read
from gateway.journal import Batch, JournalUnusable, shard_of_connector
from gateway.journal.postgresql import schema
from gateway.journal.postgresql.journal import PostgresqlJournal
from tests.gateway.engines import Postgresql
from tests.gateway.test_journal import CONNECTORS, delivery, note
from tests.gateway.test_nodes import divided, node, until
from tests.postgresql import Server

KNOWN = schema.migrations()
FORMAT = max(KNOWN)


def newer(works_with: int) -> dict[int, str]:
    """The migrations of a version that adds a column."""
    added = f"-- works with: {works_with}\nALTER TABLE conversation ADD hobby text;\n"
    return {**KNOWN, FORMAT + 1: added}


@pytest.fixture
def url(postgresql: Server, tmp_path: Path) -> str:
    return Postgresql(postgresql).url(tmp_path)


async def test_nodes_of_two_versions_accept_and_deliver_together(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(url, "old") as old:
        monkeypatch.setattr(schema, "migrations", lambda: newer(FORMAT))
        async with node(url, "new") as new:
            await divided(old, new)
            assert await _columns(new) > set()
            for accepting in (old, new):
                await _passes_through(accepting, old, new)
            monkeypatch.setattr(schema, "migrations", lambda: KNOWN)
            # A node of the older version that ended meanwhile comes back.
            async with node(url, "old, too") as again:
                await divided(old, new, again)
                await _passes_through(again, old, new, again)


async def _columns(journal: PostgresqlJournal) -> set[str]:
    query = "SELECT attname FROM pg_attribute WHERE attrelid = 'conversation'::regclass AND attname = 'hobby'"
    return {name for (name,) in await journal._read(lambda t: t.execute(query).fetchall())}


async def _passes_through(accepting: PostgresqlJournal, *nodes: PostgresqlJournal) -> None:
    """Accept a message at one node, record it at the owner of its connector, and let the core take its event."""
    id = f"{accepting.ownership.number} of {len(nodes)}"
    await accepting.append(delivery(note(id, f"somebody {id}")))
    reader = next(n for n in nodes if n.ownership.owns(shard_of_connector("desk")))
    rows: list[Any] = []

    async def found() -> bool:
        rows.extend(await reader.unread(-1, 10))
        return bool(rows)

    while not await found():
        await until(reader.arrived.is_set)
    readings = [r for row in rows for one in row.deliveries for r in read(one, CONNECTORS)]
    recorded = await reader.record(Batch(tuple(row.id for row in rows), tuple(readings)))
    (entry,) = recorded.entries
    for one in nodes:
        assert [e.event_id for e in await one.next_entries(entry.conversation, 0, 9)] == [
            entry.event_id
        ]
    await accepting.mark_delivered([(entry.conversation, entry.key)])
    assert await reader.backlog() == 0


@pytest.mark.parametrize("oldest", [FORMAT + 1, FORMAT + 7])
async def test_tables_that_need_a_newer_node_refuse_an_older_one(
    url: str, monkeypatch: pytest.MonkeyPatch, oldest: int
) -> None:
    monkeypatch.setattr(schema, "migrations", lambda: newer(oldest))
    async with node(url, "new"):
        monkeypatch.setattr(schema, "migrations", lambda: KNOWN)
        with pytest.raises(JournalUnusable) as refused:
            await PostgresqlJournal.open(url, hold_seconds=2, node="old")
    assert str(refused.value) == (
        f"gateway.journal: a newer Airlock made the tables (format {FORMAT + 1}, which needs a node that knows "
        f"format {oldest}; this one knows {FORMAT}); upgrade Airlock on this node, or restore a backup from before "
        "the upgrade"
    )


@pytest.mark.parametrize(
    ("migration", "oldest"),
    [
        ("CREATE TABLE a (b text);", 9),
        ("-- works with: 7\nALTER TABLE a ADD c text;", 7),
        ("-- a comment\n-- works with: 7\nALTER TABLE a ADD c text;", 9),
    ],
)
def test_a_migration_says_which_nodes_go_on(migration: str, oldest: int) -> None:
    assert schema.works_with(9, migration) == oldest
