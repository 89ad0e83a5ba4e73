"""Security headers of every response."""

from aiohttp import web

from .context import WORKSPACE
from .errors import BEGUN

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
    request[BEGUN] = True
    source = request.app[WORKSPACE].settings.media_source
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(media=source)
    # Browsers may cache static files and revalidate them. Nothing that customers wrote may be cached.
    static = request.path.rpartition("/")[0].endswith("/static")
    response.headers.setdefault("Cache-Control", "no-cache" if static else "no-store")
