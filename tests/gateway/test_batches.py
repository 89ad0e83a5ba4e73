"""Several events go to the core in one POST: in order within a conversation, and none is lost to a refusal."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook

from gateway.delivery import batches
from gateway.delivery.core_client import CoreClient
from gateway.delivery.lanes import Lanes
from gateway.intake_priority import IntakePriority
from gateway.journal import Outcome
from gateway.journal.sqlite.journal import SqliteJournal
from tests.gateway.test_journal import delivery, finish, note, record
from tests.gateway.test_lanes import SECRET, idle, now, sequences

Answer = Callable[[list[dict[str, Any]]], web.Response]
BATCH = "application/cloudevents-batch+json"


class Core:
    """A core that takes batches, and checks that no conversation is in two of them at a time."""

    def __init__(self, answer: Answer) -> None:
        self.posts: list[list[str]] = []
        self.ids: list[str] = []
        self.taken: list[dict[str, Any]] = []
        self.answer = answer
        self.open = asyncio.Event()
        self.open.set()
        self._in_flight: Counter[str] = Counter()

    async def post(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        Webhook(SECRET).verify(body.decode(), headers)
        content = orjson.loads(body)
        events = content if request.content_type == BATCH else [content]
        assert (request.content_type == BATCH) == (len(events) > 1)
        self.ids.append(headers["webhook-id"])
        self.posts.append(said(events))
        conversations = {event["subject"] for event in events}
        self._in_flight.update(conversations)
        assert max(self._in_flight.values()) == 1
        await self.open.wait()
        await asyncio.sleep(0.001)
        self._in_flight.subtract(conversations)
        answer = self.answer(events)
        self.taken += events[: part(answer, len(events))]
        return answer

    async def until(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(20):
            while len(self.taken) < count:
                await asyncio.sleep(0.01)
        return self.taken


def part(answer: web.Response, count: int) -> int:
    if answer.status == 207:
        taken = json.loads(answer.text or "{}").get("taken")
        return taken if isinstance(taken, int) and 0 <= taken <= count else 0
    return count if answer.status < 300 else 0


def said(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["data"]["message"]["platform_id"] for event in events]


def ok(events: list[dict[str, Any]]) -> web.Response:
    return web.Response(status=204)


@asynccontextmanager
async def forwarding(
    directory: Path, answer: Answer = ok, batch: int = 100
) -> AsyncIterator[tuple[SqliteJournal, Lanes, Core]]:
    core = Core(answer)
    app = web.Application()
    app.router.add_post("/in", core.post)
    async with TestServer(app) as server:
        journal = await SqliteJournal.open(directory, hold_seconds=60)
        client = CoreClient(str(server.make_url("/in")), [SECRET], connections=4)
        lanes = Lanes(journal, client, workers=4, priority=IntakePriority(), batch=batch)
        journal.subscribe(lanes.recorded)
        running = asyncio.create_task(lanes.run())
        while not lanes._started:
            await asyncio.sleep(0.001)
        try:
            yield journal, lanes, core
        finally:
            await lanes.stop(5)
            running.cancel()
            await lanes.flush()
            await client.close()
            await journal.close()


async def test_events_of_many_conversations_share_a_post_in_order(tmp_path: Path) -> None:
    senders = [f"s{number}" for number in range(20)]
    async with forwarding(tmp_path) as (journal, lanes, core):
        for round_ in range(5):
            entries = [note(f"{s}-{round_}{part}", s) for part in range(4) for s in senders]
            await record(journal, delivery(*entries))
        events = await core.until(400)
        assert all(sequences(events, sender) == list(range(1, 21)) for sender in senders)
        assert max(map(len, core.posts)) > 20
        assert max(map(len, core.posts)) <= 100
        assert len(core.posts) < 60
        await idle(lanes, journal)


async def test_a_batch_has_its_own_id_and_one_event_keeps_its(tmp_path: Path) -> None:
    async with forwarding(tmp_path) as (journal, lanes, core):
        await record(journal, delivery(note("a1")))
        (event,) = await core.until(1)
        assert core.ids == [event["id"]]
        # Until its lane has the answer, no further event of it can join a batch.
        await idle(lanes, journal)
        await record(journal, delivery(note("a2"), note("b1", "bob")))
        await core.until(3)
        assert core.ids[1].startswith("batch_")
        assert core.posts == [["a1"], ["a2", "b1"]]


async def test_an_event_refused_in_a_batch_is_found_alone(tmp_path: Path) -> None:
    bad = True

    def answer(events: list[dict[str, Any]]) -> web.Response:
        return web.Response(status=422 if bad and "b2" in said(events) else 204)

    async with forwarding(tmp_path, answer) as (journal, lanes, core):
        notes = [note(f"{who}{n}", who) for n in range(4) for who in "abc"]
        await record(journal, delivery(*notes))
        events = await core.until(10)
        assert sequences(events, "b") == [1, 2]
        assert [failure["reason"] for failure in lanes.refused()] == ["refused"]
        assert lanes.core_state == "ok"
        assert {len(post) for post in core.posts if "b2" in post} == {1, 12}
        bad = False
        events = await core.until(12)
        assert all(sequences(events, who) == [1, 2, 3, 4] for who in "abc")


async def test_a_part_that_was_taken_is_not_sent_again(tmp_path: Path) -> None:
    refused = ["c1"]

    def answer(events: list[dict[str, Any]]) -> web.Response:
        names = said(events)
        if refused and refused[0] in names:
            return web.json_response({"taken": names.index(refused.pop())}, status=207)
        return web.Response(status=200)

    async with forwarding(tmp_path, answer) as (journal, _lanes, core):
        notes = [note(f"{who}{n}", who) for n in range(3) for who in "abcd"]
        await record(journal, delivery(*notes))
        events = await core.until(12)
        assert all(sequences(events, who) == [1, 2, 3] for who in "abcd")
        assert len({event["id"] for event in events}) == 12
        assert core.posts[1] == ["d0", "d1", "d2"]


@pytest.mark.parametrize("status", [500, 503, 429, 207])
async def test_a_refused_batch_is_repeated_as_a_whole(tmp_path: Path, status: int) -> None:
    times = iter(range(2))

    def answer(events: list[dict[str, Any]]) -> web.Response:
        return web.Response(status=status if next(times, None) is not None else 204)

    async with forwarding(tmp_path, answer) as (journal, _lanes, core):
        await record(journal, delivery(*(note(f"{who}{n}", who) for n in range(3) for who in "ab")))
        events = await core.until(6)
        assert sequences(events, "a") == sequences(events, "b") == [1, 2, 3]


async def test_a_core_that_is_gone_gets_no_further_batch(tmp_path: Path) -> None:
    async with forwarding(tmp_path, lambda _: web.Response(status=410)) as (journal, lanes, core):
        await record(journal, delivery(*(note(who, who) for who in "abc")))
        async with asyncio.timeout(20):
            while lanes.core_state != "gone":
                await asyncio.sleep(0.01)
        await record(journal, delivery(note("d", "dan")))
        assert len(core.posts) == 1
        assert lanes.waiting == 4
        core.answer = ok
        lanes.resume()
        assert sorted(said(await core.until(4))) == ["a", "b", "c", "d"]


async def test_a_held_message_lets_other_conversations_pass(tmp_path: Path) -> None:
    async with forwarding(tmp_path) as (journal, _lanes, core):
        photo = note("a2", "ann", media=[["photo", "http://nowhere/1"]])
        before, after = note("a1", "ann"), note("a3", "ann")
        recorded = await record(
            journal, delivery(before, photo, after, note("b1", "bob"), at=now())
        )
        await core.until(2)
        assert sorted(core.posts[0]) == ["a1", "b1"]
        (job,) = recorded.jobs
        await finish(journal, job, Outcome("failed", "gone"))
        assert said(await core.until(4))[2:] == ["a2", "a3"]


async def test_an_erased_conversation_leaves_a_batch_in_flight(tmp_path: Path) -> None:
    async with forwarding(tmp_path) as (journal, lanes, core):
        core.open.clear()
        await record(journal, delivery(note("a1"), note("b1", "bob")))
        async with asyncio.timeout(20):
            while not core.posts:
                await asyncio.sleep(0.01)
        await record(journal, delivery(note("a2"), note("b2", "bob")))
        (first, *_) = await journal.conversations(limit=10)
        assert await journal.erase(first["id"])
        core.open.set()
        events = await core.until(3)
        await idle(lanes, journal)
        assert len(events) == 3


async def test_bytes_bound_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_BYTES", 10_000)
    long = "x" * 6_000
    async with forwarding(tmp_path) as (journal, _lanes, core):
        await record(journal, delivery(*(note(str(n), str(n), text=long) for n in range(5))))
        await core.until(5)
        assert core.posts == [[str(n)] for n in range(5)] or all(len(p) == 1 for p in core.posts)
