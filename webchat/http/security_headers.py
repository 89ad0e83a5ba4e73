"""Middleware for every response: security headers, the request's id, and errors as problem details."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from aiohttp.http import HttpProcessingError

from .context import CHAT
from .problems import Code, Problem
from .request_ids import HEADER, request_id

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(), payment=(), usb=()",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "worker-src 'self'; img-src 'self' blob: {media}; media-src 'self' blob: {media}; "
    "form-action 'none'; base-uri 'none'; frame-ancestors {ancestors}"
)

_CODES: dict[int, Code] = {404: "not_found", 413: "too_large"}


def policy(media: str, ancestors: str) -> str:
    """Return the content security policy of a page that `ancestors` may frame."""
    return _POLICY.format(media=media, ancestors=ancestors)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    headers = response.headers
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers[HEADER] = request_id(request)
    # aiohttp adds its own, with its version and Python's.
    headers["Server"] = "Airlock"
    headers.setdefault(
        "Content-Security-Policy", policy(request.app[CHAT].settings.media_source, "'none'")
    )
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    # Files of the page may be cached and are revalidated. Nothing that consumers or agents wrote may be cached.
    static = request.path.startswith("/static/")
    headers.setdefault("Cache-Control", "no-cache" if static else "no-store")


@web.middleware
async def errors_as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals, aiohttp's own errors and unexpected ones into problem details."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except (web.RequestPayloadError, HttpProcessingError):
        return Problem(400, "bad_request", "the body is incomplete").response()
    except web.HTTPError as exc:
        response = _problem_of(exc).response()
        if "Allow" in exc.headers:
            response.headers["Allow"] = exc.headers["Allow"]
        return response
    except ConnectionError:
        raise
    except web.HTTPException:
        raise
    except Exception:  # noqa: BLE001 - any error must become a response
        _log.exception(
            "request %s failed: %s %s", request_id(request), request.method, _route(request)
        )
        return Problem(500, "server_error", "an unexpected error occurred; see the log").response()


def _problem_of(exc: web.HTTPError) -> Problem:
    phrase = HTTPStatus(exc.status).phrase
    return Problem(exc.status, _CODES.get(exc.status, "bad_request"), phrase.lower())


def _route(request: web.Request) -> str:
    """The pattern of the path: the path itself names messages and files."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "?"
