"""HTTP errors as RFC 9457 problem details; each names the subject, the cause and the remedy."""

from collections.abc import Mapping
from typing import Any, NoReturn

import orjson
from aiohttp import web


class Problem(Exception):
    """An error response. `detail` must not contain secrets; `reason` is a machine-readable word."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        reason: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.reason = status, title, detail, reason
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.reason is not None:
            body["reason"] = self.reason
        return web.Response(
            status=self.status,
            body=orjson.dumps(body),
            content_type="application/problem+json",
            headers=self.headers,
        )


def no_such_path(path: str) -> Problem:
    return Problem(404, "Not found", f"there is nothing at {path[:200]!r}")


def not_found(what: str, id: str) -> NoReturn:
    raise Problem(404, "Not found", f"there is no {what} {id[:80]!r}")


def bad_request(detail: str) -> NoReturn:
    raise Problem(400, "Bad request", detail)


def unavailable(detail: str) -> NoReturn:
    raise Problem(503, "Unavailable", detail, {"retry-after": "2"})
