"""Nodes that share a journal forward each lane on one node at a time, and lose nothing when lanes move."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.delivery.core_client import CoreClient
from gateway.delivery.shared_lanes import SharedLanes
from gateway.intake_priority import IntakePriority
from gateway.journal import ALL_SHARDS, Recorded, Shards
from gateway.journal.sqlite.journal import SqliteJournal
from tests.gateway.ownership import Owned
from tests.gateway.test_journal import delivery, note, record
from tests.gateway.test_lanes import SECRET, Answer, Core, ok, sequences

NONE: Shards = frozenset()


class PatientCore(Core):
    """A core that answers once `leave` is set; `entered` says that an event came."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.entered, self.leave = asyncio.Event(), asyncio.Event()

    async def post(self, request: web.Request) -> web.Response:
        self.entered.set()
        await self.leave.wait()
        return await super().post(request)


@dataclass
class Node:
    """One node of the cluster; `listens` says whether the journal's announcements reach it."""

    owned: Owned
    lanes: SharedLanes
    listens: bool = True

    def recorded(self, recorded: Recorded) -> None:
        if self.listens:
            self.lanes.recorded(recorded)


@dataclass
class Cluster:
    journal: SqliteJournal
    core: PatientCore
    nodes: list[Node]


@asynccontextmanager
async def cluster(
    folder: Path, answer: Answer, *shards: Shards, batch: int = 1
) -> AsyncIterator[Cluster]:
    """Run the lanes of a node for each set of shards, on one journal."""
    core = PatientCore(answer)
    app = web.Application()
    app.router.add_post("/in", core.post)
    async with TestServer(app) as server:
        journal = await SqliteJournal.open(folder, hold_seconds=2)
        client = CoreClient(str(server.make_url("/in")), [SECRET], connections=8)
        nodes = []
        for owned in map(Owned, shards):
            journal.ownership = owned
            lanes = SharedLanes(journal, client, workers=4, priority=IntakePriority(), batch=batch)
            owned.workers.append(lanes)
            nodes.append(Node(owned, lanes))
            journal.subscribe(nodes[-1].recorded)
        running = [asyncio.create_task(node.lanes.run()) for node in nodes]
        try:
            yield Cluster(journal, core, nodes)
        finally:
            for node, task in zip(nodes, running, strict=True):
                await node.lanes.stop(5)
                task.cancel()
                await node.lanes.flush()
            await client.close()
            await journal.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def marked(journal: SqliteJournal) -> None:
    async with asyncio.timeout(20):
        while await journal.backlog():
            await asyncio.sleep(0.005)


SENDERS = [f"sender{n}" for n in range(12)]
ODD = frozenset(shard for shard in ALL_SHARDS if shard % 2)


async def test_loaded_events_wait_before_the_next_count(tmp_path: Path) -> None:
    async with cluster(tmp_path, ok, ALL_SHARDS) as found:
        (node,) = found.nodes
        node.owned.waiting = 0
        await record(found.journal, delivery(note("1")))
        await found.core.entered.wait()
        assert node.lanes.waiting == 1
        found.core.leave.set()
        await until(lambda: node.lanes.waiting == 0)


@pytest.mark.parametrize("batch", [1, 100])
async def test_each_lane_is_forwarded_by_its_owner_once_in_order(
    tmp_path: Path, batch: int
) -> None:
    async with cluster(tmp_path, ok, ODD, ALL_SHARDS - ODD, batch=batch) as found:
        found.core.leave.set()
        for n in range(5):
            await record(found.journal, delivery(*(note(f"{s}-{n}", s) for s in SENDERS)))
        await found.core.until(60)
        await marked(found.journal)
        assert len(found.core.events) == 60
        assert all(sequences(found.core.taken, s) == [1, 2, 3, 4, 5] for s in SENDERS)
        assert all(node.lanes.forwarded == 30 for node in found.nodes)
        assert (found.core.posts == 60) == (batch == 1)


async def test_a_node_that_gains_shards_takes_up_their_lanes(tmp_path: Path) -> None:
    async with cluster(tmp_path, ok, NONE) as found:
        found.core.leave.set()
        await record(found.journal, delivery(note("1"), note("2")))
        assert found.core.events == []
        await found.nodes[0].owned.gain(ALL_SHARDS)
        assert sequences(await found.core.until(2), "ann") == [1, 2]


async def test_released_shards_wait_for_a_batch_with_other_lanes(tmp_path: Path) -> None:
    async with cluster(tmp_path, ok, ALL_SHARDS, NONE, batch=100) as found:
        first, second = found.nodes
        await record(found.journal, delivery(*(note(f"{s}-{n}", s) for s in SENDERS for n in "12")))
        await until(lambda: any(first.lanes._serving.values()))
        releasing = asyncio.create_task(first.lanes.release(ALL_SHARDS))
        await asyncio.sleep(0)
        found.core.leave.set()
        await releasing
        first.owned.lose(ALL_SHARDS)
        await second.owned.gain(ALL_SHARDS)
        await found.core.until(24)
        await marked(found.journal)
        assert len({event["id"] for event in found.core.events}) == len(found.core.events) == 24
        assert all(sequences(found.core.taken, s) == [1, 2] for s in SENDERS)


async def test_released_shards_end_with_marks_for_the_next_owner(tmp_path: Path) -> None:
    async with cluster(tmp_path, ok, ALL_SHARDS, NONE) as found:
        first, second = found.nodes
        await record(found.journal, delivery(note("1"), note("2")))
        await found.core.entered.wait()
        releasing = asyncio.create_task(first.lanes.release(ALL_SHARDS))
        await asyncio.sleep(0)
        found.core.leave.set()
        await releasing
        assert await found.journal.backlog() == 1
        first.owned.lose(ALL_SHARDS)
        await second.owned.gain(ALL_SHARDS)
        await found.core.until(2)
        assert [event["data"]["message"]["sequence"] for event in found.core.events] == [1, 2]


async def test_a_node_that_is_not_certain_sends_nothing(tmp_path: Path) -> None:
    async with cluster(tmp_path, ok, ALL_SHARDS) as found:
        found.core.leave.set()
        found.nodes[0].owned.is_certain = False
        await record(found.journal, delivery(note("1")))
        await until(lambda: any(lane.timer for lane in found.nodes[0].lanes._lanes.values()))
        assert found.core.events == []
        found.nodes[0].owned.is_certain = True
        await found.core.until(1)


async def test_a_lost_announcement_is_found_by_looking(tmp_path: Path) -> None:
    async with cluster(tmp_path, ok, ALL_SHARDS) as found:
        found.core.leave.set()
        found.nodes[0].listens = False
        await record(found.journal, delivery(note("1")))
        await found.nodes[0].lanes.look_for_news()
        await found.core.until(1)
        await marked(found.journal)
        await record(found.journal, delivery(note("2")))
        await found.nodes[0].lanes.look_for_news()
        assert sequences(await found.core.until(2), "ann") == [1, 2]


async def test_an_erased_conversation_is_not_sent_by_a_node_that_missed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.delivery.shared_lanes._STALE_AFTER", 0.0)

    def refused(event: dict[str, Any], attempt: int) -> web.Response:
        return web.Response(status=500 if attempt == 1 else 204)

    async with cluster(tmp_path, refused, ALL_SHARDS) as found:
        found.core.leave.set()
        node = found.nodes[0]
        recorded = await record(found.journal, delivery(note("1"), note("2")))
        await until(lambda: found.core.events)
        node.listens = False
        conversation = found.core.events[0]["subject"]
        assert await found.journal.erase(conversation)
        await until(lambda: recorded.entries[0].conversation not in node.lanes._lanes)
        assert len(found.core.events) == 1


async def test_an_event_that_was_committed_late_still_arrives(tmp_path: Path) -> None:
    """Another node drew a lower key, and committed it after a higher one was on its way."""

    def commit_late(connection: Any) -> None:
        lane, body = connection.execute("SELECT conversation, body FROM outbox").fetchone()
        late = orjson.dumps({**orjson.loads(body), "id": "evt_late"})
        values = (lane, "evt_late", late)
        connection.execute(
            "INSERT INTO outbox (conversation, key, event_id, body) VALUES (?, 1, ?, ?)", values
        )

    async with cluster(tmp_path, ok, ALL_SHARDS) as found:
        found.core.leave.set()
        await record(found.journal, delivery(note("0", "bob")))
        await marked(found.journal)
        found.core.leave.clear()
        found.core.entered.clear()
        recorded = await record(found.journal, delivery(note("1")))
        await found.core.entered.wait()
        await found.journal._writer.submit(commit_late)
        found.nodes[0].lanes.look(recorded.entries[0].conversation)
        found.core.leave.set()
        await found.core.until(3)
        assert found.core.taken[2]["id"] == "evt_late"


async def test_what_a_former_owner_delivered_late_is_marked(tmp_path: Path) -> None:
    async with cluster(tmp_path, ok, ALL_SHARDS, NONE) as found:
        await record(found.journal, delivery(note("1")))
        await found.core.entered.wait()
        found.nodes[0].owned.lose(ALL_SHARDS)
        found.core.leave.set()
        await marked(found.journal)
        assert found.nodes[0].lanes.waiting == 0


async def test_a_retry_at_any_node_resumes_a_core_that_was_gone(tmp_path: Path) -> None:
    def gone_first(event: dict[str, Any], attempt: int) -> web.Response:
        return web.Response(status=410 if attempt == 1 else 204)

    async with cluster(tmp_path, gone_first, ALL_SHARDS) as found:
        found.core.leave.set()
        made = await record(found.journal, delivery(note("1")))
        await until(lambda: found.nodes[0].lanes.core_state == "gone")
        found.nodes[0].recorded(Recorded(retried=(made.entries[0].event_id,)))
        await found.core.until(1)


async def test_shards_whose_hand_over_was_cut_off_are_served_again(tmp_path: Path) -> None:
    """The session was lost in the middle of it, and the shards came back with the next one."""
    async with cluster(tmp_path, ok, ALL_SHARDS) as found:
        node = found.nodes[0]
        await record(found.journal, delivery(note("1")))
        await found.core.entered.wait()
        releasing = asyncio.create_task(node.lanes.release(ALL_SHARDS))
        await asyncio.sleep(0)
        releasing.cancel()
        await asyncio.wait([releasing])
        node.owned.lose(ALL_SHARDS)
        await node.owned.gain(ALL_SHARDS)
        found.core.leave.set()
        await record(found.journal, delivery(note("2")))
        await until(lambda: sequences(found.core.taken, "ann")[-1:] == [2])
