"""One request and its answer's headers, on a limited time; every network trouble becomes `Unreachable`."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import httpx

from .deadlines import Deadlines
from .errors import Unreachable
from .origin import origin_of

#: What httpcore raises when a connection fails, at any stage. A TLS record that cannot be read comes bare.
CONNECTION_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    ssl.SSLError,
)


@asynccontextmanager
async def exchange(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, deadlines: Deadlines
) -> AsyncIterator[httpx.Response]:
    """The answer, its body unread; the connection is let go at the end of the block."""
    response = await _send(transport, request, deadlines)
    try:
        yield response
    finally:
        await response.aclose()


async def _send(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, deadlines: Deadlines
) -> httpx.Response:
    origin = origin_of(request.url)
    progress = _Progress(deadlines)
    request.extensions = {"timeout": {"connect": deadlines.connect}, "trace": progress}
    try:
        async with asyncio.timeout(deadlines.connect) as progress.limit:
            return await transport.handle_async_request(request)
    except TimeoutError as exc:
        raise Unreachable(f"{origin}: {progress.missing} in time", sent=progress.sent) from exc
    except CONNECTION_ERRORS as exc:
        raise Unreachable(f"{origin}: {_describe(exc)}", sent=progress.sent) from None


class _Progress:
    """Told by httpcore what it does: gives the answer its own time, and knows whether the request went out."""

    limit: asyncio.Timeout

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self.sent = False

    @property
    def missing(self) -> str:
        return "no answer" if self.sent else "no connection"

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        del info  # holds the request
        if event.endswith(".send_request_headers.started"):
            self.sent = True
            now = asyncio.get_running_loop().time()
            self.limit.reschedule(now + self._deadlines.first_byte)


def _describe(exc: Exception) -> str:
    """What happened. httpcore's own words are not passed on: they quote an unreadable answer, tokens and all."""
    match exc:
        case httpcore.ConnectTimeout():
            return "no connection in time"
        case httpcore.ConnectError():
            return f"no connection ({exc})"
        case httpcore.ProtocolError():
            return "the answer was no HTTP, or there was none"
        case _:
            return "the connection was lost"
