"""Live updates: Server-Sent Events that tell an open page which conversations changed."""

from functools import partial

import orjson
from aiohttp import web

from workspace.conversations import Summary, changed
from workspace.keys import agent_of, workspace_of

#: Shorter than the idle time-outs of usual proxies (60 s), so that a quiet stream stays open.
_KEEP_ALIVE_SECONDS = 20.0


async def stream(request: web.Request) -> web.StreamResponse:
    """`since` is the revision that the page shows; a browser that reconnects says `Last-Event-ID`."""
    workspace, agent = workspace_of(request), agent_of(request)
    since = _number(request.headers.get("Last-Event-ID") or request.query.get("since", "0"))
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    await response.write(b"retry: 2000\n\n")
    try:
        while not workspace.updates.closed:
            seen = workspace.updates.count
            found = await workspace.database.read(partial(changed, agent=agent, since=since))
            if found:
                since = found[-1]["revision"]
                await response.write(_event(since, found))
            elif not await workspace.updates.after(seen, _KEEP_ALIVE_SECONDS):
                await response.write(b": still here\n\n")
    except ConnectionResetError:
        return response  # the page was closed
    return response


def _event(revision: int, conversations: list[Summary]) -> bytes:
    content = orjson.dumps({"revision": revision, "conversations": conversations})
    return b"event: conversations\nid: %d\ndata: %b\n\n" % (revision, content)


def _number(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else 0
