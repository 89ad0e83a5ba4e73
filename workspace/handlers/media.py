"""Media and documents for assigned agents: redirects to fresh links, texts, downloads, progress, retries."""

import re
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson
import regex
from aiohttp import ClientResponse, web

from workspace.gateway.client import GatewayError
from workspace.http.context import Workspace, agent_of, workspace_of
from workspace.http.responses import error_response, json_response
from workspace.store import audit_log
from workspace.store.assignment import conversation_of
from workspace.store.attachment_view import CHARSET, downloaded
from workspace.store.database import touch_message
from workspace.text.safe_text import clean_name, clean_text
from workspace.text.wording import describe_progress
from workspace.timestamps import now

#: Renditions that a page may show by a redirect.
_RENDITION = re.compile(r"thumbnail|preview|poster|video|audio|document|page-[1-9]\d{0,3}")

_SUFFIXES = {
    "application/pdf": ".pdf",
    "audio/mp4": ".m4a",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
}

#: The gateway's limit for texts is 200 kB, unless an operator raises it. The rest of a longer text is not shown.
_MAX_TEXT_BYTES = 2_000_000


async def show_rendition(request: web.Request) -> web.Response:
    """Redirect to a link that is valid for some minutes."""
    rendition = request.match_info["rendition"]
    if not _RENDITION.fullmatch(rendition):
        raise web.HTTPNotFound
    address = await _audited_link(request, rendition, rendition)
    return web.Response(status=302, headers={"Location": address})


async def show_text(request: web.Request) -> web.Response:
    """Return the text of a document, read as the charset that `?charset=` names.

    Scripts may load it only from here, because of the security policy.
    """
    charset = request.query.get("charset")
    if charset is not None and not CHARSET.fullmatch(charset):
        raise web.HTTPNotFound
    address = await _audited_link(request, f"text-{charset}" if charset else "text", "text")
    async with _open(request, address) as source:
        body = bytearray()
        async for chunk in source.content.iter_chunked(65_536):
            body += chunk
            if len(body) >= _MAX_TEXT_BYTES:
                break
    # A character may be cut in two at the limit. A form feed stands between two pages.
    text = body[:_MAX_TEXT_BYTES].decode("utf-8", "ignore").replace("\f", "\n\n")
    headers = {"Content-Disposition": "attachment"}
    return web.Response(
        text=clean_text(text), content_type="text/plain", charset="utf-8", headers=headers
    )


async def download(request: web.Request) -> web.StreamResponse:
    """Send the video, the sound, the PDF or the largest rendition of the photo as a file with a safe name."""
    body = await _stored(request)
    address = await _audited_link(request, downloaded(body), "download")
    async with _open(request, address) as source:
        return await _stream(request, source, body)


async def download_original(request: web.Request) -> web.StreamResponse:
    """Send the file as it came, which the gateway offers only if an operator switched it on."""
    body = await _stored(request)
    address = await _audited_link(request, "original", "original")
    async with _open(request, address) as source:
        return await _stream(request, source, body)


async def _stored(request: web.Request) -> dict[str, Any]:
    load = partial(_load, attachment=request.match_info["attachment"])
    return await workspace_of(request).database.read(load)


@asynccontextmanager
async def _open(request: web.Request, address: str) -> AsyncIterator[ClientResponse]:
    """Open a rendition of the gateway. Raises an HTTP error unless the gateway sends all of it."""
    try:
        async with workspace_of(request).gateway.open_media(address) as source:
            if source.status != 200:
                raise _HTTP_ERRORS.get(source.status, web.HTTPBadGateway)
            yield source
    except GatewayError as exc:
        raise _HTTP_ERRORS.get(exc.status, web.HTTPBadGateway) from exc


async def _stream(
    request: web.Request, source: ClientResponse, body: Mapping[str, Any]
) -> web.StreamResponse:
    known = source.content_type in _SUFFIXES
    name = safe_filename(body, source.content_type, _suffix(source))
    response = web.StreamResponse(headers={"Content-Disposition": content_disposition(name)})
    response.content_type = source.content_type if known else "application/octet-stream"
    response.content_length = source.content_length
    await response.prepare(request)
    async for chunk in source.content.iter_chunked(65_536):
        await response.write(chunk)
    return response


def _suffix(source: ClientResponse) -> str:
    """Return the ending that the gateway gave the file by its bytes. The sender's name is not used for it."""
    named = source.content_disposition
    ending = re.search(r"\.[a-z0-9]{1,5}$", (named.filename if named else None) or "")
    return ending[0] if ending else ".bin"


async def check_shown(request: web.Request) -> web.Response:
    """Answer whether an attachment can still be shown, so that a page closes what it has open otherwise."""
    workspace, id = workspace_of(request), request.match_info["attachment"]
    await _require_assigned(workspace, id, agent_of(request))
    if (await _stored(request))["state"] != "ready":
        raise web.HTTPGone
    return web.Response(status=204)


async def show_progress(request: web.Request) -> web.Response:
    """Describe the progress of a pending attachment; the text is empty if it is not pending."""
    workspace, id = workspace_of(request), request.match_info["attachment"]
    await _require_assigned(workspace, id, agent_of(request))
    try:
        found = await workspace.gateway.get_attachment(id)
    except GatewayError as exc:
        raise _HTTP_ERRORS.get(exc.status, web.HTTPBadGateway) from exc
    return json_response({"words": describe_progress(found, now())})


async def retry(request: web.Request) -> web.Response:
    """Make the gateway fetch the attachment again. The result arrives later as an event."""
    workspace, id = workspace_of(request), request.match_info["attachment"]
    agent = agent_of(request)
    conversation = await _require_assigned(workspace, id, agent)

    def change(db: sqlite3.Connection) -> dict[str, Any]:
        before = _set_pending(db, id)
        audit_log.record(db, now(), agent, "retried", conversation=conversation, attachment=id)
        return before

    # Set to pending before the call, because the event with the result may arrive at once.
    before = await workspace.database.write(change)
    try:
        await workspace.gateway.retry_attachment(id)
    except GatewayError as exc:
        await workspace.database.write(partial(_restore, attachment=id, before=before))
        return error_response(502, exc.detail)
    return web.Response(status=204)


def safe_filename(body: Mapping[str, Any], media_type: str, other: str = ".bin") -> str:
    """Return the sender's file name without unsafe characters, with the ending of the actual media type or `other`."""
    stem = (clean_name(str(body.get("name") or "")) or "").rpartition("/")[2].rpartition("\\")[2]
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", stem)
    # Combining marks and the zero-width non-joiner are part of words in several scripts.
    stem = regex.sub(r"[^\w\p{M}\u200c\- ().]|\.\.+", "_", stem).strip(" ._")[:80]
    if not stem or _RESERVED.fullmatch(stem):
        stem = f"{body.get('kind', 'file')}-{str(body.get('id', ''))[-8:]}"
    return stem + _SUFFIXES.get(media_type, other)


#: Names that Windows reserves for devices.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def content_disposition(name: str) -> str:
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _audited_link(request: web.Request, rendition: str, did: str) -> str:
    workspace, agent = workspace_of(request), agent_of(request)
    attachment = request.match_info["attachment"]
    conversation = await _require_assigned(workspace, attachment, agent)
    try:
        address = await workspace.links.get_link(attachment, rendition, agent)
    except GatewayError as exc:
        raise _HTTP_ERRORS.get(exc.status, web.HTTPBadGateway) from exc
    if address is None:
        raise web.HTTPNotFound
    # Recorded before the link is handed out, so that every view is in the audit log.
    await workspace.database.write(
        partial(
            audit_log.record,
            at=now(),
            agent=agent,
            did=did,
            conversation=conversation,
            attachment=attachment,
        )
    )
    return address


async def _require_assigned(workspace: Workspace, attachment: str, agent: str) -> str:
    """Return the attachment's conversation. Raises an HTTP error unless the agent is assigned to it."""
    found = await workspace.database.read(
        partial(conversation_of, attachment=attachment, agent=agent)
    )
    if found is None:
        raise web.HTTPNotFound
    conversation, assigned = found
    if not assigned:
        raise web.HTTPForbidden
    return conversation


def _load(db: sqlite3.Connection, attachment: str) -> dict[str, Any]:
    row = db.execute("SELECT body FROM attachments WHERE id = ?", (attachment,)).fetchone()
    if row is None:
        raise web.HTTPNotFound
    body: dict[str, Any] = orjson.loads(row["body"])
    return body


def _set_pending(db: sqlite3.Connection, attachment: str) -> dict[str, Any]:
    before = _load(db, attachment)
    if before["state"] != "failed":
        raise web.HTTPConflict
    _save(db, attachment, {**before, "state": "pending", "reason": None, "detail": None})
    return before


def _restore(db: sqlite3.Connection, attachment: str, before: dict[str, Any]) -> None:
    if _load(db, attachment)["state"] == "pending":
        _save(db, attachment, before)


def _save(db: sqlite3.Connection, attachment: str, body: dict[str, Any]) -> None:
    row = db.execute(
        "UPDATE attachments SET state = ?, body = ? WHERE id = ? RETURNING message",
        (body["state"], orjson.dumps(body).decode(), attachment),
    ).fetchone()
    touch_message(db, row["message"])


_HTTP_ERRORS: dict[int, type[web.HTTPError]] = {
    403: web.HTTPForbidden,
    404: web.HTTPNotFound,
    410: web.HTTPGone,
    503: web.HTTPServiceUnavailable,
}
