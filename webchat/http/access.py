"""Access control: the session of a consumer, the token of the gateway, and the origin of a browser's request.

A browser sends the session as a cookie, so what it changes must come from a page of our own origin. An app sends it as
a bearer token, which no other page can make it send.
"""

import hmac
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from webchat.store import sessions

from .context import CALLER, chat_of
from .problems import Problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "__Host-chat"
#: The consumer whose conversation a page shows.
_SHOWN = "X-Consumer"
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_SESSION_SECONDS = sessions.IDLE_MS // 1000


def for_consumers(handler: Handler) -> Handler:
    """Wrap a handler: 401 without a session, 403 for a change that another origin's page asks for."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if request.method not in _SAFE_METHODS:
            require_own_origin(request)
        request[CALLER] = caller = await require_session(request)
        if request.headers.get(_SHOWN, caller.consumer) != caller.consumer:
            # Another tab has signed somebody else in. What this one shows and sends is not theirs.
            raise Problem(401, "session_required", "the session belongs to another consumer")
        return await handler(request)

    return guarded


def for_gateway(handler: Handler) -> Handler:
    """Wrap a handler that the gateway calls: 401 without one of the access tokens."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        given = (_bearer(request) or "").encode("utf-8", "surrogatepass")
        tokens = chat_of(request).settings.access_tokens
        # All are compared, so the time taken does not reveal which one.
        if not any([hmac.compare_digest(token.encode(), given) for token in tokens]):  # noqa: C419
            raise Problem(401, "session_required", "the access token is missing or wrong")
        return await handler(request)

    return guarded


async def require_session(request: web.Request) -> sessions.Caller:
    caller = await find_session(request)
    if caller is None:
        raise Problem(401, "session_required", "begin a session first: POST /v1/sessions")
    return caller


async def find_session(request: web.Request) -> sessions.Caller | None:
    """Return whose session the request carries, or None. Keeps the session from expiring."""
    chat, token = chat_of(request), session_token(request)
    if not token:
        return None
    now = chat.clock()
    caller = await chat.database.read(partial(sessions.find, token=token, now=now))
    # A site may have left the settings.
    if caller is None or caller.site not in chat.settings.sites:
        return None
    if caller.needs_touch(now):
        await chat.database.write(partial(sessions.touch, token=token, now=now))
    return caller


def session_token(request: web.Request) -> str | None:
    """Return the token of a bearer header, or of the cookie if the request has none."""
    return _bearer(request) or request.cookies.get(COOKIE)


def require_own_origin(request: web.Request) -> None:
    """Refuse a browser's request that another origin's page makes. A bearer token needs no such proof."""
    if _bearer(request) is not None:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site != "same-origin":
            raise Problem(403, "wrong_origin", "only the chat's own page may do this")
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin != chat_of(request).settings.origin:
            raise Problem(403, "wrong_origin", "only the chat's own page may do this")
        return
    # Neither header: no browser of the last years, unless it sends a cookie.
    if COOKIE in request.cookies:
        raise Problem(403, "wrong_origin", "send the session as a bearer token, or an Origin")


def set_cookie(response: web.StreamResponse, token: str) -> None:
    # aiohttp's own method knows `Partitioned` only from Python 3.14 on.
    response.headers.add(
        "Set-Cookie", f"{COOKIE}={token}; {_ATTRIBUTES}; Max-Age={_SESSION_SECONDS}"
    )


def clear_cookie(response: web.StreamResponse) -> None:
    response.headers.add("Set-Cookie", f"{COOKIE}=; {_ATTRIBUTES}; Max-Age=0")


#: `Partitioned` lets the cookie live inside a frame on another site, separately for each such site.
_ATTRIBUTES = "Path=/; HttpOnly; Secure; SameSite=None; Partitioned"


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
