"""`POST /events`, which receives the gateway's deliveries. A 2xx means that all their events are on disk."""

import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import orjson
from aiohttp import web

from workspace.gateway.signatures import InvalidSignature, verify
from workspace.http.context import workspace_of
from workspace.http.responses import error_response, read_body
from workspace.http.sparse_log import SparseLog
from workspace.store import requested_erasures
from workspace.store.apply_event import apply_event
from workspace.timestamps import now

#: Most events are a few kilobytes, but an unrecognised one carries everything that the platform sent.
_MAX_BYTES = 8_000_000

#: Several events in one body (CloudEvents, JSON batch format). The id of such a delivery is not that of an event.
_BATCH = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class _Event:
    id: str
    content: dict[str, object]
    body: bytes


_log = SparseLog(logging.getLogger(__name__))


async def receive_event(request: web.Request) -> web.Response:
    body = await read_body(request, _MAX_BYTES)
    workspace = workspace_of(request)
    try:
        id = verify(request.headers, body, workspace.secrets, time.time())
    except InvalidSignature as exc:
        _log.warning("event_refused: %s", exc)
        return error_response(401, "the signature is not valid")
    events = _parse_events(body, id, is_batch=request.content_type == _BATCH)
    if events is None:
        _log.warning("event_refused: its body is not a JSON object, nor an array of events")
        return error_response(400, "the body is not a JSON object, nor an array of events")
    await workspace.database.write(partial(_apply, events=events, now=now()))
    if requested_erasures.KIND.encode() in body:
        workspace.erasures_requested.set()
    return web.Response(status=204)


def _apply(db: sqlite3.Connection, events: Sequence[_Event], now: int) -> None:
    """Apply all events of a delivery in one transaction."""
    for event in events:
        apply_event(db, id=event.id, event=event.content, body=event.body, now=now)


def _parse_events(body: bytes, id: str, *, is_batch: bool) -> Sequence[_Event] | None:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not is_batch:
        return [_Event(id, content, body)] if isinstance(content, dict) else None
    if not isinstance(content, list) or not all(_has_id(event) for event in content):
        return None
    return [_Event(event["id"], event, orjson.dumps(event)) for event in content]


def _has_id(event: object) -> bool:
    return isinstance(event, dict) and isinstance(event.get("id"), str) and bool(event["id"])
