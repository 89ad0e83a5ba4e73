"""`POST /v1/sessions` and `DELETE /v1/sessions`: begin, resume and end a session."""

from dataclasses import dataclass
from functools import partial

from aiohttp import web

from webchat.http.access import (
    clear_cookie,
    find_session,
    require_own_origin,
    set_cookie,
)
from webchat.http.bodies import empty_response, json_response, parse_body
from webchat.http.client_address import client_network
from webchat.http.context import Chat, caller_of, chat_of
from webchat.http.problems import Problem
from webchat.http.views import session_view
from webchat.identity import Identity, InvalidIdentity, verify_identity
from webchat.limits import admit_session
from webchat.settings import Site
from webchat.shapes import BeginSession, CodeView
from webchat.store import consumers, joining, sessions, tickets
from webchat.store.consumers import Consumer
from webchat.store.database import Connection


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a client asks for: `held` is the session that it has already, `resume` a ticket instead of one.

    `remembers`: the page around the frame keeps a ticket for the next time.
    """

    site: str
    kind: str
    network: str
    identity: Identity | None
    join: bool
    held: sessions.Caller | None
    resume: str | None
    remembers: bool


@dataclass(frozen=True, slots=True)
class _Begun:
    """The result; `token` is None if the session that the client has is the right one."""

    consumer: Consumer
    token: str | None
    resume: str | None = None


async def begin(request: web.Request) -> web.Response:
    """Begin a session, or resume the one that the client has."""
    require_own_origin(request)
    body = await parse_body(request, BeginSession)
    chat = chat_of(request)
    site = chat.site(body.site)
    if site is None:
        raise Problem(404, "not_found", "webchat.sites does not name this site")
    identity = _identity(chat, body, site)
    held = await find_session(request)
    if held is not None and held.site != body.site:
        held = None
    wish = _Wish(
        site=body.site,
        kind=body.kind,
        network=client_network(request),
        identity=identity,
        join=body.join,
        held=held,
        resume=body.resume,
        remembers=site.remember == "page" and body.kind == "frame" and body.carry == "header",
    )
    if held is None and not await _is_known(chat, wish):
        await admit_session(request, site.limits, wish.network, body.work)
    begun = await chat.database.write(partial(_begin, wish=wish, now=chat.clock()))
    if begun.token is not None and held is not None:
        # Other tabs of this browser show the consumer who was signed in until now.
        chat.signals.announce([held.consumer])
    view = session_view(chat, begun.consumer, site, body.language)
    if begun.token is not None and body.carry == "header":
        view["token"] = begun.token
    if begun.resume is not None:
        view["resume"] = begun.resume
    response = json_response(view, status=201)
    if begun.token is not None and body.carry == "cookie":
        set_cookie(response, begun.token)
    return response


async def end(request: web.Request) -> web.Response:
    """Sign out: the session ends, and the page forgets what it holds."""
    chat = chat_of(request)
    mark = caller_of(request).fingerprint
    await chat.database.write(partial(sessions.end, mark=mark))
    chat.signals.announce([caller_of(request).consumer])
    response = empty_response()
    clear_cookie(response)
    return response


async def make_code(request: web.Request) -> web.Response:
    """Give a frame a code by which a window of its own continues the conversation."""
    chat, caller = chat_of(request), caller_of(request)

    def change(db: Connection) -> str:
        return tickets.issue(db, "window", caller.consumer, caller.fingerprint, chat.clock())

    view: CodeView = {"code": await chat.database.write(change)}
    return json_response(view, status=201)


async def _is_known(chat: Chat, wish: _Wish) -> bool:
    """Whether a ticket continues a conversation, which needs no admission."""
    if wish.resume is None:
        return False
    find = partial(tickets.find, ticket=wish.resume, site=wish.site, now=chat.clock())
    return await chat.database.read(find) is not None


def _identity(chat: Chat, body: BeginSession, site: Site) -> Identity | None:
    if body.identity is None:
        if not site.anonymous:
            raise Problem(401, "identity_required", "this site accepts signed-in consumers only")
        return None
    try:
        return verify_identity(
            body.identity, site.identity_keys, audience=body.site, now=chat.clock() // 1000
        )
    except InvalidIdentity as exc:
        raise Problem(401, "identity_invalid", str(exc)) from None


def _begin(db: Connection, wish: _Wish, now: int) -> _Begun:
    held = consumers.find(db, wish.held.consumer) if wish.held else None
    resumed = tickets.use(db, wish.resume, wish.site, now) if wish.resume else None
    before = held if resumed is None else consumers.get(db, resumed)
    consumer = _consumer(db, wish, before, now)
    if wish.held and held and held.id == consumer.id:
        return _Begun(consumer, None)
    if wish.held:
        # Another person is signed in now; the token changes with them.
        sessions.end(db, wish.held.fingerprint)
    token = sessions.start(db, consumer.id, wish.kind, wish.network, now)
    if not wish.remembers:
        return _Begun(consumer, token)
    mark = sessions.fingerprint(token)
    return _Begun(consumer, token, tickets.issue(db, "page", consumer.id, mark, now))


def _consumer(db: Connection, wish: _Wish, held: Consumer | None, now: int) -> Consumer:
    identity = wish.identity
    if identity is None:
        return held or consumers.create(db, wish.site, None, None, now)
    known = consumers.find_subject(db, wish.site, identity.subject)
    anonymous = held if held is not None and not held.verified else None
    if wish.join and anonymous is not None:
        return joining.join(db, anonymous, known, identity.subject, identity.name, now)
    if known is None:
        return consumers.create(db, wish.site, identity.subject, identity.name, now)
    consumers.rename(db, known.id, identity.name)
    return consumers.get(db, known.id)
