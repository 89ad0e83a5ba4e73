"""Request ids: one for each request, in its answer, in every log line about it, and in the events that it brings."""

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from ipaddress import ip_address

import structlog
from aiohttp import web

HEADER = "X-Request-Id"

_ID = web.RequestKey("request_id", str)
#: How many of the addresses in X-Forwarded-For our own proxies appended.
TRUSTED_PROXIES = web.AppKey("trusted_proxies", int)

#: Ids are counted, because random ones for every delivery cost more. The prefix is this process's.
_PREFIX = f"req-{secrets.token_hex(5)}-"
_NUMBERS = itertools.count(1)

_CURRENT: ContextVar[web.Request | None] = ContextVar("request", default=None)


def request_id(request: web.BaseRequest) -> str:
    """Return the id of a request. One that came with it is ignored: proxies pass on what strangers send."""
    known = request.get(_ID)
    if known is None:
        known = f"{_PREFIX}{next(_NUMBERS):x}"
        request[_ID] = known
    return known


def _proxies(request: web.Request) -> int:
    return int(request.config_dict.get(TRUSTED_PROXIES, 0))


@contextmanager
def logged_as(request: web.Request) -> Iterator[None]:
    """Name the request in every log line that is written inside."""
    current = _CURRENT.set(request)
    bound = structlog.contextvars.bind_contextvars(request_id=request_id(request))
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**bound)
        _CURRENT.reset(current)


def current_id() -> str:
    """Return the id of the request that is being answered; empty outside of one."""
    request = _CURRENT.get()
    return "" if request is None else request_id(request)


def current_client() -> str | None:
    """Return the address of the client that is being answered; None outside of a request."""
    request = _CURRENT.get()
    return None if request is None else client_address(request)


def client_address(request: web.Request) -> str | None:
    """Return the client's address, as the outermost of our own proxies saw it; entries before it may be forged."""
    proxies = _proxies(request)
    seen = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    if proxies and len(seen) >= proxies:
        with suppress(ValueError):
            return str(ip_address(seen[-proxies].strip()))
    return request.remote


async def name_request(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Name the request in its answer (a signal of the application)."""
    response.headers[HEADER] = request_id(request)
