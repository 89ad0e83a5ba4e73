"""`POST /events`: takes the gateway's deliveries. A 2xx means that the event is on disk."""

import logging
import time
from functools import partial

import orjson
from aiohttp import web

from workspace.answers import bounded
from workspace.keys import workspace_of
from workspace.moments import now
from workspace.recording import record
from workspace.signatures import Forged, verify

#: The gateway's own events are a few kilobytes; an unrecognised one carries what a platform sent.
_LARGEST = 8_000_000

_log = logging.getLogger("workspace.intake")


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
