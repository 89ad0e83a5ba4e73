"""Originals for the gateway, and for nobody else: a look-up with its token, then a signed address for some minutes."""

import base64
import hmac
from functools import partial

from aiohttp import web

from webchat.http.bodies import json_response
from webchat.http.context import Chat, chat_of
from webchat.http.problems import Problem, not_found
from webchat.settings import origin
from webchat.store import uploads
from webchat.store.uploads import Upload
from webchat.timestamps import rfc3339

#: Seconds for which an address works. The gateway asks for a new one at each attempt.
_LIFETIME = 300


async def look_up(request: web.Request) -> web.Response:
    """Return where a file is, and what it must be."""
    chat, upload = chat_of(request), await _claimed(request)
    expires = chat.clock() // 1000 + _LIFETIME
    query = f"expires={expires}&signature={_signature(chat, upload.file, expires)}"
    return json_response(
        {
            "url": f"{_own_origin(request)}/platform/v1/files/{upload.file}?{query}",
            "bytes": upload.length,
            "sha256": upload.sha256,
            "media_type": upload.media_type,
            "expires_at": rfc3339(expires * 1000),
        }
    )


async def download(request: web.Request) -> web.StreamResponse:
    """Serve an original by its signed address, with ranges."""
    chat = chat_of(request)
    expires = request.query.get("expires", "")
    file = request.match_info["file"]
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise Problem(403, "expired", "this address is not valid")
    genuine = _signature(chat, file, int(expires)).encode()
    given = request.query.get("signature", "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(genuine, given) or chat.clock() // 1000 > int(expires):
        raise Problem(403, "expired", "this address is not valid, or not any more")
    await _claimed(request)
    path = chat.files.path(file)
    if not path.is_file():
        not_found("file")
    return web.FileResponse(
        path,
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment",
        },
    )


async def _claimed(request: web.Request) -> Upload:
    """Return an upload that a message has; 404 for one that nobody sent, or whose outcome is final."""
    query = partial(uploads.find_file, file=request.match_info["file"])
    upload = await chat_of(request).database.read(query)
    if upload is None or upload.state != "claimed":
        not_found("file")
    return upload


def _own_origin(request: web.Request) -> str:
    """Return the origin by which the gateway called: it may reach us by another address than browsers do."""
    settings = chat_of(request).settings
    called = f"{request.scheme}://{request.host}"
    # A proxy that terminates TLS calls us over plain http with the public host.
    if settings.origin.partition("://")[2] == request.host:
        return settings.origin
    try:
        return origin(called)
    except ValueError:
        return settings.origin


def _signature(chat: Chat, file: str, expires: int) -> str:
    digest = hmac.digest(chat.key, f"original {file} {expires}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
