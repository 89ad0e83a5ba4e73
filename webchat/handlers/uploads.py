"""Uploads of files in parts (IETF draft-ietf-httpbis-resumable-upload): create, ask for the offset, append, cancel."""

import errno
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import unquote

from aiohttp import web

from normalizer.file_type import recognise
from webchat.files import TooLong
from webchat.http.bodies import header_flag, header_number
from webchat.http.client_address import client_network
from webchat.http.context import Chat, caller_of, chat_of, site_of
from webchat.http.problems import Problem, bad_request, not_found
from webchat.http.views import PART_BYTES
from webchat.limits import count_upload, no_room
from webchat.settings import Site
from webchat.store import consumers, messages, uploads
from webchat.store.database import Connection
from webchat.store.uploads import Upload

#: Bytes after which the type of a file is certain.
_SNIFFED = 64 * 1024
_MAX_NAME = 200
#: Errors of a full disk.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_PART_TYPE = "application/partial-upload"


async def create(request: web.Request) -> web.Response:
    """Begin an empty upload under the client's own id; a repeat finds the same one."""
    chat, site = chat_of(request), site_of(request)
    length = header_number(request, "Upload-Length")
    id = request.headers.get("Idempotency-Key", "")
    if len(id) != 32 or not set(id) <= set("0123456789abcdef"):
        bad_request("Idempotency-Key must be the upload's id: 32 digits in hex")
    if request.body_exists:
        bad_request("create the upload empty, and send its bytes in parts by PATCH")
    if length == 0:
        bad_request("a file has at least one byte")
    if length > site.limits.file_bytes:
        detail = f"a file has at most {site.limits.file_bytes} bytes"
        raise Problem(413, "too_large", detail, headers=_limit_header(site))
    wish = _Wish(caller_of(request).consumer, id, length, _name(request), client_network(request))
    upload, stale = await chat.database.write(partial(_create, chat=chat, site=site, wish=wish))
    await chat.files.delete(stale)
    return web.Response(
        status=201,
        headers={
            "Location": f"/v1/uploads/{id}",
            **_limit_header(site),
            **await _progress(chat, upload),
        },
    )


@dataclass(frozen=True, slots=True)
class _Wish:
    consumer: str
    id: str
    length: int
    name: str | None
    network: str


def _create(db: Connection, chat: Chat, site: Site, wish: _Wish) -> tuple[Upload, list[str]]:
    """Return the upload, and files of uploads that were given up for it."""
    existing = uploads.find(db, wish.consumer, wish.id)
    if existing is not None:
        if existing.length != wish.length:
            raise Problem(409, "other_content", "an upload with this id has another length")
        return existing, []
    consumer = consumers.get(db, wish.consumer)
    if not messages.uploads_allowed(consumer, site.uploads):
        raise Problem(403, "uploads_off", "this consumer may not send files at present")
    now = chat.clock()
    stale = uploads.remove_idle(db, wish.consumer, now)
    count_upload(db, chat, consumer, wish.length, wish.network, site.limits)
    return uploads.create(db, wish.consumer, wish.id, wish.length, wish.name, now), stale


async def ask(request: web.Request) -> web.Response:
    """Say where to go on."""
    chat, upload = chat_of(request), await _upload(request)
    # A client that asks has lost the connection by which bytes still come.
    await chat.files.take_over(upload.file)
    headers = await _progress(chat, upload)
    return web.Response(status=204, headers={**headers, **_limit_header(site_of(request))})


async def append(request: web.Request) -> web.Response:
    """Append a part at the offset that the upload has."""
    if request.content_type != _PART_TYPE:
        raise Problem(415, "unsupported_type", f"send parts as {_PART_TYPE}")
    chat = chat_of(request)
    part = _Part(header_number(request, "Upload-Offset"), header_flag(request, "Upload-Complete"))
    upload = await _upload(request)
    await chat.files.begin(upload.file)
    try:
        return await _append(request, upload, part)
    finally:
        chat.files.end(upload.file)


@dataclass(frozen=True, slots=True)
class _Part:
    offset: int
    last: bool


async def _append(request: web.Request, upload: Upload, part: _Part) -> web.Response:
    chat, site = chat_of(request), site_of(request)
    offset = upload.length if upload.state != "open" else await chat.files.size(upload.file)
    if upload.state != "open" or offset != part.offset:
        raise _offset_differs(upload, offset)
    room = upload.length - offset
    announced = request.content_length or 0
    if announced > PART_BYTES:
        raise Problem(413, "part_too_large", f"a part has at most {PART_BYTES} bytes")
    if announced > room or (part.last and request.body_exists and 0 < announced < room):
        raise _length_differs(upload, offset)
    try:
        size = await chat.files.append(upload.file, request.content, min(room, PART_BYTES))
    except TooLong:
        raise _length_differs(upload, await chat.files.size(upload.file)) from None
    except OSError as exc:
        if exc.errno not in _FULL:
            raise
        raise no_room() from None
    chat.metrics.uploaded.inc(size - offset)
    if part.last and size != upload.length:
        raise _length_differs(upload, size)
    if offset < _SNIFFED or part.last:
        upload = await _sniff(chat, site, upload, whole=part.last)
    await _note_progress(chat, upload, whole=part.last)
    flag = "?1" if part.last else "?0"
    return web.Response(status=204, headers={"Upload-Offset": str(size), "Upload-Complete": flag})


async def _sniff(chat: Chat, site: Site, upload: Upload, *, whole: bool) -> Upload:
    """Return the upload with its kind. A file of a type that the site does not take is deleted at once."""
    seen = await chat.files.inspect(upload.file, recognise)
    kind = seen.kind or ("video" if seen.format == "webm" else None)
    size = await chat.files.size(upload.file)
    if kind is None and not whole and size < _SNIFFED:
        return upload  # too little to tell
    if kind not in site.accept or seen.format is None:
        await _discard(chat, upload)
        raise Problem(415, "unsupported_type", f"this site takes {', '.join(site.accept)}")
    media_type = seen.media_type or "application/octet-stream"
    return replace(upload, kind=kind, media_type=media_type)


async def _note_progress(chat: Chat, upload: Upload, *, whole: bool) -> None:
    now = chat.clock()
    if not whole:
        if upload.needs_extension(now):
            await chat.database.write(partial(uploads.extend, upload=upload, now=now))
        return
    sha256 = await chat.files.seal(upload.file)
    finished = replace(upload, sha256=sha256)
    await chat.database.write(partial(uploads.finish, upload=finished, now=now))


async def cancel(request: web.Request) -> web.Response:
    """Forget an upload that no message has claimed."""
    chat, upload = chat_of(request), await _upload(request)
    await chat.files.take_over(upload.file)
    if upload.state == "claimed":
        raise Problem(409, "other_content", "a message has this upload")
    await _discard(chat, upload)
    return web.Response(status=204)


async def _discard(chat: Chat, upload: Upload) -> None:
    await chat.database.write(partial(uploads.remove_unclaimed, file=upload.file))
    await chat.files.delete([upload.file])


async def _upload(request: web.Request) -> Upload:
    query = partial(uploads.find, consumer=caller_of(request).consumer, id=request.match_info["id"])
    upload = await chat_of(request).database.read(query)
    if upload is None:
        not_found("upload; begin it again")
    return upload


async def _progress(chat: Chat, upload: Upload) -> dict[str, str]:
    whole = upload.state != "open"
    offset = upload.length if whole else await chat.files.size(upload.file)
    return {
        "Upload-Offset": str(offset),
        "Upload-Length": str(upload.length),
        "Upload-Complete": "?1" if whole else "?0",
    }


def _limit_header(site: Site) -> dict[str, str]:
    return {"Upload-Limit": f"max-size={site.limits.file_bytes}, max-append-size={PART_BYTES}"}


def _offset_differs(upload: Upload, offset: int) -> Problem:
    whole = upload.state != "open"
    headers = {"Upload-Offset": str(offset), "Upload-Complete": "?1" if whole else "?0"}
    detail = "go on from the offset that the upload has"
    return Problem(409, "offset_differs", detail, headers=headers, offset=offset)


def _length_differs(upload: Upload, offset: int) -> Problem:
    detail = f"the parts do not add up to Upload-Length, {upload.length}"
    headers = {"Upload-Offset": str(offset)}
    return Problem(400, "length_differs", detail, headers=headers, offset=offset)


def _name(request: web.Request) -> str | None:
    """Return the file's own name, percent-encoded in X-Name, without a path and control characters."""
    name = unquote(request.headers.get("X-Name", ""), errors="replace")
    name = name.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if character.isprintable()).strip()
    return name[:_MAX_NAME] or None
