"""Signing in and out: a form that works without scripts, one answer for every mistake, a limit on guesses."""

import asyncio
import hmac
import html
import logging
import math
import re
import secrets
import sqlite3
from functools import partial
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl

from aiohttp import web

from workspace.auth import sessions
from workspace.auth.accounts import everybody, password_of
from workspace.auth.passwords import NOBODY, fits
from workspace.http.access import cookie_name, demo_people, from_elsewhere, viewer_at
from workspace.http.client_address import address_of
from workspace.http.context import Workspace, agent_of, workspace_of
from workspace.http.responses import bounded
from workspace.store import audit_log
from workspace.timestamps import now

_TEMPLATES = Path(__file__).parent.parent / "templates"
_PAGE = Template((_TEMPLATES / "sign-in.html").read_text("utf-8"))
_FIELDS = (_TEMPLATES / "sign-in-fields.html").read_text("utf-8")

#: Where somebody may go on to after signing in: places of ours, never an address somebody else chose.
_ONWARD = re.compile(r"|\?conversation=[\w%.-]{1,200}|audit|operations")

#: Ties the form to the browser that asked for it, before there is a session.
_FORM_COOKIE = "airlock_form"

_LARGEST_FORM = 10_000

_log = logging.getLogger(__name__)


async def show_form(request: web.Request) -> web.Response:
    if await viewer_at(request) is not None:
        raise web.HTTPSeeOther(_home(request))
    return await _form(request, onward=request.query.get("next", ""))


async def take_form(request: web.Request) -> web.Response:
    workspace = workspace_of(request)
    form = await _fields(request)
    onward = form.get("next", "")
    given = form.get("csrf", "").encode()
    expected = request.cookies.get(_FORM_COOKIE, "").encode("utf-8", "surrogatepass")
    if from_elsewhere(request) or not expected or not hmac.compare_digest(given, expected):
        return await _form(request, onward, "The form was too old. Please try again.", status=403)
    name = form.get("name", "").strip()[:100]
    if name in demo_people(workspace.settings):
        return await _welcome(request, name, onward)
    address = address_of(request)
    wait = workspace.attempts.wait(name, address)
    if wait:
        minutes = math.ceil(wait / 60)
        sentence = f"Too many attempts. Please wait {minutes} minute{'s' if minutes > 1 else ''}."
        return await _form(request, onward, sentence, status=429, wait=math.ceil(wait))
    # Counted before the password is looked at: many guesses at once are many guesses.
    workspace.attempts.failed(name, address)
    if not await _right(workspace, name, form.get("password", "")):
        _log.warning("a sign-in failed from %s", address)
        return await _form(request, onward, "Name or password is wrong.", status=401)
    workspace.attempts.succeeded(name, address)
    return await _welcome(request, name, onward)


async def sign_out(request: web.Request) -> web.Response:
    workspace, agent = workspace_of(request), agent_of(request)
    name = cookie_name(workspace.settings)
    token = request.cookies[name]

    def change(db: sqlite3.Connection) -> None:
        sessions.end(db, token)
        audit_log.note(db, now(), agent, "signed out")

    await workspace.database.write(change)
    response = web.Response(status=204)
    response.del_cookie(name, path=_home(request))
    return response


async def begin_session(request: web.Request, response: web.StreamResponse, agent: str) -> None:
    """Give the browser a session of its own; one it had before ends, and no token is ever used twice."""
    workspace = workspace_of(request)
    name = cookie_name(workspace.settings)
    before = request.cookies.get(name)

    def change(db: sqlite3.Connection) -> str:
        if before:
            sessions.end(db, before)
        audit_log.note(db, now(), agent, "signed in")
        return sessions.begin(db, agent, now())

    response.set_cookie(
        name,
        await workspace.database.write(change),
        path=_home(request),
        max_age=sessions.LONGEST_MILLISECONDS // 1000,
        httponly=True,
        samesite="Lax",
        secure=workspace.settings.secure,
    )


async def _right(workspace: Workspace, name: str, password: str) -> bool:
    kept = await workspace.database.read(partial(password_of, name=name))
    async with workspace.checking_passwords:
        fitting = await asyncio.to_thread(fits, password[:1000], kept or NOBODY)
    return fitting and kept is not None


async def _welcome(request: web.Request, agent: str, onward: str) -> web.Response:
    place = onward if _ONWARD.fullmatch(onward) else ""
    response = web.Response(status=303, headers={"Location": _home(request) + place})
    await begin_session(request, response, agent)
    response.del_cookie(_FORM_COOKIE, path=_home(request))
    return response


async def _form(
    request: web.Request, onward: str, trouble: str = "", *, status: int = 200, wait: int = 0
) -> web.Response:
    workspace = workspace_of(request)
    token = secrets.token_urlsafe(24)
    page = _PAGE.substitute(
        name=html.escape(workspace.settings.name),
        csrf=token,
        next=html.escape(onward if _ONWARD.fullmatch(onward) else ""),
        trouble=f'<p class="form-trouble" role="alert">{html.escape(trouble)}</p>'
        if trouble
        else "",
        fields=_people(workspace) or _FIELDS,
        hint=await _hint(workspace),
    )
    response = web.Response(text=page, content_type="text/html", status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    response.set_cookie(
        _FORM_COOKIE,
        token,
        path=_home(request),
        max_age=3600,
        httponly=True,
        samesite="Strict",
        secure=workspace.settings.secure,
    )
    return response


def _people(workspace: Workspace) -> str:
    """In the demo one click is enough."""
    buttons = (
        f'<button class="button" name="name" value="{html.escape(name)}">'
        f"Continue as {html.escape(name)}</button>"
        for name in demo_people(workspace.settings)
    )
    return "".join(buttons)


async def _hint(workspace: Workspace) -> str:
    accounts = await workspace.database.read(everybody)
    if accounts or workspace.settings.demo:
        return ""
    command = html.escape(workspace.settings.account_command)
    return (
        f'<p class="form-hint">There are no accounts yet. Make one with <code>{command}</code></p>'
    )


async def _fields(request: web.Request) -> dict[str, str]:
    """The form as a browser sends it; bounded, and nothing but text."""
    body = await bounded(request, _LARGEST_FORM)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))
    except ValueError:
        raise web.HTTPBadRequest from None


def _home(request: web.Request) -> str:
    return str(request.app.router["page"].url_for())
