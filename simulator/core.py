"""A conversation core for tests: verifies events, keeps them in order, and fails on request."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .core_judges import CUT, Judge, accepts
from .hosting import hang_up

#: Seconds by which a timestamp may differ from our clock, as the Standard Webhooks specification suggests.
_TOLERANCE = 300

_CLOUD_EVENT = "application/cloudevents+json"
_BATCH = "application/cloudevents-batch+json"


class BadSignature(Exception):
    """A delivery whose signature is not valid, or whose content contradicts it."""


def signature(secret: str, id: str, timestamp: str, body: bytes) -> bytes:
    """Return one element of webhook-signature, as the Standard Webhooks specification defines it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return b"v1," + base64.b64encode(digest)


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Verify a delivery as the Standard Webhooks specification defines it; raises BadSignature."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id:
        raise BadSignature("webhook-id is missing")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > _TOLERANCE:
        raise BadSignature("webhook-timestamp is missing or too far from now")
    expected = signature(secret, id, timestamp, body)
    candidates = headers.get("webhook-signature", "").split(" ")
    if not any(
        hmac.compare_digest(expected, candidate.encode("utf-8", "replace"))
        for candidate in candidates
    ):
        raise BadSignature("no element of webhook-signature matches")


@dataclass(frozen=True, slots=True)
class Received:
    """An event that was accepted; `at` is the monotonic time of its arrival."""

    at: float
    event: dict[str, Any]


class Core:
    """A core that receives events over HTTP. `taken` holds those it answered with 2xx, `refused` counts the rest.

    If there are several secrets, each of them is valid, as while one is being replaced.
    """

    def __init__(self, secret: str | Sequence[str], judge: Judge = accepts) -> None:
        self.taken: list[Received] = []
        #: The number of events in each delivery of several.
        self.batches: list[int] = []
        self.refused = 0
        #: The number of deliveries that failed verification, and the reasons.
        self.bad_signatures = 0
        self.reasons: list[str] = []
        self.headers_of_refusal: dict[str, str] = {}
        self.delay = 0.0
        self.judge = judge
        self.url = ""
        self._secrets = [secret] if isinstance(secret, str) else list(secret)
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/events", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}/events"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def throttle(self, seconds: int, times: int = 1) -> None:
        """Answer the next `times` events with 429 and Retry-After."""
        left = iter(range(times))
        self.headers_of_refusal = {"retry-after": str(seconds)}
        self.judge = lambda event: accepts(event) if next(left, None) is None else 429

    @property
    def events(self) -> list[dict[str, Any]]:
        return [received.event for received in self.taken]

    @property
    def distinct(self) -> list[dict[str, Any]]:
        """The events without repeats, in the order of their first arrivals."""
        first: dict[str, dict[str, Any]] = {}
        for event in self.events:
            first.setdefault(event["id"], event)
        return list(first.values())

    async def until(
        self, enough: Callable[[list[dict[str, Any]]], bool], seconds: float = 30.0
    ) -> list[dict[str, Any]]:
        """Wait until `enough` holds for the events; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not enough(self.events):
                self._arrived.clear()
                await self._arrived.wait()
        return self.events

    async def until_count(self, count: int, seconds: float = 30.0) -> list[dict[str, Any]]:
        """Wait until `count` events were accepted; raises TimeoutError."""
        return await self.until(lambda events: len(events) >= count, seconds)

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            self._verify(request, body)
            events = _parse_events(request, body)
        except BadSignature as exc:
            self.bad_signatures += 1
            self.reasons.append(str(exc))
            return web.Response(status=401)
        if self.delay:
            await asyncio.sleep(self.delay)
        return (
            self._respond_to_batch(events) if len(events) > 1 else self._respond(request, events[0])
        )

    def _verify(self, request: web.Request, body: bytes) -> None:
        *earlier, last = self._secrets
        for secret in earlier:
            try:
                return verify(secret, request.headers, body, time.time())
            except BadSignature:
                continue
        return verify(last, request.headers, body, time.time())

    def _respond_to_batch(self, events: Sequence[dict[str, Any]]) -> web.Response:
        """Take events up to the first that the judge refuses, and say how many with 207."""
        self.batches.append(len(events))
        at = time.monotonic()
        taken = list(itertools.takewhile(lambda event: 200 <= self.judge(event) < 300, events))
        self.taken += [Received(at, event) for event in taken]
        self._arrived.set()
        if len(taken) == len(events):
            return web.Response(status=204)
        self.refused += 1
        return web.json_response({"taken": len(taken)}, status=207)

    def _respond(self, request: web.Request, event: dict[str, Any]) -> web.Response:
        status = self.judge(event)
        if 200 <= status < 300:
            self.taken.append(Received(time.monotonic(), event))
            self._arrived.set()
            return web.Response(status=status)
        self.refused += 1
        if status == CUT:
            hang_up(request)
            return web.Response(status=500)
        return web.Response(status=status, headers=self.headers_of_refusal)


def _parse_events(request: web.Request, body: bytes) -> list[dict[str, Any]]:
    """Return the CloudEvent of a request in structured mode, or those of a batch.

    The id of a single event must be the id that was signed.
    """
    try:
        event = json.loads(body)
    except ValueError as exc:
        raise BadSignature("the body is not JSON") from exc
    if request.content_type == _BATCH:
        if not isinstance(event, list) or not event or not all(_is_event(one) for one in event):
            raise BadSignature("the batch is not an array of events")
        return event
    if request.content_type != _CLOUD_EVENT:
        raise BadSignature(f"the body is not {_CLOUD_EVENT}")
    if not isinstance(event, dict) or event.get("id") != request.headers["webhook-id"]:
        raise BadSignature("the event's id is not the webhook-id")
    return [event]


def _is_event(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str)
