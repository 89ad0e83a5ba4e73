"""`GET /v1/changes`: what has changed since a revision, as Server-Sent Events or as a long poll."""

import orjson
from aiohttp import web

from webchat.http.bodies import json_response, parse_number
from webchat.http.context import caller_of, chat_of, site_of
from webchat.http.problems import Problem
from webchat.shapes import ChangesView
from webchat.signals import Listener
from webchat.store import messages, sessions
from webchat.store.database import Connection

#: Shorter than the usual idle timeout of proxies (60 s), so that a quiet stream stays open.
_KEEP_ALIVE_SECONDS = 20.0
_LONGEST_WAIT = 60
#: Streams of one consumer at the same time: several tabs and devices, but not thousands.
_MAX_STREAMS = 20


async def changes(request: web.Request) -> web.StreamResponse:
    """Answer with a stream if the client accepts one, otherwise once there is something or `wait` is over."""
    since = parse_number(
        request.headers.get("Last-Event-ID") or request.query.get("since", "0"), "since"
    )
    with chat_of(request).signals.listen(caller_of(request).consumer) as listener:
        if listener.listeners > _MAX_STREAMS:
            raise Problem(
                429,
                "too_many",
                f"a consumer has at most {_MAX_STREAMS} streams",
                headers={"Retry-After": "5"},
            )
        watch = _Watch(request, listener, since)
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await _stream(request, watch)
        wait = min(parse_number(request.query.get("wait", "0"), "wait"), _LONGEST_WAIT)
        return json_response(await watch.next(wait) or {"revision": since})


async def _stream(request: web.Request, watch: "_Watch") -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    try:
        await response.write(b"retry: 2000\n\n")
        while not watch.ended:
            found = await watch.next(_KEEP_ALIVE_SECONDS)
            if found is not None:
                await response.write(_format_event(found))
            elif not watch.ended:
                await response.write(b": still here\n\n")
    except ConnectionError:
        pass  # the page was closed
    return response


class _Watch:
    """The changes that one request has not been sent yet. `ended` is true once its session is gone."""

    def __init__(self, request: web.Request, listener: Listener, since: int) -> None:
        self.ended = False
        self._chat, self._caller = chat_of(request), caller_of(request)
        self._policy = site_of(request).uploads
        self._listener = listener
        self._since = since
        self._typing = False

    async def next(self, seconds: float) -> ChangesView | None:
        """Return what is new, waiting for it at most so long; None if nothing is."""
        waited = False
        while True:
            # Before the query, so that the wait below does not miss a change made during the query.
            seen = self._listener.count
            found = await self._look()
            if found is not None or self.ended or waited:
                return found
            # "An agent is writing" ends by itself, which is news too.
            left = self._chat.signals.typing_ms(self._caller.consumer) / 1000
            pause = min(seconds, left) if self._typing and left else seconds
            woken = await self._listener.wait(seen, pause)
            waited = not woken and pause == seconds

    async def _look(self) -> ChangesView | None:
        if self._chat.signals.closed:
            self.ended = True
            return None
        found = await self._chat.database.read(self._query)
        if found is None or found.get("reset"):
            # Signed out, or erased: the page must not show what it has.
            self.ended = found is None or found["revision"] == 0
            found = found or {"revision": 0, "reset": True}
        self._since = found["revision"]
        typing = self._chat.signals.typing_ms(self._caller.consumer) > 0
        if typing != self._typing:
            self._typing = found["typing"] = typing
        return found if len(found) > 1 else None

    def _query(self, db: Connection) -> ChangesView | None:
        """Return the changes, with `revision` alone if there are none; None if the session has ended."""
        if not sessions.is_live(db, self._caller):
            return None
        found = messages.changes(db, self._caller.consumer, self._since, self._policy)
        return found or {"revision": self._since}


def _format_event(found: ChangesView) -> bytes:
    return b"event: changes\nid: %d\ndata: %b\n\n" % (found["revision"], orjson.dumps(found))
