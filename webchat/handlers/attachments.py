"""`GET /v1/attachments/{id}/{rendition}`: a consumer's own file, sanitized. The gateway records each view."""

import hmac
from functools import partial
from urllib.parse import quote

import aiohttp
from aiohttp import web

from webchat.http.bodies import json_response
from webchat.http.context import Chat, caller_of, chat_of
from webchat.http.problems import Problem, not_found
from webchat.store import outcomes
from webchat.store.outcomes import Shown

#: Headers that are passed to the gateway, and back to the client, where files are passed through.
_ASKED = ("Range", "If-Range", "If-None-Match")
_ANSWERED = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag")
_CHUNK = 64 * 1024
#: Seconds for which an address of our own works.
_LIFETIME = 300


async def show(request: web.Request) -> web.StreamResponse:
    """Send the client to the gateway's link, or pass the file through where `media: proxy` is set."""
    chat, rendition = chat_of(request), request.match_info["rendition"]
    query = partial(
        outcomes.find, consumer=caller_of(request).consumer, id=request.match_info["id"]
    )
    shown = await chat.database.read(query)
    if shown is None or shown.grant is None or rendition not in shown.renditions:
        not_found("file")
    # For frames without cookies: an <img> cannot carry their token.
    wants_address = request.headers.get("Accept") == "application/json"
    if chat.settings.media == "proxy" and wants_address:
        return json_response({"url": _own_address(chat, request.match_info["id"], rendition)})
    url = await _link(chat, shown, rendition)
    if chat.settings.media == "proxy":
        return await _pass_through(request, url)
    if wants_address:
        return json_response({"url": url})
    return web.Response(status=302, headers={"Location": url})


async def show_by_address(request: web.Request) -> web.StreamResponse:
    """Pass a file through to a client that has its signed address, for some minutes."""
    chat, rendition = chat_of(request), request.match_info["rendition"]
    id, expires = request.match_info["id"], request.query.get("expires", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise Problem(403, "expired", "this address is not valid")
    given = request.query.get("signature", "").encode("utf-8", "surrogatepass")
    genuine = hmac.compare_digest(_signature(chat, id, rendition, int(expires)).encode(), given)
    if not genuine or chat.clock() // 1000 > int(expires):
        raise Problem(403, "expired", "this address is not valid, or not any more")
    shown = await chat.database.read(partial(outcomes.find, consumer=None, id=id))
    if shown is None or shown.grant is None or rendition not in shown.renditions:
        not_found("file")
    return await _pass_through(request, await _link(chat, shown, rendition))


def _own_address(chat: Chat, id: str, rendition: str) -> str:
    expires = chat.clock() // 1000 + _LIFETIME
    signature = _signature(chat, id, rendition, expires)
    return f"/v1/media/{id}/{quote(rendition)}?expires={expires}&signature={signature}"


def _signature(chat: Chat, id: str, rendition: str, expires: int) -> str:
    text = f"media {id} {rendition} {expires}".encode("utf-8", "surrogatepass")
    return hmac.digest(chat.key, text, "sha256").hex()


async def _link(chat: Chat, shown: Shown, rendition: str) -> str:
    assert shown.grant is not None
    answer = await chat.gateway.link(shown.grant, rendition)
    content = answer.content() if answer.taken else None
    match content:
        case {"url": str(url)}:
            return url
    if answer.status in {403, 404, 410}:
        # The gateway has erased it, or its time is over.
        raise Problem(410, "expired", "this file has been deleted")
    raise Problem(502, "unreachable", "the gateway made no link; try again later")


async def _pass_through(request: web.Request, url: str) -> web.StreamResponse:
    asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
    try:
        async with chat_of(request).gateway.open_file(url, asked) as source:
            return await _copy(request, source)
    except (aiohttp.ClientError, TimeoutError):
        raise Problem(502, "unreachable", "the file could not be fetched; try again") from None


async def _copy(request: web.Request, source: aiohttp.ClientResponse) -> web.StreamResponse:
    if source.status not in {200, 206, 304, 416}:
        raise Problem(410, "expired", "this file has been deleted")
    headers = {name: source.headers[name] for name in _ANSWERED if name in source.headers}
    response = web.StreamResponse(status=source.status, headers=headers)
    await response.prepare(request)
    async for chunk in source.content.iter_chunked(_CHUNK):
        await response.write(chunk)
    return response
