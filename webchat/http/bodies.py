"""Reading of JSON bodies, headers and numbers, and JSON responses."""

from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from .problems import Problem, bad_request

#: The largest JSON that a client has reason to send: a text of 4,000 code points, escaped.
MAX_BYTES = 64 * 1024
#: The largest number that SQLite stores.
_MAX_NUMBER = (1 << 63) - 1

M = TypeVar("M", bound=BaseModel)


def json_response(content: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(content), status=status, content_type="application/json", charset="utf-8"
    )


def empty_response(**headers: str) -> web.Response:
    return web.Response(
        status=204, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


async def parse_body(request: web.Request, model: type[M], limit: int = MAX_BYTES) -> M:
    """Return the JSON body as `model`; raises `Problem` for anything else."""
    # Only scripts of our own origin, and apps, can send this type.
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_type", "send the body as application/json")
    body = await read_body(request, limit)
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise Problem(400, "bad_request", f"{where}: {first['msg']}") from None


async def read_body(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if len(body) > limit:
            raise Problem(413, "too_large", f"the body has more than {limit} bytes")
    return bytes(body)


def query_number(request: web.Request, name: str, default: int) -> int:
    return parse_number(request.query.get(name, str(default)), name)


def header_number(request: web.Request, name: str) -> int:
    if name not in request.headers:
        bad_request(f"the header {name} is missing")
    return parse_number(request.headers[name], name)


def parse_number(value: str, name: str) -> int:
    """Return a whole number of at least 0."""
    if not (value.isascii() and value.isdigit() and len(value) < 19 and int(value) <= _MAX_NUMBER):
        bad_request(f"{name} is not a whole number")
    return int(value)


def header_flag(request: web.Request, name: str) -> bool:
    """Return a Boolean of a structured field (RFC 9651): ?1 or ?0."""
    value = request.headers.get(name, "")
    if value not in {"?0", "?1"}:
        bad_request(f"the header {name} must be ?0 or ?1")
    return value == "?1"
