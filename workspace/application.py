"""The workspace as an aiohttp application, which runs alone or mounted below any path."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from workspace.gateway.channels import Channels
from workspace.gateway.client import GatewayClient
from workspace.gateway.link_cache import LinkCache
from workspace.gateway.signatures import decode_secret
from workspace.handlers import (
    actions,
    audit,
    conversations,
    erasure,
    events,
    language,
    live_updates,
    media,
    media_list,
    operations,
    pages,
    replies,
    sign_in,
)
from workspace.http import security_headers
from workspace.http.access import protect_api, protect_conversation, protect_page
from workspace.http.context import WORKSPACE, Workspace
from workspace.http.errors import explain_errors
from workspace.settings import WorkspaceSettings
from workspace.store import requested_erasures
from workspace.store.assignment import resend_assignment
from workspace.store.change_signal import ChangeSignal
from workspace.store.database import Database
from workspace.store.presence import Presence
from workspace.store.retention import run_retention


def create_app(settings: WorkspaceSettings) -> web.Application:
    """Return the application, to run alone or to mount with `add_subapp("/workspace/", …)`.

    Raises ValueError if a setting cannot work.
    """
    app = web.Application(middlewares=[explain_errors])
    app[WORKSPACE] = _workspace(settings)
    app.on_response_prepare.append(security_headers.add_headers)
    app.cleanup_ctx.append(_start_and_stop)
    app.on_shutdown.append(_close_streams)
    app.add_routes(PAGES if settings.pages_only else ROUTES)
    app.router.add_static("/static/", pages.STATIC)
    return app


def _workspace(settings: WorkspaceSettings) -> Workspace:
    if not settings.secrets:
        raise ValueError("the workspace needs at least one signing secret; add one to core.secrets")
    updates = ChangeSignal()
    database = Database(settings.database, updates.announce)
    gateway = GatewayClient(settings.gateway_url, settings.api_token)
    return Workspace(
        settings=settings,
        secrets=tuple(decode_secret(secret) for secret in settings.secrets),
        database=database,
        gateway=gateway,
        updates=updates,
        links=LinkCache(gateway, partial(resend_assignment, database, gateway)),
        channels=Channels(gateway),
        presence=Presence(updates.announce),
    )


async def _start_and_stop(app: web.Application) -> AsyncIterator[None]:
    workspace = app[WORKSPACE]
    workspace.database.open()
    await workspace.gateway.open()
    await workspace.database.write(replies.mark_interrupted_replies)
    settings = workspace.settings
    retention = run_retention(workspace.database, settings.text_retention, settings.trail_retention)
    erasures = requested_erasures.run(
        workspace.database, workspace.gateway, workspace.erasures_requested
    )
    workspace.background_tasks.update(asyncio.create_task(task) for task in (retention, erasures))
    yield
    for task in workspace.background_tasks:
        task.cancel()
    await asyncio.gather(*workspace.background_tasks, return_exceptions=True)
    await workspace.gateway.close()
    await workspace.database.close()


async def _close_streams(app: web.Application) -> None:
    app[WORKSPACE].updates.close()


_CONVERSATION = "/api/conversations/{conversation}"
_ATTACHMENT = "/attachments/{attachment}"

#: The pages for operators and supervisors, whatever the conversation core is.
PAGES = (
    web.get("/", pages.home, name="page"),
    web.get("", pages.add_slash),
    web.get("/audit", protect_page("oversee", pages.audit)),
    web.get("/operations", protect_page("operate", pages.operations)),
    web.get("/sign-in", sign_in.show_form),
    web.post("/sign-in", sign_in.submit_form),
    web.post("/sign-out", protect_api(None, sign_in.sign_out)),
    web.get("/api/me", protect_api(None, conversations.me)),
    web.post("/api/language", protect_api(None, language.change_language)),
    web.get("/api/audit.csv", protect_api("oversee", audit.export_audit)),
    web.get("/api/audit", protect_api("oversee", audit.list_audit)),
    web.get("/api/operations", protect_api("operate", operations.show_operations)),
    web.post("/api/failures/{failure}/retry", protect_api("operate", operations.retry_failure)),
)
ROUTES = (
    *PAGES,
    web.post("/events", events.receive_event),
    web.get("/api/conversations", protect_api("talk", conversations.list_conversations)),
    web.get(_CONVERSATION + "/lines", protect_conversation(conversations.list_lines)),
    web.get(_CONVERSATION + "/media", protect_conversation(media_list.list_conversation_media)),
    web.post(_CONVERSATION + "/opened", protect_conversation(actions.open_conversation)),
    web.post(_CONVERSATION + "/read", protect_conversation(actions.mark_read)),
    web.post(_CONVERSATION + "/agents", protect_conversation(actions.change_assignment)),
    web.post(_CONVERSATION + "/messages", protect_conversation(replies.send_reply)),
    web.post(_CONVERSATION + "/messages/{key}/again", protect_conversation(replies.resend_reply)),
    web.post(_CONVERSATION + "/typing", protect_conversation(actions.show_typing)),
    web.post(
        _CONVERSATION + "/presence",
        protect_conversation(actions.report_presence, is_activity=False),
    ),
    web.post(_CONVERSATION + "/erase", protect_api("oversee", erasure.erase_conversation)),
    web.get("/updates", protect_api("talk", live_updates.stream)),
    web.get(_ATTACHMENT + "/download", protect_api("talk", media.download)),
    web.get(_ATTACHMENT + "/original", protect_api("talk", media.download_original)),
    web.get(_ATTACHMENT + "/text", protect_api("talk", media.show_text)),
    web.get(_ATTACHMENT + "/shown", protect_api("talk", media.check_shown)),
    web.get(_ATTACHMENT + "/progress", protect_api("talk", media.show_progress)),
    web.get(_ATTACHMENT + "/{rendition}", protect_api("talk", media.show_rendition)),
    web.post(_ATTACHMENT + "/retry", protect_api("talk", media.retry)),
    web.get("/media", protect_page("talk", pages.media)),
    web.get("/api/media", protect_api("talk", media_list.list_all_media)),
)
