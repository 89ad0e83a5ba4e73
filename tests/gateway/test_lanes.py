"""Lanes deliver in order within a conversation, never wait for each other, and repeat until accepted."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook

from gateway.delivery.core_client import CoreClient
from gateway.delivery.lanes import Lanes
from gateway.intake_priority import IntakePriority
from gateway.journal import Outcome
from gateway.journal.sqlite.journal import SqliteJournal
from tests.gateway.test_journal import delivery, finish, note, record

SECRET = "whsec_" + base64.b64encode(b"a secret of some length").decode()

Answer = Callable[[dict[str, Any], int], web.Response]


class Core:
    """A conversation core that keeps events and answers with the given function."""

    def __init__(self, answer: Answer) -> None:
        self.events: list[dict[str, Any]] = []
        self.taken: list[dict[str, Any]] = []
        self.posts = 0
        self._answer = answer

    async def post(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {k.lower(): v for k, v in request.headers.items()}
        Webhook(SECRET).verify(body.decode(), headers)
        content = orjson.loads(body)
        events = content if isinstance(content, list) else [content]
        assert isinstance(content, list) or content["id"] == headers["webhook-id"]
        self.posts += 1
        for number, event in enumerate(events):
            self.events.append(event)
            answer = self._answer(event, sum(e["id"] == event["id"] for e in self.events))
            if not 200 <= answer.status < 300:
                is_part = isinstance(content, list)
                return web.json_response({"taken": number}, status=207) if is_part else answer
            self.taken.append(event)
        return answer

    async def until(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(20):
            while len(self.taken) < count:
                await asyncio.sleep(0.01)
        return self.taken


async def idle(lanes: Lanes, journal: SqliteJournal, waiting: int = 0) -> None:
    """Wait until the lanes and the journal know what the core has taken: its answer reaches them a moment later."""
    async with asyncio.timeout(20):
        while (lanes.waiting, await journal.backlog()) != (waiting, waiting):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def forwarding(
    directory: Path, answer: Answer, hold_seconds: float = 2, *, begin: bool = True
) -> AsyncIterator[tuple[SqliteJournal, Lanes, Core]]:
    core = Core(answer)
    app = web.Application()
    app.router.add_post("/in", core.post)
    async with TestServer(app) as server:
        journal = await SqliteJournal.open(directory, hold_seconds=hold_seconds)
        client = CoreClient(str(server.make_url("/in")), [SECRET], connections=8)
        lanes = Lanes(journal, client, workers=8, priority=IntakePriority())
        journal.subscribe(lanes.recorded)
        running = asyncio.create_task(lanes.run()) if begin else None
        try:
            yield journal, lanes, core
        finally:
            await lanes.stop(5)
            if running is not None:
                running.cancel()
            await lanes.flush()
            await client.close()
            await journal.close()


def now() -> int:
    return round(time.time() * 1000)


def ok(event: dict[str, Any], attempt: int) -> web.Response:
    return web.Response(status=204)


def sequences(events: list[dict[str, Any]], sender: str) -> list[int]:
    return [
        e["data"]["message"]["sequence"]
        for e in events
        if e["data"]["conversation"]["consumer"]["id"] == sender
    ]


async def test_events_of_a_conversation_arrive_once_in_order_and_signed(tmp_path: Path) -> None:
    async with forwarding(tmp_path, ok) as (journal, lanes, core):
        entries = [note(f"{sender}{n}", sender) for n in range(100) for sender in ("ann", "bob")]
        await record(journal, delivery(*entries))
        events = await core.until(200)
        assert sequences(events, "ann") == sequences(events, "bob") == list(range(1, 101))
        await idle(lanes, journal)
        assert len(core.events) == 200


async def test_a_refused_event_is_repeated_and_blocks_only_its_lane(
    tmp_path: Path,
) -> None:
    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        stubborn = event["data"]["message"]["platform_id"] == "a1" and attempt < 3
        return web.Response(status=500 if stubborn else 200)

    async with forwarding(tmp_path, answer) as (journal, _lanes, core):
        await record(journal, delivery(note("a1"), note("a2"), note("b1", "bob")))
        events = await core.until(3)
        assert [e["data"]["message"]["platform_id"] for e in events] == ["b1", "a1", "a2"]
        first = [e for e in core.events if e["data"]["message"]["platform_id"] == "a1"]
        assert len(first) == 3
        assert all(e == first[0] for e in first)


async def test_retry_after_of_the_core_is_honoured(tmp_path: Path) -> None:
    times: list[float] = []

    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        times.append(time.monotonic())
        return (
            web.Response(status=429, headers={"retry-after": "2"})
            if attempt == 1
            else web.Response()
        )

    async with forwarding(tmp_path, answer) as (journal, _lanes, core):
        await record(journal, delivery(note("a1")))
        await core.until(1)
        assert times[1] - times[0] >= 1.9


async def test_a_held_message_is_sent_as_pending_before_later_ones(
    tmp_path: Path,
) -> None:
    # Long enough for the other conversation on a busy machine.
    async with forwarding(tmp_path, ok, hold_seconds=1.5) as (journal, _lanes, core):
        photo = note("a1", media=[["photo", "http://nowhere/1"]])
        recorded = await record(journal, delivery(photo, note("a2"), note("b1", "bob"), at=now()))
        events = await core.until(3)
        assert [e["data"]["message"]["platform_id"] for e in events] == ["b1", "a1", "a2"]
        assert events[1]["data"]["message"]["attachments"][0]["state"] == "pending"
        (job,) = recorded.jobs
        await finish(journal, job, Outcome("failed", "gone"))
        events = await core.until(4)
        assert events[3]["type"] == "attachment.updated"


async def test_a_held_message_is_sent_once_its_media_are_ready(tmp_path: Path) -> None:
    async with forwarding(tmp_path, ok, hold_seconds=60) as (journal, _lanes, core):
        photo = note("a1", media=[["photo", "http://nowhere/1"]])
        recorded = await record(journal, delivery(photo, at=now()))
        await asyncio.sleep(0.05)
        (job,) = recorded.jobs
        await finish(journal, job, Outcome("ready", renditions={}))
        events = await core.until(1)
        assert events[0]["data"]["message"]["attachments"][0]["state"] == "ready"


async def test_a_lane_longer_than_memory_keeps_its_order(tmp_path: Path) -> None:
    async with forwarding(tmp_path, ok) as (journal, _lanes, core):
        for part in range(10):
            entries = [note(f"{part}-{n}") for n in range(100)]
            await record(journal, delivery(*entries))
        events = await core.until(1000)
        assert sequences(events, "ann") == list(range(1, 1001))


async def test_a_restart_forwards_the_remaining_events(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    await record(journal, delivery(*(note(str(n)) for n in range(50))))
    await journal.close()
    async with forwarding(tmp_path, ok) as (_, _, core):
        assert sequences(await core.until(50), "ann") == list(range(1, 51))


async def test_a_core_that_is_gone_gets_nothing_until_resumed(tmp_path: Path) -> None:
    gone = True

    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        return web.Response(status=410 if gone else 200)

    async with forwarding(tmp_path, answer) as (journal, lanes, core):
        await record(journal, delivery(note("a1")))
        async with asyncio.timeout(20):
            while lanes.core_state != "gone":
                await asyncio.sleep(0.01)
        await record(journal, delivery(note("b1", "bob"), note("c1", "cid")))
        await asyncio.sleep(1.0)
        assert len(core.events) == 1
        gone = False
        lanes.resume()
        assert {e["data"]["message"]["platform_id"] for e in await core.until(3)} == {
            "a1",
            "b1",
            "c1",
        }


async def test_a_core_that_was_down_gets_all_events_in_order(
    tmp_path: Path,
) -> None:
    down = True

    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        return web.Response(status=503 if down else 200)

    async with forwarding(tmp_path, answer) as (journal, lanes, core):
        senders = [f"s{n}" for n in range(20)]
        await record(journal, delivery(*(note(f"{s}-{n}", s) for n in range(5) for s in senders)))
        async with asyncio.timeout(20):
            while lanes.core_state != "down":
                await asyncio.sleep(0.01)
        # Eight POSTs may be in flight; after them, a core that is down is probed by one event at a time.
        await asyncio.sleep(0.7)
        assert len(core.events) <= 8 + 8 + 5
        down = False
        events = await core.until(100)
        for sender in senders:
            assert sequences(events, sender) == [1, 2, 3, 4, 5]


async def test_permanently_refused_conversations_do_not_block_others(
    tmp_path: Path,
) -> None:
    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        consumer = event["data"]["conversation"]["consumer"]["id"]
        return web.Response(status=500 if consumer.startswith("refused") else 204)

    async with forwarding(tmp_path, answer) as (journal, lanes, core):
        dead = [note(f"d{n}", f"refused{n}") for n in range(60)]
        await record(journal, delivery(*dead))
        async with asyncio.timeout(20):
            while len({event["id"] for event in core.events}) < 8:
                await asyncio.sleep(0.01)
        for number in range(6):
            await record(journal, delivery(note(f"a{number}", f"ann{number % 2}")))
            await core.until(number + 1)
            await asyncio.sleep(0.3)
        await idle(lanes, journal, 60)


def first_refused(*platform_ids: str) -> Answer:
    """Refuse the first attempt of some messages."""

    def answer(event: dict[str, Any], attempt: int) -> web.Response:
        is_one = event["data"].get("message", {}).get("platform_id") in platform_ids
        return web.Response(status=500 if is_one and attempt == 1 else 200)

    return answer


def said(events: list[dict[str, Any]]) -> list[str]:
    return [e["data"].get("message", {}).get("platform_id", e["type"]) for e in events]


async def test_a_merge_is_announced_after_all_that_was_said_before(tmp_path: Path) -> None:
    async with forwarding(tmp_path, first_refused("2")) as (journal, _lanes, core):
        await record(journal, delivery(note("1", "4915"), note("2", "US.1")))
        await record(journal, delivery(note("3", "4915", aliases=["US.1"]), note("4", "US.1")))
        events = await core.until(6)
        assert said(events) == [
            *("1", "2", "conversation.merged", "3"),
            *("conversation.updated", "4"),
        ]


async def test_a_merge_keeps_its_place_after_a_restart(tmp_path: Path) -> None:
    async with forwarding(tmp_path, ok, begin=False) as (journal, _lanes, _core):
        await record(journal, delivery(note("1", "4915"), note("2", "US.1"), note("3", "US.1")))
        await record(journal, delivery(note("4", "4915", aliases=["US.1"])))
    async with forwarding(tmp_path, first_refused("2", "3")) as (_journal, _lanes, core):
        events = await core.until(5)
        assert said(events) == ["1", "2", "3", "conversation.merged", "4"]
