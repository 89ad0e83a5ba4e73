"""Connections of strangers: how long one may wait for its request, how many may wait, and what happens without room.

A connection is idle while the gateway waits for the head of a request: a new one, one that is kept alive, and one that
sends a head slowly. aiohttp closes an idle connection after its keep-alive time at the earliest, and keeps any number.
"""

import asyncio
import contextlib
import errno
import math
import os
import resource
import time
from typing import Any

import structlog
from aiohttp import hdrs, web

from .answer_pace import AnswerPace

log = structlog.get_logger(__name__)

#: Seconds in which a new connection must send the head of its first request, and any connection one it has begun.
HEAD_SECONDS = 10.0
#: Seconds in which any body must arrive, or the next bytes of an upload. That of a delivery has less
#: (`gateway.inbound.unproved`).
BODY_SECONDS = 30.0
#: Seconds for which a connection is read after a request was answered early: its sender must see the answer.
LINGER_SECONDS = 2.0
#: Bytes of refused bodies that all such connections together may still send, each second: one sender sees the answer,
#: and a crowd that sends megabytes after it was refused is cut off. Reading them cost 2 ms for each refused request.
_LINGER_BYTES = 8 * 1024 * 1024
#: Bytes of a body that costs no more than its answer.
_SMALL_BODY = 64 * 1024
#: Bytes of all requests that are not answered yet, except deliveries, which have a limit of their own
#: (`gateway.inbound.unproved`).
_UNANSWERED_BYTES = 64 * 1024 * 1024
#: Idle connections at most, as many whose bodies are arriving, and at most this part of the descriptors for each. A
#: proxy keeps far fewer.
MAX_WAITING = 1024
_WAITING_PART = 4
#: After so many new connections, as a part of the most that may wait, it is checked whether too many wait.
_NEW_PART = 8
#: Descriptors that must be free. The journal, downloads and decoders need them.
_SPARE_DESCRIPTORS = 16
#: A limit of more descriptors than this helps nobody, and slows down programs that close them all.
_MOST_DESCRIPTORS = 2**20
_CHECK_SECONDS = 0.5
_END_CHECK_SECONDS = 0.01
_SAY_SECONDS = 60.0
_SHORT = frozenset({errno.EMFILE, errno.ENFILE})


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard one: each connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class GuardedConnection(web.RequestHandler):
    """A connection that knows since when it waits for a request, or for the rest of one."""

    __slots__ = ("_connections", "_lingers", "head_since", "is_proved", "unanswered", "waits_since")

    def __init__(self, connections: "Connections", *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._connections = connections
        #: Whether a request was answered before its body arrived.
        self._lingers = False
        #: Bytes of the request that is not answered yet.
        self.unanswered = 0
        #: Whether a request succeeded that needs a proof. Proxies and platforms use such a connection again.
        self.is_proved = False
        #: When its last request began or ended; for a new connection, when it was opened.
        self.waits_since = time.monotonic()
        #: When the first byte of a head arrived; for a new connection, when it was opened.
        self.head_since: float | None = self.waits_since

    @property
    def is_idle(self) -> bool:
        return self._current_request is None and not self._messages

    @property
    def is_reading(self) -> bool:
        """Whether the body of the current request is incomplete."""
        request = self._current_request
        return request is not None and not request.content.is_eof()

    @property
    def is_delivery(self) -> bool:
        request = self._current_request
        return request is not None and request.path.startswith("/webhooks/")

    @property
    def is_upload(self) -> bool:
        """Whether a part of an upload is arriving at the web channel, which writes it to the disk as it comes.

        It may take as long as a phone needs, and holds little memory. Without a session it is answered at once.
        """
        request = self._current_request
        if request is not None:
            return request.method == hdrs.METH_PATCH
        first = self._messages[0][0] if self._messages else None
        return getattr(first, "method", "") == hdrs.METH_PATCH

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.opened(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingers and not self._connections.may_linger(len(data)):
            self.force_close()
            return
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._lingers = False
            self.head_since = None
            self.waits_since = time.monotonic()
        elif self.is_idle:
            self.head_since = self.head_since or time.monotonic()
        if self.is_upload:
            self.waits_since = time.monotonic()
        elif not (self.is_idle or self.is_delivery):
            self._connections.keep(self, len(data))

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        self._connections.release(self)
        is_unread = not request.content.is_eof()
        is_small = (request.content_length or math.inf) <= _SMALL_BODY
        if is_unread and not is_small and not await self._connections.answers.turn():
            self.force_close()
        self._lingers = is_unread
        if self._connections.is_ending:
            resp.force_close()
        finished = await super().finish_response(request, resp, start_time)
        # Every POST needs a signature, a token or a password.
        self.is_proved = self.is_proved or (request.method == "POST" and resp.status < 300)
        self.waits_since = time.monotonic()
        self.head_since = None
        return finished


class Connections:
    """All connections of a server."""

    def __init__(self) -> None:
        self._open: dict[GuardedConnection, None] = {}
        self._max_waiting = _max_waiting()
        self._new = 0
        self._said_short = -_SAY_SECONDS
        #: Bytes of all requests that are not answered yet.
        self._unanswered = 0
        self.is_ending = False
        #: When requests are answered whose bodies have not arrived.
        self.answers = AnswerPace()
        #: Bytes that connections may send after their answer, and when that was reckoned.
        self._linger_bytes = float(_LINGER_BYTES)
        self._reckoned = time.monotonic()

    def may_linger(self, size: int) -> bool:
        """Whether a connection whose request was answered may send these bytes of its body."""
        now = time.monotonic()
        refilled = self._linger_bytes + (now - self._reckoned) * _LINGER_BYTES
        self._linger_bytes, self._reckoned = min(refilled, float(_LINGER_BYTES)), now
        if size > self._linger_bytes:
            return False
        self._linger_bytes -= size
        return True

    def opened(self, connection: GuardedConnection) -> None:
        self._open[connection] = None
        self._new += 1
        # Not for each new one: finding the oldest takes time.
        if len(self._open) > self._max_waiting and self._new > self._max_waiting // _NEW_PART:
            self._close_oldest(self._max_waiting)

    def closed(self, connection: GuardedConnection) -> None:
        self.release(connection)
        self._open.pop(connection, None)

    def keep(self, connection: GuardedConnection, size: int) -> None:
        """Count bytes of a request. Beyond the limit, the bodies that have been arriving longest are given up."""
        connection.unanswered += size
        self._unanswered += size
        while self._unanswered > _UNANSWERED_BYTES:
            reading = [
                one
                for one in self._open
                if one.is_reading and one.unanswered and not one.is_delivery
            ]
            if not reading:
                return
            longest = min(reading, key=lambda one: one.waits_since)
            self.release(longest)
            longest.force_close()

    def release(self, connection: GuardedConnection) -> None:
        """The request of this connection was answered or given up."""
        self._unanswered -= connection.unanswered
        connection.unanswered = 0

    async def serve_new(self, seconds: float) -> None:
        """Wait for the requests of connections that were accepted just now, because nobody else will get them.

        From now on, each answer closes its connection.
        """
        self.is_ending = True
        deadline = time.monotonic() + seconds
        while any(one.is_idle and one.head_since is not None for one in self._open):
            if time.monotonic() >= deadline:
                return
            await asyncio.sleep(_END_CHECK_SECONDS)

    async def watch(self) -> None:
        """Close connections that have waited too long, and say when descriptors are short."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            self._max_waiting = _max_waiting()
            is_short = _descriptors_are_short()
            if is_short:
                self.say_short()
            self._close_oldest(self._max_waiting // 2 if is_short else self._max_waiting)
            self._close_slow()

    def say_short(self) -> None:
        """Say at most once a minute that descriptors are short."""
        now = time.monotonic()
        if now - self._said_short < _SAY_SECONDS:
            return
        self._said_short = now
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        log.error(
            "descriptors_short",
            limit=limit,
            connections=len(self._open),
            remedy="raise the limit of open files (LimitNOFILE), or limit connections in the proxy",
        )

    def handle_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an error of the event loop: one for lack of descriptors is said once a minute."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _SHORT:
            self.say_short()
        else:
            loop.default_exception_handler(context)

    def _close_slow(self) -> None:
        now = time.monotonic()
        for connection in list(self._open):
            begun = connection.head_since
            is_slow = (
                begun is not None and begun < now - HEAD_SECONDS
                if connection.is_idle
                else connection.is_reading and connection.waits_since < now - BODY_SECONDS
            )
            if is_slow:
                connection.force_close()

    def _close_oldest(self, most: int) -> None:
        """Close the oldest of the idle connections, and of those whose bodies are arriving, beyond `most` of each.

        A stranger's are closed first: the next delivery may be on its way on the others.
        """
        self._new = 0
        for waiting in (
            [one for one in self._open if one.is_idle],
            [one for one in self._open if one.is_reading],
        ):
            waiting.sort(key=lambda one: (one.is_proved, one.waits_since))
            for connection in waiting[: max(0, len(waiting) - most)]:
                connection.force_close()


def backlog() -> int:
    """How many connections the system may hold until they are taken: uvloop takes them all at once."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_WAITING if limit == resource.RLIM_INFINITY else min(MAX_WAITING, limit // _NEW_PART)


def _max_waiting() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MAX_WAITING
    return min(MAX_WAITING, limit // _WAITING_PART)


def _descriptors_are_short() -> bool:
    """Whether few descriptors are free. All numbers below the lowest free one are taken."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        lowest = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as exc:
        return exc.errno in _SHORT
    os.close(lowest)
    return limit != resource.RLIM_INFINITY and lowest >= limit - _SPARE_DESCRIPTORS
