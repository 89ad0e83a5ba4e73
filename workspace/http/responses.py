"""Reading of request bodies and numbers, and JSON responses."""

from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

#: Calls from the pages are small. The largest carries an agent's text.
_MAX_BYTES = 200_000

#: SQLite's largest integer.
_MAX_NUMBER = (1 << 63) - 1


def json_response(content: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(content), status=status, content_type="application/json", charset="utf-8"
    )


class Problem(web.Response):
    """An error as problem details (RFC 9457). `sentence` is for the user; the pages read it as `error`."""

    sentence: str


def error_response(status: int, text: str) -> Problem:
    """Return an error with a sentence for the user."""
    title = HTTPStatus(status).phrase
    content = {"type": "about:blank", "title": title, "status": status, "detail": text}
    response = Problem(
        body=orjson.dumps({**content, "error": text}),
        status=status,
        content_type="application/problem+json",
    )
    response.sentence = text
    return response


async def read_json(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that a page sent. Raises HTTPBadRequest for anything else."""
    body = await read_body(request, _MAX_BYTES)
    try:
        content = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest from None
    if not isinstance(content, dict):
        raise web.HTTPBadRequest
    return content


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the whole body, up to `limit`. The limit of a mounted aiohttp application has no effect."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if len(body) > limit:
            raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=len(body))
    return bytes(body)


def parse_number(value: object) -> int:
    """Return a whole number from a query or from JSON. Raises HTTPBadRequest for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _MAX_NUMBER:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18:
        return int(value)
    raise web.HTTPBadRequest
