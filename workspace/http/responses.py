"""What handlers read from requests and answer with."""

from typing import Any

import orjson
from aiohttp import web

#: A page's own calls are small; the longest carries an agent's text.
_LARGEST = 200_000

#: What SQLite holds; nothing that is counted here comes near.
_LARGEST_NUMBER = (1 << 63) - 1


def answer(content: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(content), status=status, content_type="application/json", charset="utf-8"
    )


def refusal(status: int, sentence: str) -> web.Response:
    """A refusal that says why, for whoever asked."""
    return answer({"error": sentence}, status)


async def content_of(request: web.Request) -> dict[str, Any]:
    """The JSON object a page sent."""
    body = await bounded(request, _LARGEST)
    try:
        content = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest from None
    if not isinstance(content, dict):
        raise web.HTTPBadRequest
    return content


async def bounded(request: web.Request, largest: int) -> bytes:
    """The whole body, up to our own limit: below a main application only that one's would count."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if len(body) > largest:
            raise web.HTTPRequestEntityTooLarge(max_size=largest, actual_size=len(body))
    return bytes(body)


def number(written: object) -> int:
    """A whole number from a query or from JSON."""
    if (
        isinstance(written, int)
        and not isinstance(written, bool)
        and abs(written) <= _LARGEST_NUMBER
    ):
        return written
    if isinstance(written, str) and written.isascii() and written.isdigit() and len(written) < 18:
        return int(written)
    raise web.HTTPBadRequest
