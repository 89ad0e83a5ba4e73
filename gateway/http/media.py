"""`GET /media/{attachment}/{rendition}`: serves renditions to agents' browsers, and records what was answered."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from gateway.journal import AttachmentRow, Journal, JournalUnavailable
from gateway.media.consumer_links import ConsumerLinks
from gateway.media.signed_links import Links, Ticket
from gateway.media.storage.interface import FileMissing, Store, StoredFile, StoreUnavailable
from gateway.problems import Problem, not_found
from gateway.timestamps import now_ms

from .consumer_links import own_file
from .file_headers import download_name, file_headers
from .pages import PAGE_TYPE, described_by, page_names, page_response, read_page
from .ranges import RangedFile
from .streaming import streamed, wait_for_store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _View:
    """A permitted read whose answer has not begun."""

    journal: Journal
    agent: str
    row: AttachmentRow
    rendition: str


_VIEW = web.RequestKey("view", _View)


class MediaEndpoint:
    """Serves a rendition; checks signature and assignment at every read, so that reassignment applies at once."""

    def __init__(
        self, journal: Journal, links: Links, store: Store, consumers: ConsumerLinks
    ) -> None:
        self._journal = journal
        self._links = links
        self._consumers = consumers
        self._store = store

    async def get(self, request: web.Request) -> web.StreamResponse:
        attachment = request.match_info["attachment"]
        rendition = request.match_info["rendition"]
        if "consumer" in request.query:
            own, consumer = await own_file(self._journal, self._consumers, request)
            return await self._show(request, own, rendition, consumer)
        ticket = self._links.check(attachment, rendition, request.query, time.time())
        if ticket is None:
            raise Problem(403, "Forbidden", "this link is invalid or expired; request a new one")
        row = await self._journal.find_attachment(attachment)
        if row is None:
            not_found("attachment", attachment)
        await self._require_assignment(ticket, row)
        return await self._show(request, row, rendition, ticket.agent)

    async def _show(
        self, request: web.Request, row: AttachmentRow, rendition: str, viewer: str
    ) -> web.StreamResponse:
        view = row.view["renditions"].get(described_by(rendition, row.view))
        if view is None:
            not_found(f"rendition of {row.id}", rendition)
        if request.method == "GET":
            request[_VIEW] = _View(self._journal, viewer, row, rendition)
        if rendition in page_names(row.view):
            return await self._page_response(request, row, rendition, view)
        try:
            return await self._file_response(request, row, rendition, view)
        except FileMissing:
            log.error("rendition_missing", attachment=row.id, rendition=rendition)
            not_found(f"file for {row.id}", rendition)
        except StoreUnavailable as exc:
            wait_for_store(row.id, exc)

    async def _require_assignment(self, ticket: Ticket, row: AttachmentRow) -> None:
        if ticket.is_export:
            return
        agents = await self._journal.agents_of(row.conversation_id)
        if agents is None or ticket.agent not in agents:
            raise Problem(
                403, "Forbidden", "only agents assigned to the conversation may view its media"
            )

    async def _file_response(
        self, request: web.Request, row: AttachmentRow, rendition: str, view: dict[str, Any]
    ) -> web.StreamResponse:
        file = _stored_file(row, rendition, view)
        path = self._store.path(file)
        headers = file_headers(rendition, view["media_type"], download_name(row, rendition, view))
        if path is None:
            return await streamed(request, self._store, file, f'"{view["sha256"][:32]}"', headers)
        if not path.is_file():
            raise FileMissing(rendition)
        # It handles Range, conditional requests and HEAD, and does not copy the file through Python.
        return RangedFile(path, headers=headers)

    async def _page_response(
        self, request: web.Request, row: AttachmentRow, rendition: str, view: dict[str, Any]
    ) -> web.Response:
        """Serve the picture of a page, which is a slice of the document's file."""
        document = self._store.reader(_stored_file(row, "document", view))
        try:
            content = await asyncio.to_thread(read_page, document, rendition)
        except (FileMissing, OSError, ValueError) as exc:
            log.error("page_missing", attachment=row.id, page=rendition, error=str(exc))
            not_found(f"file for {row.id}", rendition)
        except StoreUnavailable as exc:
            wait_for_store(row.id, exc)
        name = download_name(row, rendition, {"media_type": PAGE_TYPE})
        etag = f'"{view["sha256"][:32]}-{rendition}"'
        return page_response(
            request, content, {**file_headers(rendition, PAGE_TYPE, name), "etag": etag}
        )


def _stored_file(row: AttachmentRow, rendition: str, view: dict[str, Any]) -> StoredFile:
    return StoredFile(row.id, rendition, view["media_type"], row.token, view["bytes"])


async def record_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Record a read once its answer is decided, and before a byte is sent (a signal of the application).

    What the request asks for proves nothing: `If-Range` may turn a range into the whole file.
    """
    view = request.get(_VIEW)
    if view is None or response.status not in _SHOWN:
        return
    try:
        await view.journal.record_view(
            at=now_ms(),
            agent=view.agent,
            attachment=view.row.id,
            rendition=view.rendition,
            conversation=view.row.conversation_id,
            part=_answered(response),
        )
    except JournalUnavailable as exc:
        log.error("view_not_recorded", attachment=view.row.id, error=str(exc))
        # Nothing has been sent yet; the connection ends without an answer.
        raise ConnectionResetError("what cannot be recorded is not shown") from None


#: Answers that show something to the agent: all of the file, a part of it, or what the browser has stored already.
_SHOWN = frozenset({200, 206, 304})


def _answered(response: web.StreamResponse) -> str | None:
    """Return which part of the file an answer sends; None for all of it."""
    if response.status == 304:
        return "unchanged"
    return response.headers.get("content-range") if response.status == 206 else None
