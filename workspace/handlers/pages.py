"""The HTML pages. They are static; their scripts load the content."""

from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from workspace.http.access import find_viewer, protect_page
from workspace.http.context import workspace_of
from workspace.http.templates import render

from .sign_in import start_session

STATIC = Path(__file__).parent.parent / "static"

#: The demo signs in every visitor, so it accepts only these host names. Otherwise a website whose name resolves to
#: 127.0.0.1 could read the page (DNS rebinding).
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


async def home(request: web.Request) -> web.StreamResponse:
    """Serve the conversations. Operators without conversations are sent to the operators' page."""
    workspace = workspace_of(request)
    if workspace.settings.demo and _is_local(request) and await find_viewer(request) is None:
        response = _render("workspace")
        await start_session(request, response, workspace.settings.agent)
        return response
    return await protect_page(None, _home)(request)


async def audit(_request: web.Request) -> web.Response:
    return _render("audit")


async def media(_request: web.Request) -> web.Response:
    return _render("media")


async def operations(_request: web.Request) -> web.Response:
    return _render("operations")


async def add_slash(request: web.Request) -> web.Response:
    """Redirect to the address with a slash, because links on the pages are relative to the mount."""
    raise web.HTTPMovedPermanently(request.rel_url.with_path(request.path + "/", keep_query=True))


async def _home(request: web.Request) -> web.Response:
    viewer = await find_viewer(request)
    here = request.app.router["page"].url_for()
    pages_only = workspace_of(request).settings.pages_only
    if viewer is not None and (pages_only or not viewer.may("talk")):
        if viewer.may("operate"):
            raise web.HTTPSeeOther(f"{here}operations")
        if not viewer.may("oversee"):
            raise web.HTTPForbidden(reason="error.permission")
        raise web.HTTPSeeOther(f"{here}audit")
    return _render("workspace")


def _render(name: str) -> web.Response:
    return web.Response(text=render(name), content_type="text/html")


def _is_local(request: web.Request) -> bool:
    host = urlsplit(f"//{request.host}").hostname or ""
    return host in _LOCAL_HOSTS or host.endswith(".localhost")
