"""The workspace as an aiohttp application, to be mounted below any path or to stand alone."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from aiohttp import web

from workspace import guard, intake, media, reading, stream
from workspace.assignment import tell_gateway
from workspace.database import Database
from workspace.keys import WORKSPACE, Workspace
from workspace.links import LinkShelf
from workspace.settings import WorkspaceSettings
from workspace.signatures import key
from workspace.updates import Updates
from workspace.upstream import Upstream

_HERE = Path(__file__).parent


def create_app(settings: WorkspaceSettings) -> web.Application:
    """The application, to run or to mount with `add_subapp("/workspace/", …)`.

    Raises ValueError where a setting cannot work.
    """
    app = web.Application(middlewares=[guard.answer_in_words, guard.know_the_agent])
    app[WORKSPACE] = _workspace(settings)
    app.on_response_prepare.append(guard.add_headers)
    app.cleanup_ctx.append(_opened)
    app.on_shutdown.append(_end_streams)
    app.add_routes(_ROUTES)
    app.router.add_static("/static/", _HERE / "static")
    return app


def _workspace(settings: WorkspaceSettings) -> Workspace:
    if not settings.secrets:
        raise ValueError("the workspace needs at least one signing secret (core.secrets)")
    updates = Updates()
    database = Database(settings.database, updates.announce)
    upstream = Upstream(settings.gateway_url, settings.api_token)
    return Workspace(
        settings=settings,
        secrets=tuple(key(secret) for secret in settings.secrets),
        database=database,
        upstream=upstream,
        updates=updates,
        links=LinkShelf(upstream, partial(tell_gateway, database, upstream)),
    )


async def _opened(app: web.Application) -> AsyncIterator[None]:
    workspace = app[WORKSPACE]
    workspace.database.open()
    await workspace.upstream.open()
    yield
    await workspace.upstream.close()
    await workspace.database.close()


async def _end_streams(app: web.Application) -> None:
    app[WORKSPACE].updates.close()


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(_HERE / "pages" / "workspace.html")


async def _add_slash(request: web.Request) -> web.Response:
    """Links are relative to the mount, so its address must end in a slash."""
    raise web.HTTPMovedPermanently(request.rel_url.with_path(request.path + "/"))


_ROUTES = (
    web.get("", _add_slash),
    web.get("/", _page),
    web.post("/events", intake.take_event),
    web.get("/updates", stream.stream),
    web.get("/api/me", reading.me),
    web.get("/api/conversations", reading.list_conversations),
    web.post("/api/conversations/{conversation}/opened", reading.open_conversation),
    web.get("/api/conversations/{conversation}/lines", reading.list_lines),
    web.post("/api/conversations/{conversation}/read", reading.mark_read),
    web.get("/attachments/{attachment}/{rendition}", media.show_rendition),
)
