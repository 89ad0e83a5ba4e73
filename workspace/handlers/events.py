"""`POST /events`: takes the gateway's deliveries. A 2xx means that the event is on disk."""

import logging
import time
from functools import partial

import orjson
from aiohttp import web

from workspace.gateway.signatures import Forged, verify
from workspace.http.context import workspace_of
from workspace.http.responses import bounded
from workspace.store.apply_event import record
from workspace.timestamps import now

#: The gateway's own events are a few kilobytes; an unrecognised one carries what a platform sent.
_LARGEST = 8_000_000

_log = logging.getLogger(__name__)


async def take_event(request: web.Request) -> web.Response:
    body = await bounded(request, _LARGEST)
    workspace = workspace_of(request)
    try:
        id = verify(request.headers, body, workspace.secrets, time.time())
    except Forged as why:
        _log.warning("refused a delivery: %s", why)
        return web.json_response({"error": "not proven"}, status=401)
    event = _event(body)
    if event is None:
        _log.warning("refused event %s: its body is no JSON object", id)
        return web.json_response({"error": "the body is no JSON object"}, status=400)
    await workspace.database.write(partial(record, id=id, event=event, body=body, now=now()))
    return web.Response(status=204)


def _event(body: bytes) -> dict[str, object] | None:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None
