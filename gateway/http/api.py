"""The `/v1` API for the conversation core and operators. Every call needs one of `gateway.api_tokens`."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from connectors import FEATURES, Connector
from gateway.fault_points import fault_point
from gateway.journal import AttachmentRow, Journal
from gateway.media.progress import MediaProgress
from gateway.media.progress import view as progress_view
from gateway.media.signed_links import Links, Ticket
from gateway.observability.lines import note
from gateway.problems import Problem, bad_request, not_found
from gateway.replies.accept import Replies, Reply, Writing
from gateway.timestamps import rfc3339
from gateway.upkeep.connector_health import ConnectorHealth
from gateway.upkeep.failures import Failures, ids_of

from .bodies import Assignment, LinkRequest
from .pages import other_texts, page_names
from .requests import (
    json_response,
    parse_body,
    query_integer,
    query_text,
    reject_all_but_text,
)

_MAX_PAGE = 200
#: Content types of requests that try to send more than text.
_MEDIA_TYPES = frozenset({"audio", "image", "multipart", "video"})


class Api:
    """The routes of `/v1`."""

    def __init__(
        self,
        journal: Journal,
        links: Links,
        connectors: Mapping[str, Connector[Any]],
        *,
        link_seconds: int,
        failures: Failures,
        replies: Replies,
        health: ConnectorHealth,
        progress: Callable[[str], MediaProgress | None],
    ) -> None:
        self._journal = journal
        self._links = links
        self._connectors = connectors
        self._link_seconds = link_seconds
        self._failures = failures
        self._replies = replies
        self._health = health
        self._progress = progress

    def set_link_seconds(self, seconds: int) -> None:
        """Change how long new links work."""
        self._link_seconds = seconds

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/capabilities", self.capabilities),
            web.get("/v1/attachments/{id}", self.attachment),
            web.post("/v1/attachments/{id}/links", self.make_links),
            web.post("/v1/attachments/{id}/retry", self.retry),
            web.get("/v1/messages/{id}", self.message),
            web.post("/v1/messages/{id}/read", self.read),
            web.post("/v1/conversations/{id}/messages", self.reply),
            web.post("/v1/conversations/{id}/typing", self.typing),
            web.get("/v1/conversations", self.conversations),
            web.get("/v1/conversations/{id}", self.conversation),
            web.get("/v1/conversations/{id}/messages", self.messages),
            web.put("/v1/conversations/{id}/agents", self.assign),
            web.post("/v1/conversations/{id}/close", self.close),
            web.post("/v1/conversations/{id}/reopen", self.reopen),
            web.get("/v1/failures", self.list_failures),
            web.get("/v1/failures/{id}", self.failure),
            web.post("/v1/failures/{id}/retry", self.retry_failures),
        ]

    async def conversations(self, request: web.Request) -> web.Response:
        """Return a page of conversations, the newest first; `next` is the `before` of the next page."""
        limit = min(query_integer(request, "limit", _MAX_PAGE), _MAX_PAGE)
        before = query_text(request, "before")
        if before is not None and await self._journal.conversation(before) is None:
            not_found("conversation", before)
        found = await self._journal.conversations(
            connector=query_text(request, "connector"),
            consumer=query_text(request, "consumer"),
            before=before,
            limit=limit,
        )
        following = found[-1]["id"] if found and len(found) == limit else None
        return json_response({"conversations": found, "next": following})

    async def conversation(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._journal.conversation(id)
        if found is None:
            not_found("conversation", id)
        return json_response(found)

    async def assign(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        body = await parse_body(request, Assignment)
        if not await self._journal.assign(id, body.agents):
            not_found("conversation", id)
        return json_response({"conversation": id, "agents": body.agents})

    async def close(self, request: web.Request) -> web.Response:
        """Close a conversation until the consumer writes again; the platform is informed if it can be."""
        id = request.match_info["id"]
        reported = await self._replies.close(id)
        closed = {"conversation": id, "state": "closed", "told": reported}  # allow-word
        return json_response(closed)

    async def reopen(self, request: web.Request) -> web.Response:
        """Take back that the core closed a conversation; 409 if the consumer closed it."""
        id = request.match_info["id"]
        await self._replies.reopen(id)
        return json_response({"conversation": id, "state": "open"})

    async def make_links(self, request: web.Request) -> web.Response:
        body = await parse_body(request, LinkRequest)
        row = await self._attachment(request)
        agents = await self._journal.agents_of(row.conversation_id) or ()
        if body.agent not in agents:
            detail = f"{body.agent!r} is not assigned to {row.conversation_id}"
            raise Problem(403, "Forbidden", detail)
        expires = int(time.time()) + self._link_seconds

        def url(name: str) -> str:
            return self._links.url(Ticket(row.id, name, body.agent, expires))

        links: dict[str, Any] = {name: url(name) for name in row.view["renditions"]}
        links |= {name: url(name) for name in other_texts(row.view)}
        if pages := page_names(row.view):
            links["pages"] = [url(name) for name in pages]
        return json_response({"links": links, "expires_at": rfc3339(expires * 1000)})

    async def retry(self, request: web.Request) -> web.Response:
        row = await self._attachment(request)
        retried = await self._journal.retry(row.message, row.position)
        fault_point("after-retry")
        if retried:
            note("attachment_retried", ids_of(row))
        if not retried and row.state in {"failed", "rejected"}:
            raise Problem(409, "Conflict", f"{row.id} cannot be retried: there is nothing to fetch")
        current = await self._journal.attachment(row.message, row.position)
        return json_response(current.view if current else row.view, status=202)

    async def attachment(self, request: web.Request) -> web.Response:
        """Return the attachment's state and, while it is pending, the progress of its processing."""
        row = await self._attachment(request)
        if row.state != "pending":
            return json_response(row.view)
        return json_response({**row.view, "progress": progress_view(row, self._progress(row.id))})

    async def reply(self, request: web.Request) -> web.Response:
        """Accept an agent's text; 409 with a `reason` if the platform would refuse it now."""
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= 255:
            bad_request(
                "the Idempotency-Key header is missing or too long; send 1 to 255 characters, the same for each repeat"
            )
        if request.content_type.partition("/")[0] in _MEDIA_TYPES:
            reject_all_but_text(f"a body of {request.content_type}")
        body = await parse_body(request, Reply)
        accepted = await self._replies.accept(request.match_info["id"], key, body)
        return json_response({"id": accepted["id"], "status": accepted["status"]}, status=202)

    async def read(self, request: web.Request) -> web.Response:
        reported = await self._replies.mark_read(request.match_info["id"])
        return json_response({"told": reported})  # allow-word

    async def typing(self, request: web.Request) -> web.Response:
        """Show the consumer that an agent is writing, for some seconds or until the text arrives."""
        body = await parse_body(request, Writing) if request.body_exists else Writing()
        reported = await self._replies.show_typing(request.match_info["id"], on=body.typing)
        return json_response({"told": reported})  # allow-word

    async def message(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._journal.message(id) or await self._journal.agent_text(id)
        # Of an erased message only the id is left.
        if found is None or "text" not in found:
            not_found("message", id)
        return json_response(found)

    async def messages(self, request: web.Request) -> web.Response:
        """Return at most 200 messages with a sequence above `after`; `next` is the `after` of the next page."""
        id = request.match_info["id"]
        after = query_integer(request, "after", 0)
        limit = min(query_integer(request, "limit", _MAX_PAGE), _MAX_PAGE)
        page = await self._journal.messages(id, after, limit)
        if page is None:
            not_found("conversation", id)
        more = page[-1]["sequence"] if len(page) == limit and page else None
        return json_response({"messages": page, "next": more})

    async def capabilities(self, request: web.Request) -> web.Response:
        del request
        rows = [
            {**chart(name, connector), "health": self._health.of(name).view()}
            for name, connector in self._connectors.items()
        ]
        return json_response({"connectors": rows})

    async def list_failures(self, request: web.Request) -> web.Response:
        limit = query_integer(request, "limit", _MAX_PAGE)
        return json_response({"failures": await self._failures.listed(limit)})

    async def failure(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._failures.shown(id)
        if found is None:
            not_found("failure", id)
        return json_response(found)

    async def retry_failures(self, request: web.Request) -> web.Response:
        """Retry one failure, several separated by commas, or `all`."""
        requested = request.match_info["id"]
        if requested == "all":
            return json_response({"results": await self._failures.retry_all()}, status=202)
        ids = requested.split(",")
        results = [await self._failures.retry(id) for id in ids]
        if results == [None]:
            not_found("failure", requested)
        found = [
            result or {"id": id, "status": "unknown", "detail": "there is no such failure"}
            for id, result in zip(ids, results, strict=True)
        ]
        return json_response({"results": found}, status=202)

    async def _attachment(self, request: web.Request) -> AttachmentRow:
        id = request.match_info["id"]
        row = await self._journal.find_attachment(id)
        if row is None:
            not_found("attachment", id)
        return row


def chart(name: str, connector: Connector[Any]) -> dict[str, Any]:
    """Return one connector's row of the capabilities chart."""
    capabilities = connector.capabilities
    return {
        "connector": name,
        "platform": connector.name,
        "label": connector.label,
        "features": {feature: capabilities.support(feature) for feature in FEATURES},
        "notes": dict(capabilities.notes),
        "limits": {feature: asdict(limit) for feature, limit in capabilities.limits.items()},
        "max_text": capabilities.max_text,
        "max_text_bytes": capabilities.max_text_bytes,
        "reply_window_seconds": capabilities.reply_window,
    }


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
