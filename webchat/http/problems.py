"""Refusals: problem details (RFC 9457) with a `code` for which the page and apps have words."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal, NoReturn, get_args

import orjson
from aiohttp import web

#: Every code, by which clients decide what to do and what to show.
Code = Literal[
    "bad_request",
    "busy",
    "expired",
    "identity_invalid",
    "identity_required",
    "length_differs",
    "no_room",
    "not_found",
    "offset_differs",
    "other_content",
    "part_too_large",
    "server_error",
    "session_required",
    "text_too_long",
    "too_large",
    "too_many",
    "unreachable",
    "unsupported_type",
    "upload_incomplete",
    "uploads_off",
    "work_wanted",
    "wrong_origin",
]
CODES: tuple[Code, ...] = get_args(Code)


class Problem(Exception):
    """A refusal. `detail` is for developers and holds nothing that a consumer wrote; `more` are further members."""

    def __init__(
        self,
        status: int,
        code: Code,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = headers or {}, more

    def response(self) -> web.Response:
        content = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.more,
        }
        return web.Response(
            body=orjson.dumps(content),
            status=self.status,
            headers=self.headers,
            content_type="application/problem+json",
        )


def too_many(what: str, seconds: int) -> Problem:
    """A limit that is free again after some seconds."""
    return Problem(
        429,
        "too_many",
        f"{what}; wait {seconds} s",
        headers={"Retry-After": str(seconds)},
        retry_after=seconds,
    )


def not_found(what: str) -> NoReturn:
    raise Problem(404, "not_found", f"no {what} has this address")


def bad_request(detail: str) -> NoReturn:
    raise Problem(400, "bad_request", detail)
