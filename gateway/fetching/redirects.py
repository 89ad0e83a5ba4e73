"""Redirects: followed one hop at a time; allowlist, headers and credentials are decided again for each hop."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import structlog

from connectors import Call, Connector
from connectors.tools.authorization import headers_for_call

from .allowlist import Allowlist, trusts
from .deadlines import Deadlines
from .errors import Unreachable
from .exchange import exchange
from .headers import headers_for
from .origin import follow, origin_of, read_url

log = structlog.get_logger(__name__)

_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: A context manager around each hop, given the name of its origin; it yields a function that observes the response.
Gate = Callable[[str], AbstractAsyncContextManager[Callable[[httpx.Response], None]]]


class RedirectFollower:
    """Makes the calls of connectors to allowed hosts. `clock` is the time that `authorize` gets."""

    def __init__(
        self, allowlist: Allowlist, deadlines: Deadlines, clock: Callable[[], datetime]
    ) -> None:
        self._allowlist = allowlist
        self._deadlines = deadlines
        self._clock = clock

    @asynccontextmanager
    async def open(
        self,
        connector: Connector[Any],
        call: Call,
        transport: httpx.AsyncBaseTransport,
        gate: Gate,
    ) -> AsyncIterator[httpx.Response]:
        """Yield the response at the end of the redirects, body unread. Raises `Blocked` and `Unreachable`."""
        url = first = read_url(call.url)
        for _ in range(1 + _MAX_REDIRECTS):
            name = str(self._allowlist.admit(connector, url))
            async with (
                gate(name) as observe,
                exchange(
                    transport, self._request(connector, call, url, first), self._deadlines
                ) as response,
            ):
                log.debug(
                    "answered", connector=connector.name, host=name, status=response.status_code
                )
                observe(response)
                location = _location(call, response)
                if location is None:
                    yield response
                    return
            url = follow(url, location)
        raise Unreachable(f"{origin_of(first)}: more than {_MAX_REDIRECTS} redirects", sent=True)

    def _request(
        self, connector: Connector[Any], call: Call, url: httpx.URL, first: httpx.URL
    ) -> httpx.Request:
        origin = origin_of(url)
        trusted = trusts(connector, origin)
        credentials = headers_for_call(connector, self._clock(), None, call) if trusted else None
        content, media_type = _content(call)
        headers = headers_for(
            call,
            credentials=credentials,
            same_origin=origin == origin_of(first),
            media_type=media_type,
        )
        return httpx.Request(call.method, url, headers=headers, content=content)


def _location(call: Call, response: httpx.Response) -> str | None:
    """Return the target of a redirected GET; None for any other call, which is never repeated elsewhere."""
    if call.method != "GET" or response.status_code in call.expects:
        return None
    return response.headers.get("location") if response.status_code in _REDIRECTS else None


def _content(call: Call) -> tuple[bytes | None, str | None]:
    if call.json is not None:
        return orjson.dumps(call.json), "application/json"
    if call.form is not None:
        return urlencode(call.form).encode(), "application/x-www-form-urlencoded"
    return call.body, None
