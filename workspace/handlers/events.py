"""`POST /events`, which receives the gateway's deliveries. A 2xx means that the event is on disk."""

import logging
import time
from functools import partial

import orjson
from aiohttp import web

from workspace.gateway.signatures import InvalidSignature, verify
from workspace.http.context import workspace_of
from workspace.http.responses import error_response, read_body
from workspace.http.sparse_log import SparseLog
from workspace.store.apply_event import apply_event
from workspace.timestamps import now

#: Most events are a few kilobytes, but an unrecognised one carries everything that the platform sent.
_MAX_BYTES = 8_000_000

_log = SparseLog(logging.getLogger(__name__))


async def receive_event(request: web.Request) -> web.Response:
    body = await read_body(request, _MAX_BYTES)
    workspace = workspace_of(request)
    try:
        id = verify(request.headers, body, workspace.secrets, time.time())
    except InvalidSignature as exc:
        _log.warning("event refused: %s", exc)
        return error_response(401, "the signature is not valid")
    event = _parse_event(body)
    if event is None:
        _log.warning("event refused: its body is not a JSON object")
        return error_response(400, "the body is not a JSON object")
    await workspace.database.write(partial(apply_event, id=id, event=event, body=body, now=now()))
    return web.Response(status=204)


def _parse_event(body: bytes) -> dict[str, object] | None:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None
