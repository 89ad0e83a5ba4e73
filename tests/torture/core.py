"""An unreliable conversation core: it fails, delays, disconnects, and accepts events without responding."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from simulator.core import BadSignature, verify

Event = dict[str, Any]


@dataclass(slots=True)
class Conversation:
    """The messages that the core has accepted in one conversation."""

    sequence: int = 0
    messages: set[str] = field(default_factory=set)


class UnreliableCore:
    """Accepts each event once, whatever it responds. `failure_rate` is the share of POSTs that fail."""

    def __init__(self, secret: str, dice: random.Random, failure_rate: float = 0.4) -> None:
        self.failure_rate = failure_rate
        self.events: list[Event] = []
        self.conversations: dict[str, Conversation] = {}
        self.posts = self.batches = 0
        self.complaints: list[str] = []
        self.url = ""
        self._secret = secret
        self._dice = dice
        self._bodies: dict[str, Event] = {}
        self._ids: set[str] = set()
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def copy_without_failures(self, dice: random.Random) -> "UnreliableCore":
        """Return a core with the same events that does not fail any more."""
        copy = UnreliableCore(self._secret, dice, failure_rate=0.0)
        copy.events = list(self.events)
        copy.conversations = {
            id: replace(known, messages=set(known.messages))
            for id, known in self.conversations.copy().items()
        }
        copy._bodies, copy._ids = dict(self._bodies), {event["id"] for event in copy.events}
        return copy

    def forget(self, conversations: set[str]) -> None:
        """Drop the events of conversations that were erased."""
        self.events = [event for event in self.events if event.get("subject") not in conversations]

    async def start(self) -> None:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/events", self._post)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/events"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def until(self, enough: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition; return False if it is not met in time."""
        end = time.monotonic() + seconds
        while not enough():
            if time.monotonic() > end:
                return False
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), 1.0)
            except TimeoutError:
                continue
        return True

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.posts += 1
        try:
            verify(self._secret, request.headers, body, time.time())
        except BadSignature as exc:
            self.complaints.append(f"an event came without a genuine signature: {exc}")
            return web.Response(status=401)
        content = json.loads(body)
        if isinstance(content, list):
            return await self._post_batch(request, content)
        if content["id"] != request.headers["webhook-id"]:
            self.complaints.append(f"{request.headers['webhook-id']} carries {content['id']}")
        self._check_arrival(content)
        if self._dice.random() < self.failure_rate:
            return await self._fail(request, content)
        self._take(content)
        return web.Response(status=204)

    async def _post_batch(self, request: web.Request, events: list[Event]) -> web.StreamResponse:
        """Take all events of a batch, the first ones, or none, and not always say so."""
        self.batches += 1
        if self._dice.random() >= self.failure_rate:
            return self._take_first(events, len(events))
        failure = self._dice.choice(["refuse", "busy", "judge", "part", "part then cut"])
        if failure.startswith("part"):
            response = self._take_first(events, self._dice.randrange(len(events) + 1))
            if failure == "part then cut" and request.transport is not None:
                request.transport.close()
            return response
        self._check_arrival(events[0])
        return web.Response(status={"refuse": 500, "busy": 503, "judge": 422}[failure])

    def _take_first(self, events: list[Event], count: int) -> web.Response:
        for event in events[:count]:
            self._check_arrival(event)
            self._take(event)
        if count == len(events):
            return web.Response(status=200)
        return web.json_response({"taken": count}, status=207)

    async def _fail(self, request: web.Request, event: Event) -> web.StreamResponse:
        failure = self._dice.choice(
            ["refuse", "busy", "cut", "taken then cut", "late", "late then cut"]
        )
        if failure.startswith("late"):
            await asyncio.sleep(self._dice.uniform(0.2, 1.2))
        if failure in {"taken then cut", "late", "late then cut"}:
            self._take(event)
        if failure in {"cut", "taken then cut", "late then cut"} and request.transport is not None:
            request.transport.close()
        if failure == "busy":
            return web.Response(status=503, headers={"retry-after": "1"})
        return web.Response(status=204 if failure == "late" else 500)

    def _check_arrival(self, event: Event) -> None:
        """Check what must hold for every event, accepted or not."""
        id = event["id"]
        first = self._bodies.setdefault(id, event)
        if first != event:
            self.complaints.append(f"{id} came with two bodies: {first!r} and {event!r}")
        if "subject" not in event or id in self._ids:
            return
        conversation = self._of(event)
        message = event["data"].get("message", {})
        if event["type"] == "message.received" and message["sequence"] != conversation.sequence + 1:
            self.complaints.append(
                f"{event['subject']}: message {message['sequence']} was posted before "
                f"{conversation.sequence + 1} was taken"
            )
        if event["type"] == "attachment.updated" and message["id"] not in conversation.messages:
            self.complaints.append(
                f"{message['id']}: its attachment was updated before the message arrived"
            )

    def _take(self, event: Event) -> None:
        conversation = self._of(event)
        if event["id"] in self._ids:
            return
        self._ids.add(event["id"])
        self.events.append(event)
        if event["type"] == "message.received":
            conversation.sequence = event["data"]["message"]["sequence"]
            conversation.messages.add(event["data"]["message"]["id"])
        self._changed.set()

    def _of(self, event: Event) -> Conversation:
        return self.conversations.setdefault(event.get("subject", ""), Conversation())
