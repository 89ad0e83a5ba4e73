"""Reading of bodies and queries of calls to `/v1`, and JSON answers."""

from typing import Any, Literal, NoReturn, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from gateway.inbound.request_body import BodyIncomplete, BodyTooLarge, read_body
from gateway.problems import Problem, bad_request
from gateway.replies.accept import Reply

_MAX_BODY = 64 * 1024

M = TypeVar("M", bound=BaseModel)


async def parse_body(request: web.Request, model: type[M]) -> M:
    """Return the body of a call. Raise Problem if it is not what `model` describes."""
    try:
        return model.model_validate_json(await read_body(request, _MAX_BODY))
    except BodyTooLarge:
        detail = f"the body is larger than {_MAX_BODY} bytes"
        raise Problem(413, "Content too large", detail) from None
    except BodyIncomplete:
        bad_request("the body is incomplete")
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        # For a text, an unknown field says more about what the caller intended than a missing one.
        unknown = [error for error in errors if error["type"] == "extra_forbidden"]
        if model is Reply and unknown:
            reject_all_but_text(_field_path(unknown[0]))
        bad_request(f"{_field_path(errors[0])}: {errors[0]['msg']}")


def _field_path(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "body"


def reject_all_but_text(what: str) -> NoReturn:
    """Refuse a call that tries to send more than text to a consumer."""
    detail = (
        f"{what} is not accepted: only text can be sent to consumers, no photos, videos or files"
    )
    raise Problem(422, "Unprocessable", detail, reason="only_text") from None


def query_text(request: web.Request, name: str) -> str | None:
    """Return a parameter; one without a value counts as left out, as forms and templates send it."""
    return request.query.get(name) or None


def query_integer(request: web.Request, name: str, default: int) -> int:
    """Return a whole number from the query."""
    value = query_text(request, name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        bad_request(f"the query parameter {name} must be a whole number")
    return int(value)


def json_response(value: Any, status: Literal[200, 202] = 200) -> web.Response:
    """Return an answer in JSON."""
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
