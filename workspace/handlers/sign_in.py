"""Sign-in and sign-out, with a form that works without scripts, one error for every mistake, and a login throttle."""

import asyncio
import hmac
import html
import logging
import math
import re
import secrets
import sqlite3
from functools import partial
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from workspace.auth import sessions
from workspace.auth.accounts import find_password_hash, list_accounts
from workspace.auth.passwords import DUMMY_HASH, verify_password
from workspace.http.access import cookie_name, demo_accounts, find_viewer, is_cross_site
from workspace.http.client_address import client_address
from workspace.http.context import Workspace, agent_of, workspace_of
from workspace.http.language import remember_language
from workspace.http.responses import read_body
from workspace.http.templates import render
from workspace.store import audit_log
from workspace.text.language import LANGUAGES, current_language, say, say_count, use_language
from workspace.timestamps import now

#: Pages to which sign-in may redirect. They are all ours, so nobody can be sent to another site.
_ALLOWED_NEXT = re.compile(
    r"|\?conversation=[\w%.-]{1,200}(&attachment=[\w%.-]{1,200})?|audit|operations|media(\?conversation=[\w%.-]{1,200})?"
)

#: Binds the form to the browser that requested it, before a session exists.
_FORM_COOKIE = "airlock_form"

_LARGEST_FORM = 10_000

_log = logging.getLogger(__name__)


async def show_form(request: web.Request) -> web.Response:
    next_page = request.query.get("next", "")
    if await find_viewer(request) is not None:
        raise web.HTTPSeeOther(_home_path(request) + _checked(next_page))
    language = request.query.get("language", "")
    if language not in LANGUAGES:
        return await _render_form(request, next_page)
    use_language(language)
    response = await _render_form(request, next_page)
    remember_language(request, response, language)
    return response


async def submit_form(request: web.Request) -> web.Response:
    workspace = workspace_of(request)
    form = await _read_form(request)
    next_page = form.get("next", "")
    token = form.get("csrf", "").encode()
    expected = request.cookies.get(_FORM_COOKIE, "").encode("utf-8", "surrogatepass")
    if is_cross_site(request) or not expected or not hmac.compare_digest(token, expected):
        return await _render_form(request, next_page, say("sign_in.expired"), status=403)
    name = form.get("name", "").strip()[:100]
    if name in demo_accounts(workspace.settings):
        return await _sign_in(request, name, next_page)
    address = client_address(request)
    wait = workspace.login_throttle.seconds_to_wait(name, address)
    if wait:
        text = say_count("sign_in.wait", math.ceil(wait / 60))
        return await _render_form(request, next_page, text, status=429, wait=math.ceil(wait))
    # Counted before the password is checked, so that parallel guesses all count.
    workspace.login_throttle.record_failure(name, address)
    if not await _password_is_right(workspace, name, form.get("password", "")):
        _log.warning("sign_in_failed: %s", address)
        return await _render_form(request, next_page, say("sign_in.wrong"), status=401)
    workspace.login_throttle.record_success(name, address)
    return await _sign_in(request, name, next_page)


async def sign_out(request: web.Request) -> web.Response:
    workspace, agent = workspace_of(request), agent_of(request)
    name = cookie_name(workspace.settings)
    token = request.cookies[name]

    def change(db: sqlite3.Connection) -> None:
        sessions.end(db, token)
        audit_log.record(db, now(), agent, "signed out")

    await workspace.database.write(change)
    response = web.Response(status=204)
    response.del_cookie(name, path=_home_path(request))
    return response


async def start_session(request: web.Request, response: web.StreamResponse, agent: str) -> None:
    """Start a session for this browser and end the one it had before. Every session has a new token."""
    workspace = workspace_of(request)
    name = cookie_name(workspace.settings)
    before = request.cookies.get(name)

    def change(db: sqlite3.Connection) -> str:
        if before:
            sessions.end(db, before)
        audit_log.record(db, now(), agent, "signed in")
        return sessions.start(db, agent, now())

    response.set_cookie(
        name,
        await workspace.database.write(change),
        path=_home_path(request),
        max_age=sessions.MAX_AGE_MILLISECONDS // 1000,
        httponly=True,
        samesite="Lax",
        secure=workspace.settings.secure,
    )


async def _password_is_right(workspace: Workspace, name: str, password: str) -> bool:
    stored = await workspace.database.read(partial(find_password_hash, name=name))
    async with workspace.checking_passwords:
        matches = await asyncio.to_thread(verify_password, password[:1000], stored or DUMMY_HASH)
    return matches and stored is not None


async def _sign_in(request: web.Request, agent: str, next_page: str) -> web.Response:
    path = _home_path(request) + _checked(next_page)
    response = web.Response(status=303, headers={"Location": path})
    await start_session(request, response, agent)
    response.del_cookie(_FORM_COOKIE, path=_home_path(request))
    return response


def _checked(next_page: str) -> str:
    return next_page if _ALLOWED_NEXT.fullmatch(next_page) else ""


async def _render_form(
    request: web.Request, next_page: str, error: str = "", *, status: int = 200, wait: int = 0
) -> web.Response:
    workspace = workspace_of(request)
    token = secrets.token_urlsafe(24)
    name = workspace.settings.name
    page = render(
        "sign-in",
        name=html.escape(name),
        heading=html.escape(say("sign_in.to", name=name)),
        csrf=token,
        next=html.escape(_checked(next_page)),
        error=f'<p class="form-error" role="alert">{html.escape(error)}</p>' if error else "",
        fields=_demo_buttons(workspace) or render("sign-in-fields"),
        hint=await _first_account_hint(workspace),
        languages=_language_links(next_page),
    )
    response = web.Response(text=page, content_type="text/html", status=status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    response.set_cookie(
        _FORM_COOKIE,
        token,
        path=_home_path(request),
        max_age=3600,
        httponly=True,
        samesite="Strict",
        secure=workspace.settings.secure,
    )
    return response


def _demo_buttons(workspace: Workspace) -> str:
    """Return one button for each account of the demo, which needs no password."""
    buttons = (
        f'<button class="button" name="name" value="{html.escape(name)}">'
        f"{html.escape(say('sign_in.as', name=name))}</button>"
        for name in demo_accounts(workspace.settings)
    )
    return "".join(buttons)


async def _first_account_hint(workspace: Workspace) -> str:
    accounts = await workspace.database.read(list_accounts)
    if accounts or workspace.settings.demo:
        return ""
    command = f"<code>{html.escape(workspace.settings.account_command)}</code>"
    sentence, rest = html.escape(say("sign_in.first", command="\0")).split("\0")
    return f'<p class="form-hint">{sentence}{command}{rest}</p>'


def _language_links(next_page: str) -> str:
    """Return links to this form in the other languages, each in its own words."""
    return "".join(
        _language_link(code, next_page) for code in LANGUAGES if code != current_language()
    )


def _language_link(code: str, next_page: str) -> str:
    query = html.escape(urlencode({"language": code, "next": _checked(next_page)}))
    return f'<a href="sign-in?{query}" lang="{code}" hreflang="{code}">{LANGUAGES[code]}</a>'


async def _read_form(request: web.Request) -> dict[str, str]:
    """Return the fields of the form. The body is limited in size, and every value is text."""
    body = await read_body(request, _LARGEST_FORM)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))
    except ValueError:
        raise web.HTTPBadRequest from None


def _home_path(request: web.Request) -> str:
    return str(request.app.router["page"].url_for())
