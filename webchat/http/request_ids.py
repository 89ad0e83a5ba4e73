"""Request ids: one for each request, in its answer and in what is logged about it."""

import itertools
import secrets

from aiohttp import web

HEADER = "X-Request-Id"

_ID = web.RequestKey("request_id", str)
#: Ids are counted; the prefix is this process's, and differs from those of the gateway.
_PREFIX = f"chat-{secrets.token_hex(5)}-"
_NUMBERS = itertools.count(1)


def request_id(request: web.BaseRequest) -> str:
    """Return the id of a request. One that came with it is ignored: proxies pass on what strangers send."""
    known = request.get(_ID)
    if known is None:
        known = request[_ID] = f"{_PREFIX}{next(_NUMBERS):x}"
    return known
