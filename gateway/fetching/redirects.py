"""Redirects: followed one hop at a time; allowlist, headers and credentials are decided again for each hop."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import structlog

from connectors import Call, Connector, Token
from connectors.tools.authorization import headers_for_call

from .allowlist import Allowlist, trusts
from .deadlines import Deadlines
from .errors import Unreachable
from .exchange import exchange
from .headers import headers_for
from .origin import follow, origin_of, read_url
from .tokens import Tokens

log = structlog.get_logger(__name__)

_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: A context manager around each hop, given the name of its origin; it yields a function that observes the response.
Gate = Callable[[str], AbstractAsyncContextManager[Callable[[httpx.Response], None]]]


@dataclass(frozen=True, slots=True)
class _Hop:
    """One request, and the token that authenticates it."""

    request: httpx.Request
    token: Token | None = None


class RedirectFollower:
    """Makes the calls of connectors to allowed hosts. `clock` is the time that `authorize` gets."""

    def __init__(
        self,
        allowlist: Allowlist,
        deadlines: Deadlines,
        clock: Callable[[], datetime],
        tokens: Tokens,
    ) -> None:
        self._allowlist = allowlist
        self._deadlines = deadlines
        self._clock = clock
        self._tokens = tokens

    @asynccontextmanager
    async def open(
        self,
        connector: Connector[Any],
        call: Call,
        transport: httpx.AsyncBaseTransport,
        gate: Gate,
    ) -> AsyncIterator[httpx.Response]:
        """Yield the response at the end of the redirects, body unread. Raises `Blocked` and `Unreachable`.

        A call whose token is refused with 401 is repeated once with a new token: the platform did not process it.
        """
        url = first = read_url(call.url)
        redirects, is_repeated = 0, False
        while redirects <= _MAX_REDIRECTS:
            name = str(self._allowlist.admit(connector, url))
            hop = await self._hop(connector, call, url, first)
            async with (
                gate(name) as observe,
                exchange(transport, hop.request, self._deadlines) as response,
            ):
                log.debug(
                    "answered", platform=connector.name, host=name, status=response.status_code
                )
                observe(response)
                if not is_repeated and self._is_worth_repeating(connector, call, hop, response):
                    is_repeated = True
                    continue
                location = _location(call, response)
                if location is None:
                    yield response
                    return
            url = follow(url, location)
            redirects += 1
        raise Unreachable(f"{origin_of(first)}: more than {_MAX_REDIRECTS} redirects", sent=True)

    async def _hop(
        self, connector: Connector[Any], call: Call, url: httpx.URL, first: httpx.URL
    ) -> _Hop:
        origin = origin_of(url)
        is_trusted = trusts(connector, origin)
        token: Token | None = None
        credentials: Mapping[str, str] | None = {} if is_trusted else None
        if is_trusted and call.auth:
            token = await self._tokens.current(connector)
            hop = call if url == first else replace(call, url=str(url))
            credentials = headers_for_call(connector, self._clock(), token, hop)
        content, media_type = _content(call)
        headers = headers_for(
            call,
            credentials=credentials,
            same_origin=origin == origin_of(first),
            media_type=media_type,
        )
        return _Hop(httpx.Request(call.method, url, headers=headers, content=content), token)

    def _is_worth_repeating(
        self, connector: Connector[Any], call: Call, hop: _Hop, response: httpx.Response
    ) -> bool:
        is_refused = response.status_code == 401 and 401 not in call.expects
        return is_refused and hop.token is not None and self._tokens.refuse(connector, hop.token)


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
