"""The pages themselves: static shells, filled by their scripts."""

from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from workspace.http.access import page, viewer_at
from workspace.http.context import workspace_of

from .sign_in import begin_session

_HERE = Path(__file__).parent.parent
STATIC = _HERE / "static"
_SHELLS = _HERE / "templates"

#: In the demo whoever opens the page is signed in. Only on this machine: a stranger's site whose name points
#: to 127.0.0.1 would otherwise read along.
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


async def home(request: web.Request) -> web.StreamResponse:
    """The conversations; operators, who have none, see the operators' page."""
    workspace = workspace_of(request)
    if workspace.settings.demo and _here(request) and await viewer_at(request) is None:
        response = _shell("workspace")
        await begin_session(request, response, workspace.settings.agent)
        return response
    return await page(None, _home)(request)


async def audit(_request: web.Request) -> web.Response:
    return _shell("audit")


async def operations(_request: web.Request) -> web.Response:
    return _shell("operations")


async def add_slash(request: web.Request) -> web.Response:
    """Links are relative to the mount, so its address must end in a slash."""
    raise web.HTTPMovedPermanently(request.rel_url.with_path(request.path + "/", keep_query=True))


async def _home(request: web.Request) -> web.Response:
    viewer = await viewer_at(request)
    if viewer is not None and not viewer.may("talk"):
        raise web.HTTPSeeOther(f"{request.app.router['page'].url_for()}operations")
    return _shell("workspace")


def _shell(name: str) -> web.Response:
    text = (_SHELLS / f"{name}.html").read_text("utf-8")
    return web.Response(text=text, content_type="text/html")


def _here(request: web.Request) -> bool:
    host = urlsplit(f"//{request.host}").hostname or ""
    return host in _THIS_MACHINE or host.endswith(".localhost")
