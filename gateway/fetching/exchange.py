"""One request and the headers of its response, within time limits; network errors become `Unreachable`."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import httpx

from .deadlines import Deadlines
from .errors import Unreachable
from .origin import origin_of

#: Exceptions of httpcore for a connection that fails at any stage. A TLS record error is passed on unwrapped.
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
    """Send a request and yield its response, body unread; the connection is released at the end of the block."""
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
    """Trace of a request in httpcore: starts the time limit of the response, and notes that the request was sent."""

    limit: asyncio.Timeout

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self.sent = False

    @property
    def missing(self) -> str:
        return "no response" if self.sent else "no connection"

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        del info  # holds the request
        if event.endswith(".send_request_headers.started"):
            self.sent = True
            now = asyncio.get_running_loop().time()
            self.limit.reschedule(now + self._deadlines.first_byte)


def _describe(exc: Exception) -> str:
    """Describe an error without httpcore's text, which may quote a response with its tokens."""
    match exc:
        case httpcore.ConnectTimeout():
            return "no connection in time"
        case httpcore.ConnectError():
            return f"no connection ({_cause(exc)})"
        case httpcore.ProtocolError():
            return "the response was not HTTP, or there was none"
        case _:
            return "the connection was lost"


def _cause(exc: BaseException) -> str:
    """Return the system's words for a failed connection: the libraries' own say only that all attempts failed."""
    found: BaseException | None = exc
    while found is not None:
        match found:
            case ssl.SSLCertVerificationError():
                return f"the certificate is not valid: {found.verify_message.rstrip('.')}"
            case ssl.SSLError():
                return "TLS failed"
            case OSError(errno=int(code)) if code > 0:
                return os.strerror(code).lower()
        found = found.__cause__ or found.__context__
    return str(exc)
