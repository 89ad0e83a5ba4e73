"""`GET /media/{attachment}/{rendition}`: serves renditions to agents' browsers."""

import time
from typing import Any

import structlog
from aiohttp import web

from gateway.journal import AttachmentRow, Journal
from gateway.media.signed_links import Links, Ticket
from gateway.media.storage.filesystem import FileStore
from gateway.media.suffixes import SUFFIXES
from gateway.problems import Problem, not_found
from gateway.timestamps import now_ms

log = structlog.get_logger(__name__)


class MediaEndpoint:
    """Serves a rendition; checks signature and assignment at every read, so that reassignment applies at once."""

    def __init__(self, journal: Journal, links: Links, store: FileStore) -> None:
        self._journal = journal
        self._links = links
        self._store = store

    async def get(self, request: web.Request) -> web.StreamResponse:
        attachment = request.match_info["attachment"]
        rendition = request.match_info["rendition"]
        ticket = self._links.check(attachment, rendition, request.query, time.time())
        if ticket is None:
            raise Problem(403, "Forbidden", "this link is invalid or expired; request a new one")
        row = await self._journal.find_attachment(attachment)
        if row is None:
            not_found("attachment", attachment)
        await self._require_assignment(ticket, row)
        view = row.view["renditions"].get(rendition)
        if view is None:
            not_found(f"rendition of {attachment}", rendition)
        if request.method == "GET":
            await self._journal.record_view(
                at=now_ms(),
                agent=ticket.agent,
                attachment=attachment,
                rendition=rendition,
                conversation=row.conversation_id,
                part=request.headers.get("range", "")[:100] or None,
            )
        return self._file_response(row, rendition, view)

    async def _require_assignment(self, ticket: Ticket, row: AttachmentRow) -> None:
        agents = await self._journal.agents_of(row.conversation_id)
        if agents is None or ticket.agent not in agents:
            raise Problem(
                403, "Forbidden", "only agents assigned to the conversation may view its media"
            )

    def _file_response(
        self, row: AttachmentRow, rendition: str, view: dict[str, Any]
    ) -> web.StreamResponse:
        path = self._store.path(row.id, rendition, view["media_type"])
        if not path.is_file():
            log.error("rendition_missing", attachment=row.id, rendition=rendition)
            not_found(f"file for {row.id}", rendition)
        # FileResponse handles Range, conditional requests and HEAD, and does not copy the file through Python.
        name = download_name(row, rendition, view)
        return web.FileResponse(path, headers=_headers(view["media_type"], name))


def download_name(row: AttachmentRow, rendition: str, view: dict[str, Any]) -> str:
    """Return a file name of our own: the customer's may contain anything."""
    suffix = SUFFIXES[view["media_type"]]
    return f"{row.kind}-{row.id.removeprefix('att_')[:12]}-{rendition}.{suffix}"


def _headers(media_type: str, name: str) -> dict[str, str]:
    """Return headers that let a browser display the file and do nothing else with it."""
    return {
        "content-type": media_type,
        "content-disposition": f'inline; filename="{name}"',
        "cache-control": "private, no-cache",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "cross-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
