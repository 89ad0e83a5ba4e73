"""Nodes on one database divide the shards, hand them over, and cannot do what another node owns."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from prometheus_client import REGISTRY

from gateway.cli import main
from gateway.journal import (
    ALL_SHARDS,
    AgentText,
    Batch,
    JournalUnavailable,
    JournalUnusable,
    Recorded,
    shard_of,
    shard_of_connector,
    shard_of_message,
)
from gateway.journal.frames import pack
from gateway.journal.postgresql.intake import Delivery, HandedOut, IntakeShards
from gateway.journal.postgresql.journal import PostgresqlJournal
from gateway.journal.postgresql.locks import NotOwner, life_of
from gateway.journal.postgresql.nodes import measure, register
from gateway.journal.postgresql.shared_ownership import shards_of
from gateway.upkeep.connector_health import ConnectorHealth, Health
from tests.gateway.engines import Postgresql
from tests.gateway.test_journal import delivery, note, record
from tests.gateway.test_lanes import SECRET
from tests.postgresql import Server

DESK = shard_of_connector("desk")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def node(url: str, name: str) -> AsyncIterator[PostgresqlJournal]:
    journal = await PostgresqlJournal.open(url, hold_seconds=2, node=name)
    watching = asyncio.create_task(journal.watch())
    try:
        yield journal
    finally:
        watching.cancel()
        await asyncio.wait([watching])
        await journal.close()


@pytest.fixture
def url(postgresql: Server, tmp_path: Path) -> str:
    return Postgresql(postgresql).url(tmp_path)


def end_session(server: Server, name: str) -> None:
    with server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            (f"airlock writer {name}",),
        )


async def divided(*nodes: PostgresqlJournal) -> None:
    """Wait until these nodes own everything, each its share."""
    live = frozenset(one.ownership.number for one in nodes)
    await until(
        lambda: all(one.ownership.shards == shards_of(one.ownership.number, live) for one in nodes)
    )


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_shard_has_one_owner_and_a_newcomer_moves_only_its_own(count: int) -> None:
    live = frozenset(range(1, count + 1))
    shares = [shards_of(number, live) for number in live]
    assert sum(map(len, shares)) == len(frozenset().union(*shares)) == len(ALL_SHARDS)
    more = live | {99}
    assert all(shards_of(number, more) <= shards_of(number, live) for number in live)


async def test_a_second_node_gets_its_share_and_leaves_it_at_the_end(url: str) -> None:
    async with node(url, "one") as one:
        assert one.ownership.shards == ALL_SHARDS
        async with node(url, "two") as two:
            await divided(one, two)
            assert one.ownership.nodes == two.ownership.nodes == 2
            await two.ownership.drain()
            await until(lambda: one.ownership.shards == ALL_SHARDS)
            assert two.ownership.refusal() is not None


async def test_a_node_gets_no_shards_before_it_works(url: str) -> None:
    async with node(url, "one") as one:
        starting = await PostgresqlJournal.open(url, hold_seconds=2, node="two")
        looks = one.ownership.looks
        await until(lambda: one.ownership.looks > looks + 1)
        assert (one.ownership.shards, starting.ownership.shards) == (ALL_SHARDS, frozenset())
        await starting.close()


async def test_a_lost_session_loses_everything_and_gets_it_back(
    url: str, postgresql: Server
) -> None:
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        lost: list[int] = []
        one.ownership.lost = lost.extend  # type: ignore[assignment]
        await asyncio.to_thread(end_session, postgresql, "one")
        await until(lambda: lost)
        await divided(one, two)


async def test_a_name_belongs_to_one_node(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.journal.postgresql.journal._PREDECESSOR_SECONDS", 0.2)
    async with node(url, "one"):
        with pytest.raises(JournalUnusable, match=r"gateway\.node: another node is called 'one'"):
            await PostgresqlJournal.open(url, hold_seconds=2, node="one")


async def test_a_delivery_is_read_by_the_owner_of_its_stream(url: str) -> None:
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        owner, other = (one, two) if one.ownership.owns(DESK) else (two, one)
        owner.arrived.clear()
        await other.append(delivery(note("1")))
        await asyncio.wait_for(owner.arrived.wait(), 20)
        assert await other.unread(-1, 10) == []
        (row,) = await owner.unread(-1, 10)
        assert [accepted.connector for accepted in row.deliveries] == ["desk"]


async def test_what_is_recorded_for_another_node_reaches_it(url: str) -> None:
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        received: dict[PostgresqlJournal, list[Recorded]] = {one: [], two: []}
        for journal, list_of in received.items():
            journal.subscribe(list_of.append)
        media = [["photo", "https://media.example/1"]]
        notes = [note(str(n), f"sender{n}", media=media) for n in range(12)]
        made = await record(one if one.ownership.owns(DESK) else two, delivery(*notes))

        def missing() -> list[int]:
            return [
                entry.conversation
                for entry in made.entries
                for journal in received
                if journal.ownership.owns(shard_of(entry.conversation))
                and not any(
                    entry.conversation in {e.conversation for e in r.entries}
                    for r in received[journal]
                )
            ] + [
                job.message
                for job in made.jobs
                for journal in received
                if journal.ownership.owns(shard_of_message(job.message))
                and not any(job.message in {j.message for j in r.jobs} for r in received[journal])
            ]

        await until(lambda: not missing())


async def test_only_the_owner_may_begin_what_must_not_be_done_twice(url: str) -> None:
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        reader = one if one.ownership.owns(DESK) else two
        media = [["photo", "https://media.example/1"]]
        made = await record(reader, delivery(note("1", media=media)))
        lane, (job,) = made.entries[0].conversation, made.jobs
        owner, other = (one, two) if one.ownership.owns(shard_of(lane)) else (two, one)
        conversation = reader.ids.conversation("desk", "us", "ann")
        await other.accept_text(AgentText("msg_a", conversation, "anna", "hi", ("hi",), None))
        (part,) = await owner.open_parts(owner.ownership.shards)
        assert await other.open_parts(other.ownership.shards) == []
        with pytest.raises(NotOwner):
            await other.trying(part.outgoing, part.position)
        with pytest.raises(NotOwner):
            await other.begin(job.message, job.position, again=True)
        assert await owner.trying(part.outgoing, part.position) is not None
        begun = [await owner.begin(job.message, job.position, again=bool(n)) for n in range(3)]
        assert begun == [1, 2, 3]
        assert await owner.begin(job.message, job.position, again=False) == 0
        await owner.postpone(job.message, job.position, 0, "unreachable")
        assert await owner.begin(job.message, job.position, again=False) == 1
        await owner.take_back(job.message, job.position)
        assert await owner.begin(job.message, job.position, again=False) == 1


async def test_deliveries_of_a_lost_stream_are_not_recorded(url: str, postgresql: Server) -> None:
    async with node(url, "one") as one:
        await one.append(delivery(note("1")))
        rows = await one.unread(-1, 10)
        batch = tuple(row.id for row in rows)
        await asyncio.to_thread(end_session, postgresql, "one")
        await until(lambda: not one.ownership.shards)
        with pytest.raises(JournalUnavailable):
            await one.record(Batch(batch, ()))
        await until(lambda: one.ownership.shards == ALL_SHARDS)
        assert len(await one.unread(-1, 10)) == 1


async def test_any_node_lists_and_retries_a_refused_event(url: str) -> None:
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        made = await record(one, delivery(note("1")))
        (entry,) = await one.next_entries(made.entries[0].conversation, 0, 1)
        assert not await two.retry_event(entry.event_id)
        await one.note_refusal(entry.key, 3, 1_000)
        (refused,) = await two.refused_events(10)
        assert (refused["id"], refused["attempts"]) == (entry.event_id, 3)
        received: list[Recorded] = []
        one.subscribe(received.append)
        assert await two.retry_event(entry.event_id)
        await until(lambda: any(entry.event_id in recorded.retried for recorded in received))


async def test_a_node_measures_what_waits_in_its_shards(url: str) -> None:
    one = await PostgresqlJournal.open(url, hold_seconds=2)
    made = await record(one, delivery(note("1")))
    await one.append(delivery(note("2"), at=1_000))
    waiting, unread = await one._read(partial(measure, shards=ALL_SHARDS))
    assert (waiting, unread > 0) == (len(made.entries), True)
    age = REGISTRY.get_sample_value("airlock_oldest_unread_seconds")
    assert age is not None
    assert age > 1e6
    assert await one._read(partial(measure, shards=frozenset())) == (0, 0)
    assert REGISTRY.get_sample_value("airlock_oldest_unread_seconds") == 0
    await one.close()


async def test_a_connector_is_checked_by_its_owner_for_all(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def ask(name: Any, _connector: Any) -> Health:
        asked.append(name)
        return Health("ok", "Desk", checked_at=1)

    monkeypatch.setattr("gateway.upkeep.connector_health.ask", ask)
    monkeypatch.setattr("gateway.upkeep.connector_health._LEARN_EVERY", 0.02)
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        checks = []
        for name, journal in (("one", one), ("two", two)):
            fetcher: Any = Watched(name)
            checks.append(ConnectorHealth({"desk": cast("Any", None)}, fetcher, journal=journal))
        running = [asyncio.create_task(check.run()) for check in checks]
        await until(lambda: all(check.of("desk").state == "ok" for check in checks))
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        assert asked == ["one" if one.ownership.owns(DESK) else "two"]


class Watched(str):
    """In place of a fetcher: the name of its node."""

    __slots__ = ()

    def watch_tokens(self, _watcher: Any) -> None:
        pass


async def test_a_message_does_not_come_back_into_a_conversation_being_erased(
    url: str, postgresql: Server
) -> None:
    del postgresql
    async with node(url, "one") as one:
        await record(one, delivery(note("1")))
        with psycopg.connect(url) as other:
            id = one.ids.conversation("desk", "us", "ann")
            other.execute(
                "UPDATE conversation SET id = 'erased_1', consumer = '' WHERE id = %s", (id,)
            )
            other.execute("DELETE FROM outbox")
            recording = asyncio.create_task(record(one, delivery(note("2"))))
            async with asyncio.timeout(20):
                while not await asyncio.to_thread(_waits_for_lock, url):
                    await asyncio.sleep(0.01)
            other.commit()
        await recording
        found = await one.conversation(id)
        assert found is not None
        messages = await one.messages(id, 0, 10)
        assert [message["sequence"] for message in messages or ()] == [1]


def _waits_for_lock(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return bool(connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone())


async def test_the_command_lists_nodes_shards_and_what_waits(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "connectors.yaml"
    core = {"url": "https://core.example", "secrets": [SECRET]}
    file.write_text(json.dumps({"gateway": {"journal": url}, "core": core}))
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        await record(one, delivery(note("1")))
        assert await asyncio.to_thread(main, ["nodes", "-c", str(file)]) == 0
        lines = capsys.readouterr().out.splitlines()
        first, second = (line for line in lines if " shards (" in line)
        assert first.startswith(
            f"one  alive  version unknown  {len(one.ownership.shards)} shards ("
        )
        assert second.startswith(
            f"two  alive  version unknown  {len(two.ownership.shards)} shards ("
        )
    assert await asyncio.to_thread(main, ["nodes", "-c", str(file)]) == 1
    assert "64 of 64 shards have no owner" in capsys.readouterr().out


async def test_rows_of_a_hand_over_that_was_cut_off_are_forgotten() -> None:
    handed_out = HandedOut()
    frame = pack(delivery(note("1")))
    handed_out.add([Delivery(1, 10, frame), Delivery(2, 11, frame)], 10)
    worker = IntakeShards(handed_out, asyncio.Event())
    releasing = asyncio.create_task(worker.release(frozenset({1})))
    await asyncio.sleep(0)
    releasing.cancel()
    await asyncio.wait([releasing])
    assert (handed_out.ids, handed_out.are_spoilt([1])) == ([11], True)


async def test_rows_that_were_refused_are_not_parsed_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(url, "one") as one:
        await one.append(delivery(note("1")))
        (row,) = await one.unread(-1, 10)
        monkeypatch.setattr(one.ownership, "_owned", frozenset())
        monkeypatch.setattr(one.ownership, "_is_draining", True)
        monkeypatch.setattr(one._locks, "require", _refuse)
        with pytest.raises(NotOwner):
            await one.record(Batch((row.id,), ()))
        assert await one.unread(-1, 10) == []


def _refuse(*_arguments: Any) -> None:
    raise NotOwner("another node owns it")


async def test_a_session_that_is_silent_inside_a_pipeline_is_ended(url: str) -> None:
    async with node(url, "one") as one:
        frozen = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor)
        number = life_of(register(frozen, "frozen", ""))
        lock = f"SELECT pg_advisory_lock((CAST('meta'::regclass::oid AS bigint) << 32) | {number})"
        with pytest.raises(psycopg.OperationalError), frozen.pipeline():
            frozen.execute(b"BEGIN")
            frozen.execute(lock.encode()).fetchone()
            await until(lambda: one.ownership.nodes == 2)
            await until(lambda: one.ownership.nodes == 1 and one.ownership.shards == ALL_SHARDS)
        frozen.close()
