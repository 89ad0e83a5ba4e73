"""Taking over shards: at once, with few questions, and before whatever else waits to be written."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from gateway.journal import ALL_SHARDS, JournalUnavailable, Shards
from gateway.journal.ownership import SoleOwner
from gateway.journal.postgresql.transaction import PostgresqlTransaction
from tests.gateway.engines import Postgresql
from tests.gateway.test_nodes import divided, end_session, node, until
from tests.postgresql import Server


@pytest.fixture
def url(postgresql: Server, tmp_path: Path) -> str:
    return Postgresql(postgresql).url(tmp_path)


@pytest.fixture
def locking(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements about locks that are sent from now on."""
    found: list[str] = []
    send = PostgresqlTransaction._send

    def sending(self: PostgresqlTransaction, statement: str, parameters: Any) -> Any:
        if "advisory_" in statement:
            found.append(statement)
        return send(self, statement, parameters)

    monkeypatch.setattr(PostgresqlTransaction, "_send", sending)
    return found


async def test_all_free_shards_are_taken_with_one_statement(url: str, locking: list[str]) -> None:
    async with node(url, "one") as one:
        assert one.ownership.shards == ALL_SHARDS
        # The name, the proof of life, and the shards.
        assert len(locking) == 3
        locking.clear()
        await one.ownership.drain()
        assert len(locking) == 2


async def test_a_look_does_not_wait_for_what_waits_to_be_written(url: str) -> None:
    async with node(url, "one") as one:
        order, may_end = list[str](), threading.Event()
        blocking = one._writer.submit(lambda _: may_end.wait(20))
        waiting = one._writer.submit(lambda _: order.append("write"))
        looking = one._writer.submit_first(lambda _: order.append("look"))
        may_end.set()
        await asyncio.gather(blocking, waiting, looking)
        assert order == ["look", "write"]


async def test_what_waits_is_refused_if_the_session_ends_with_a_look(
    url: str, postgresql: Server
) -> None:
    async with node(url, "one") as one:
        may_end = threading.Event()

        def ended(transaction: Any) -> None:
            end_session(postgresql, "one")
            transaction.execute("SELECT 1").fetchone()

        blocking = one._writer.submit(lambda _: may_end.wait(20))
        waiting = one._writer.submit(lambda _: "written")
        looking = one._writer.submit_first(ended)
        may_end.set()
        results = await asyncio.gather(blocking, looking, waiting, return_exceptions=True)
        assert [type(result) for result in results[1:]] == [JournalUnavailable] * 2


async def test_a_shard_that_another_session_still_holds_is_taken_once_it_is_free(url: str) -> None:
    async with node(url, "one") as one, node(url, "two") as two:
        await divided(one, two)
        (shard, *_) = sorted(two.ownership.shards)
        with psycopg.connect(url, autocommit=True) as former:
            key = f"(CAST('meta'::regclass::oid AS bigint) << 32) | {shard}"
            waiting = asyncio.create_task(_held_by(former, key))
            # Otherwise the other node could be first, and the session would wait without end.
            await asyncio.to_thread(_until_it_waits, url, former.info.backend_pid)
            await two.ownership.drain()
            await waiting
            await until(lambda: one.ownership.shards == ALL_SHARDS - {shard})
            looks = one.ownership.looks
            await until(lambda: one.ownership.looks > looks + 1)
            assert one.ownership.shards == ALL_SHARDS - {shard}
        await until(lambda: one.ownership.shards == ALL_SHARDS)


async def _held_by(session: psycopg.Connection[Any], key: str) -> None:
    """Let a session wait for a lock and hold it."""
    await asyncio.to_thread(session.execute, f"SELECT pg_advisory_lock({key})".encode())


def _until_it_waits(url: str, pid: int) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        question = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
        while session.execute(question, (pid,)).fetchone() is None:
            time.sleep(0.01)


async def test_workers_take_up_a_shard_at_the_same_time() -> None:
    owner, met = SoleOwner(), asyncio.Barrier(2)

    class Worker:
        async def pick_up(self, shards: Shards | None = None) -> None:
            del shards
            await met.wait()

        def drop(self, shards: Shards) -> None:
            raise NotImplementedError

        async def release(self, shards: Shards) -> None:
            raise NotImplementedError

    owner.workers = [Worker(), Worker()]
    async with asyncio.timeout(20):
        await owner.gained(ALL_SHARDS)
