"""The page, the loader and their files: all static. What a site may do is in the headers."""

from urllib.parse import quote

from aiohttp import web

from webchat.http import static_files
from webchat.http.context import chat_of
from webchat.http.problems import not_found
from webchat.http.security_headers import policy
from webchat.http.static_files import StaticFile, static_file
from webchat.settings import Site


async def chat(request: web.Request) -> web.StreamResponse:
    """Serve the chat's page, which only the site's own origins may frame."""
    settings, (name, site) = chat_of(request).settings, _site(request)
    ancestors = " ".join(("'self'", *site.origins))
    page = static_file("chat.html")
    if site.theme.css():
        page = _themed(page, name)
    return page.response(
        request,
        {
            "Content-Security-Policy": policy(settings.media_source, ancestors),
            "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
        },
    )


async def theme(request: web.Request) -> web.StreamResponse:
    """Serve the colours of a site."""
    _, site = _site(request)
    content = site.theme.css().encode()
    return static_files.prepare(content, ".css").response(request, {"Cache-Control": "no-cache"})


def _site(request: web.Request) -> tuple[str, Site]:
    name = request.query.get("site", "")
    site = chat_of(request).site(name)
    if site is None:
        not_found("site; see webchat.sites")
    return name, site


def _themed(page: StaticFile, site: str) -> StaticFile:
    link = f'<link rel="stylesheet" href="/theme.css?site={quote(site, safe="")}">\n</head>'
    content = page.content.replace(b"</head>", link.encode(), 1)
    return static_files.prepare(content, ".html")


async def loader(request: web.Request) -> web.StreamResponse:
    """Serve the script that the brand's pages include from here."""
    return static_file("loader.js").response(
        request,
        {
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )
