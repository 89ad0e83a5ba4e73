"""Serves files that the store has elsewhere, a part at a time."""

from collections.abc import Mapping
from typing import NoReturn

import structlog
from aiohttp import hdrs, web

from gateway.media.storage.interface import FileMissing, Store, StoredFile, StoreUnavailable
from gateway.problems import Problem

from .conditional import File, select

log = structlog.get_logger(__name__)

#: Bytes that are read from a store, and sent, at a time: a slow browser keeps no request to the store open.
_PART_BYTES = 1024 * 1024


async def streamed(
    request: web.Request, store: Store, file: StoredFile, tag: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Answer with a file whose entity tag is `tag`. Raises FileMissing and StoreUnavailable before anything is sent."""
    selected = select(request, File(file.size, tag, store.modified(file)))
    headers = {**headers, **selected.headers}
    if not selected.is_sent:
        return web.Response(status=selected.status, headers=headers)
    response = web.StreamResponse(status=selected.status, headers=headers)
    response.content_length = selected.end - selected.start
    is_head = request.method == hdrs.METH_HEAD
    # Before the headers: whether the file is there shows in the status.
    part_end = min(selected.start + (1 if is_head else _PART_BYTES), selected.end)
    part = await store.read(file, selected.start, part_end)
    if is_head:
        return response
    await response.prepare(request)
    try:
        await response.write(part)
        for start in range(part_end, selected.end, _PART_BYTES):
            end = min(start + _PART_BYTES, selected.end)
            await response.write(await store.read(file, start, end))
    except (FileMissing, StoreUnavailable) as exc:
        log.error("media_breaks_off", attachment=file.attachment, error=str(exc))
        _break_off(request)
    except ConnectionError:
        pass  # the browser has gone
    return response


def wait_for_store(attachment: str, exc: StoreUnavailable) -> NoReturn:
    """Answer that the store is unavailable."""
    log.error("media_delayed", attachment=attachment, error=str(exc))
    detail = "the media store does not answer; try again in a moment"
    raise Problem(503, "Service unavailable", detail, {"retry-after": "5"}) from exc


def _break_off(request: web.Request) -> None:
    """Close the connection, so that the browser does not take the part that it has for the whole."""
    if request.transport is not None:
        request.transport.abort()
