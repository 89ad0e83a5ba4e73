"""The workspace as an aiohttp application, to be mounted below any path or to stand alone."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from workspace.gateway.channels import Channels
from workspace.gateway.client import GatewayClient
from workspace.gateway.link_cache import LinkCache
from workspace.gateway.signatures import key
from workspace.handlers import (
    actions,
    audit,
    conversations,
    erasure,
    events,
    live_updates,
    media,
    operations,
    pages,
    replies,
    sign_in,
)
from workspace.http import security_headers
from workspace.http.access import call, page
from workspace.http.context import WORKSPACE, Workspace
from workspace.settings import WorkspaceSettings
from workspace.store.assignment import tell_gateway
from workspace.store.change_signal import ChangeSignal
from workspace.store.database import Database
from workspace.store.retention import keep_forgetting


def create_app(settings: WorkspaceSettings) -> web.Application:
    """The application, to run or to mount with `add_subapp("/workspace/", …)`.

    Raises ValueError where a setting cannot work.
    """
    app = web.Application(middlewares=[security_headers.answer_in_words])
    app[WORKSPACE] = _workspace(settings)
    app.on_response_prepare.append(security_headers.add_headers)
    app.cleanup_ctx.append(_opened)
    app.on_shutdown.append(_end_streams)
    app.add_routes(ROUTES)
    app.router.add_static("/static/", pages.STATIC)
    return app


def _workspace(settings: WorkspaceSettings) -> Workspace:
    if not settings.secrets:
        raise ValueError("the workspace needs at least one signing secret (core.secrets)")
    updates = ChangeSignal()
    database = Database(settings.database, updates.announce)
    gateway = GatewayClient(settings.gateway_url, settings.api_token)
    return Workspace(
        settings=settings,
        secrets=tuple(key(secret) for secret in settings.secrets),
        database=database,
        gateway=gateway,
        updates=updates,
        links=LinkCache(gateway, partial(tell_gateway, database, gateway)),
        channels=Channels(gateway),
    )


async def _opened(app: web.Application) -> AsyncIterator[None]:
    workspace = app[WORKSPACE]
    workspace.database.open()
    await workspace.gateway.open()
    await workspace.database.write(replies.settle_interrupted)
    settings = workspace.settings
    forgetting = keep_forgetting(
        workspace.database, settings.text_retention, settings.trail_retention
    )
    workspace.background_tasks.add(asyncio.create_task(forgetting))
    yield
    for task in workspace.background_tasks:
        task.cancel()
    await asyncio.gather(*workspace.background_tasks, return_exceptions=True)
    await workspace.gateway.close()
    await workspace.database.close()


async def _end_streams(app: web.Application) -> None:
    app[WORKSPACE].updates.close()


_CONVERSATION = "/api/conversations/{conversation}"
_ATTACHMENT = "/attachments/{attachment}"

ROUTES = (
    web.post("/events", events.take_event),
    web.get("/", pages.home, name="page"),
    web.get("", pages.add_slash),
    web.get("/audit", page("oversee", pages.audit)),
    web.get("/operations", page("operate", pages.operations)),
    web.get("/sign-in", sign_in.show_form),
    web.post("/sign-in", sign_in.take_form),
    web.post("/sign-out", call(None, sign_in.sign_out)),
    web.get("/api/me", call(None, conversations.me)),
    web.get("/api/conversations", call("talk", conversations.list_conversations)),
    web.get(_CONVERSATION + "/lines", call("talk", conversations.list_lines)),
    web.post(_CONVERSATION + "/opened", call("talk", actions.open_conversation)),
    web.post(_CONVERSATION + "/read", call("talk", actions.mark_read)),
    web.post(_CONVERSATION + "/agents", call("talk", actions.change_assignment)),
    web.post(_CONVERSATION + "/messages", call("talk", replies.send_reply)),
    web.post(_CONVERSATION + "/typing", call("talk", actions.show_typing)),
    web.post(_CONVERSATION + "/erase", call("oversee", erasure.erase_conversation)),
    web.get("/updates", call("talk", live_updates.stream)),
    web.get(_ATTACHMENT + "/download", call("talk", media.download)),
    web.get(_ATTACHMENT + "/progress", call("talk", media.show_progress)),
    web.get(_ATTACHMENT + "/{rendition}", call("talk", media.show_rendition)),
    web.post(_ATTACHMENT + "/retry", call("talk", media.retry)),
    web.get("/api/audit", call("oversee", audit.list_audit)),
    web.get("/api/operations", call("operate", operations.show_operations)),
    web.post("/api/failures/{failure}/retry", call("operate", operations.retry_failure)),
)
