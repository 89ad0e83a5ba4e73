"""The page, the loader and their files: all static. What a site may do is in the headers."""

from aiohttp import web

from webchat.http.context import chat_of
from webchat.http.problems import not_found
from webchat.http.security_headers import policy
from webchat.http.static_files import static_file


async def chat(request: web.Request) -> web.StreamResponse:
    """Serve the chat's page, which only the site's own origins may frame."""
    settings = chat_of(request).settings
    site = settings.sites.get(request.query.get("site", ""))
    if site is None:
        not_found("site; see webchat.sites")
    ancestors = " ".join(("'self'", *site.origins))
    return static_file("chat.html").response(
        request,
        {
            "Content-Security-Policy": policy(settings.media_source, ancestors),
            "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
        },
    )


async def loader(request: web.Request) -> web.StreamResponse:
    """Serve the script that the brand's pages include from here."""
    return static_file("loader.js").response(
        request,
        {
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )
