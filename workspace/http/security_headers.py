"""Middleware for every response: security headers, and HTTP errors as JSON."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from .context import WORKSPACE
from .responses import error_response

_STATIC = Path(__file__).parents[1] / "static"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Pages load their own scripts and styles, and pictures and videos from the gateway, and nothing else. With trusted
#: types no script can turn a string into markup.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' {media}; media-src 'self' {media}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)

_HEADERS = {
    # Without it, aiohttp shows its version and Python's.
    "Server": "Airlock",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    source = request.app[WORKSPACE].settings.media_source
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(media=source)
    # Browsers may cache static files and revalidate them. Nothing that customers wrote may be cached.
    static = request.path.rpartition("/")[0].endswith("/static")
    response.headers.setdefault("Cache-Control", "no-cache" if static else "no-store")


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn HTTP errors into problem details with a sentence for the user."""
    try:
        response = await handler(request)
        # aiohttp notices a missing static file only while it sends the answer, and then sends an empty one.
        if isinstance(response, web.FileResponse) and not _exists(request):
            return error_response(404, _TEXTS_BY_STATUS[404])
        return response
    except web.RequestPayloadError:
        return error_response(400, _TEXTS_BY_STATUS[400])
    except web.HTTPError as exc:
        text = _TEXTS_BY_REASON.get((exc.status, exc.reason)) or _TEXTS_BY_STATUS.get(exc.status)
        response = error_response(exc.status, text or exc.reason)
        if "Allow" in exc.headers:
            response.headers["Allow"] = exc.headers["Allow"]
        return response


def _exists(request: web.Request) -> bool:
    name = request.match_info.get("filename")
    return name is None or (_STATIC / name).is_file()


_TEXTS_BY_STATUS = {
    400: "The request could not be read. Please reload the page and try again.",
    401: "Please sign in.",
    403: "Only assigned agents can see this.",
    404: "This could not be found. It may have been erased.",
    409: "This has changed in the meantime. Please reload the page.",
    410: "This is no longer stored.",
    413: "This is too large.",
    502: "The gateway's answer could not be used. Please try again later.",
    503: "The gateway cannot be reached right now. Please try again later.",
}

_TEXTS_BY_REASON = {
    (403, "Not allowed"): "Your account does not have permission to do this.",
    (
        403,
        "With another agent",
    ): "Another agent has this conversation. Only that agent and supervisors can read it.",
    (403, "Reload the page"): "This page is out of date. Please reload it.",
}
