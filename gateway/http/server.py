"""The HTTP server. Its log and its answers quote nothing of a request that could not be read."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http import HttpProcessingError

from gateway.observability import tracebacks
from gateway.observability.request_ids import HEADER, request_id
from gateway.problems import Problem

from .access_log import log_access
from .connections import LINGER_SECONDS, Connections, GuardedConnection, backlog

log = structlog.get_logger(__name__)

#: The value of the header Server. Versions would show strangers which holes to try.
SERVER_NAME = "Airlock"

#: Seconds between two log lines about requests that are not HTTP: anybody can send them, as fast as they like.
_QUIET_SECONDS = 60.0

#: Seconds that a connection which was accepted just before the end may take to send its request.
_NEW_SECONDS = 0.5

#: aiohttp's errors for a request line or header above 8 KiB have this name, in Python and in C.
_TOO_LONG = "LineTooLong"

# Signatures cover the raw body: nothing is decompressed before verification.
_OPTIONS: dict[str, Any] = {
    "access_log": None,
    "auto_decompress": False,
    "lingering_time": LINGER_SECONDS,
}


class UnreadableRequests:
    """Counts requests that are not HTTP, and logs them at most once a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._count = 0
        self._quiet_until = float("-inf")

    def add(self, error: BaseException) -> None:
        self._count += 1
        now = self._clock()
        if now >= self._quiet_until:
            log.warning("request_unreadable", error=type(error).__name__, requests=self._count)
            self._count, self._quiet_until = 0, now + _QUIET_SECONDS


class Connection(GuardedConnection):
    """A connection whose errors are logged by kind and place: aiohttp would log and send the refused header itself."""

    def __init__(
        self,
        manager: web.Server,
        unreadable: UnreadableRequests,
        connections: Connections,
        *,
        is_local: bool = False,
    ) -> None:
        super().__init__(connections, manager, loop=asyncio.get_running_loop(), **_OPTIONS)
        self._unreadable = unreadable
        self.is_local = is_local

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        del message
        if exc is not None and is_unreadable(request, exc):
            self._unreadable.add(exc)
        else:
            log_failure(request, exc)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another response has been sent")
        response = _problem(status, exc).response()
        response.headers["Server"] = SERVER_NAME
        response.headers[HEADER] = request_id(request)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        del args
        error = kw.get("exc_info")
        log.error("connection_failed", exc_info=error if isinstance(error, Exception) else None)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send problem details also where aiohttp itself refuses: `OPTIONS *` and `CONNECT` fit no route."""
        began = self.head_since or time.monotonic()
        if isinstance(resp, web.HTTPError):
            resp = _problem_of(request, resp).response()
            resp.headers[HEADER] = request_id(request)
        finished = await super().finish_response(request, resp, start_time)
        log_access(request, finished[0], began)
        return finished


def _problem_of(request: web.BaseRequest, error: web.HTTPError) -> Problem:
    allow = {"allow": error.headers["allow"]} if "allow" in error.headers else {}
    detail = f"{request.method[:20]} {request.path[:200]!r} is answered with {error.status}"
    return Problem(error.status, error.reason, detail, allow)


def is_unreadable(request: web.BaseRequest, error: BaseException) -> bool:
    """Whether a request is not HTTP, or its client is gone before it was complete."""
    if isinstance(error, ConnectionError):
        return request.transport is None
    return isinstance(error, HttpProcessingError | web.RequestPayloadError)


def log_failure(request: web.BaseRequest, error: BaseException | None) -> None:
    """Log where a request failed, without its query."""
    log.error(
        "request_failed",
        method=request.method,
        path=request.path,
        exception=tracebacks.describe(error) if error else None,
    )


def _problem(status: int, error: BaseException | None) -> Problem:
    if type(error).__name__ == _TOO_LONG:
        # RFC 6585, 5.
        return Problem(431, "Request header fields too large", "a header has at most 8,190 bytes")
    if isinstance(error, HttpProcessingError | web.RequestPayloadError):
        return Problem(400, "Bad request", "the request is incomplete or is not valid HTTP/1.1")
    return Problem(status, HTTPStatus(status).phrase, "an unexpected error occurred; see the log")


def is_local(request: web.BaseRequest) -> bool:
    """Whether a request came through the control socket, which only the gateway's user can open."""
    return isinstance(request.protocol, Connection) and request.protocol.is_local


async def name_server(_request: web.Request, response: web.StreamResponse) -> None:
    """Replace aiohttp's header Server, which shows the versions of aiohttp and Python."""
    response.headers["Server"] = SERVER_NAME


class Server:
    """A running server. `close` ends it within about `grace` seconds."""

    def __init__(
        self, runner: web.AppRunner, listeners: Sequence[asyncio.Server], connections: Connections
    ) -> None:
        self._runner, self._listeners, self._connections = runner, listeners, connections

    @classmethod
    async def start(
        cls,
        app: web.Application,
        sockets: Sequence[socket.socket],
        grace: float,
        control: socket.socket | None = None,
    ) -> "Server":
        """Serve the application on bound sockets, and on the control socket.

        Requests in progress at the end get `grace` seconds.
        """
        runner = web.AppRunner(app, shutdown_timeout=grace, **_OPTIONS)
        try:
            await runner.setup()
            manager = runner.server
            assert manager is not None, "set up just now"
            loop = asyncio.get_running_loop()
            unreadable, connections = UnreadableRequests(loop.time), Connections()
            loop.set_exception_handler(connections.handle_loop_error)
            listeners = [
                await loop.create_server(
                    lambda: Connection(manager, unreadable, connections),
                    sock=sock,
                    backlog=backlog(),
                )
                for sock in sockets
            ]
            if control is not None:
                local = partial(Connection, manager, unreadable, connections, is_local=True)
                listeners.append(await loop.create_unix_server(local, sock=control))
        except BaseException:
            await runner.cleanup()
            raise
        return cls(runner, listeners, connections)

    async def watch(self) -> None:
        """Close connections that wait too long, until cancelled."""
        await self._connections.watch()

    async def close(self) -> None:
        for listener in self._listeners:
            listener.close()
        await self._connections.serve_new(_NEW_SECONDS)
        await self._runner.cleanup()
