"""Access control for every handler: session, permission and CSRF token.

Every request that changes something must return the session's own token and come from a page of our own origin.
"""

import hmac
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote

from aiohttp import web

from workspace.auth import sessions
from workspace.auth.accounts import find_roles
from workspace.auth.preferences import find_language
from workspace.roles import DEMO_COLLEAGUES, DEMO_ROLES, Permission, Viewer
from workspace.settings import WorkspaceSettings
from workspace.store.reading import is_readable
from workspace.text.language import LANGUAGES, use_language
from workspace.timestamps import now

from .context import VIEWER, scope_of, workspace_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SAFE_METHODS = frozenset({"GET", "HEAD"})


def protect_api(
    permission: Permission | None, handler: Handler, *, is_activity: bool = True
) -> Handler:
    """Wrap a handler that scripts call: 401 without a session, 403 without the permission.

    What a page sends by itself, without its agent, is not an activity that keeps the session from expiring.
    """

    async def guarded(request: web.Request) -> web.StreamResponse:
        viewer = await find_viewer(request, is_activity=is_activity)
        if viewer is None:
            raise web.HTTPUnauthorized
        _check_access(request, viewer, permission)
        request[VIEWER] = viewer
        return await handler(request)

    return guarded


def protect_conversation(handler: Handler, *, is_activity: bool = True) -> Handler:
    """Wrap a handler about one conversation: also 403 if the settings do not let the agent read it."""

    async def checked(request: web.Request) -> web.StreamResponse:
        scope, conversation = scope_of(request), request.match_info["conversation"]
        query = partial(is_readable, scope=scope, conversation=conversation)
        if not await workspace_of(request).database.read(query):
            raise web.HTTPForbidden(reason="error.another_agent")
        return await handler(request)

    return protect_api("talk", checked, is_activity=is_activity)


def protect_page(permission: Permission | None, handler: Handler) -> Handler:
    """Wrap a handler that serves a page: without a session, redirect to sign-in and back afterwards."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        viewer = await find_viewer(request)
        if viewer is None:
            home = str(request.app.router["page"].url_for())
            requested = request.rel_url.raw_path_qs.removeprefix(home)
            raise web.HTTPSeeOther(f"{home}sign-in?next={quote(requested, safe='')}")
        _check_access(request, viewer, permission)
        request[VIEWER] = viewer
        return await handler(request)

    return guarded


async def find_viewer(request: web.Request, *, is_activity: bool = True) -> Viewer | None:
    """Return the viewer whose session the cookie names, or None. An activity keeps the session from expiring."""
    workspace, at = workspace_of(request), now()
    found = await _find_session(request, at)
    if found is None:
        return None
    session, viewer = found
    if is_activity and session.needs_touch(at):
        token = request.cookies[cookie_name(workspace.settings)]
        await workspace.database.write(partial(sessions.touch, token=token, now=at))
    return viewer


async def still_allowed(request: web.Request, permission: Permission) -> bool:
    """Whether a long response may go on. An open page alone does not keep its session from expiring."""
    found = await _find_session(request, now())
    return found is not None and found[1].may(permission)


async def _find_session(request: web.Request, at: int) -> tuple[sessions.Session, Viewer] | None:
    workspace = workspace_of(request)
    token = request.cookies.get(cookie_name(workspace.settings))
    if not token:
        return None

    def query(db: sqlite3.Connection) -> tuple[sessions.Session, Viewer, str | None] | None:
        session = sessions.find(db, token, at)
        roles = session and _roles_of(db, workspace.settings, session.agent)
        if session is None or not roles:
            return None
        viewer = Viewer(session.agent, roles, session.csrf)
        return session, viewer, find_language(db, session.agent)

    found = await workspace.database.read(query)
    if found is None:
        return None
    session, viewer, language = found
    if language is not None and language in LANGUAGES:
        use_language(language)
    return session, viewer


def cookie_name(settings: WorkspaceSettings) -> str:
    # Browsers accept `__Secure-` cookies only over TLS.
    return "__Secure-airlock_session" if settings.secure else "airlock_session"


def is_cross_site(request: web.Request) -> bool:
    """Whether another site's page made the browser send this request. Old browsers do not send the header."""
    return request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}


def demo_accounts(settings: WorkspaceSettings) -> dict[str, tuple[str, ...]]:
    return {settings.agent: DEMO_ROLES, **DEMO_COLLEAGUES} if settings.demo else {}


def _roles_of(
    db: sqlite3.Connection, settings: WorkspaceSettings, agent: str
) -> tuple[str, ...] | None:
    return demo_accounts(settings).get(agent) or find_roles(db, agent)


def _check_access(request: web.Request, viewer: Viewer, permission: Permission | None) -> None:
    if permission is not None and not viewer.may(permission):
        raise web.HTTPForbidden(reason="error.permission")
    if request.method in _SAFE_METHODS:
        return
    token = request.headers.get("X-CSRF-Token", "").encode("utf-8", "surrogatepass")
    if is_cross_site(request) or not hmac.compare_digest(token, viewer.csrf.encode()):
        raise web.HTTPForbidden(reason="error.reload")
