"""A fake of the gateway's public API, as far as the workspace needs it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "a-token-that-no-browser-may-see"


METRICS = """\
# HELP airlock_deliveries_total Requests on webhooks by outcome
# TYPE airlock_deliveries_total counter
airlock_deliveries_total{connector="sms",outcome="accepted"} 41.0
airlock_deliveries_total{connector="sms",outcome="forged"} 1.0
# HELP airlock_outbox_events Events that wait for the core
# TYPE airlock_outbox_events gauge
airlock_outbox_events 3.0
# HELP airlock_delivery_seconds From acceptance to the core
# TYPE airlock_delivery_seconds histogram
airlock_delivery_seconds_bucket{le="0.1"} 30.0
airlock_delivery_seconds_bucket{le="0.5"} 38.0
airlock_delivery_seconds_bucket{le="+Inf"} 40.0
airlock_delivery_seconds_count 40.0
airlock_delivery_seconds_sum 4.2
# HELP python_info Of no interest
# TYPE python_info gauge
python_info 1.0
"""

ANSWERS: dict[str, Any] = {
    "/v1/capabilities": {
        "connectors": [
            {
                "connector": "support-whatsapp",
                "platform": "whatsapp",
                "label": "WhatsApp",
                "features": {
                    "text": "yes",
                    "photo": "yes",
                    "video": "yes",
                    "typing": "no",
                    "send_quote": "yes",
                    "send_typing": "limited",
                },
                "notes": {"video": "MP4 and 3GP up to 16 MB"},
                "health": {"state": "ok", "account": "Example Shop, +49 155 5000"},
            },
            {
                "connector": "sms",
                "platform": "twilio",
                "label": "Twilio SMS and MMS",
                "features": {"text": "yes", "photo": "limited", "video": "limited", "typing": "no"},
                "notes": {},
                "health": {"state": "needs action", "detail": "the platform refused the token"},
            },
        ]
    },
    "/v1/failures": {
        "failures": [
            {
                "id": "att_f1",
                "kind": "attachment",
                "connector": "sms",
                "conversation": "conv_sms",
                "at": "2026-11-22T09:00:00.000Z",
                "state": "failed",
                "reason": "unreachable",
                "detail": "no answer from media.example.com within 30 s",
                "can_retry": True,
            }
        ]
    },
    "/readyz": {
        "status": "ready",
        "checks": {
            "journal": {"state": "ok", "detail": "0 events wait for the core"},
            "scanner": {"state": "warn", "detail": "no scanner is configured"},
        },
    },
    "/metrics": METRICS,
}


#: The media types of renditions; all others are photos.
MEDIA_TYPES = {
    "video": "video/mp4",
    "audio": "audio/mp4",
    "document": "application/pdf",
    "text": "text/plain; charset=utf-8",
    "original": "application/octet-stream",
}


def _answer_with(content: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        if isinstance(content, str):
            return web.Response(text=content)
        return web.json_response(content)

    return answer


@dataclass
class FakeGateway:
    """A fake gateway.

    `calls` are the requests to /v1, `served` those to /media. `refuse` maps paths to an error status and body.
    `progress` is the progress of pending attachments, `saved_as` the name that it gives to files. If `send_gate` is set, sending a text waits for it.
    """

    media: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    conversations: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, list[str]] = field(default_factory=dict)
    link_seconds: float = 300
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    served: list[tuple[str, int]] = field(default_factory=list)
    refuse: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    opted_out: set[str] = field(default_factory=set)
    answers: dict[str, Any] = field(default_factory=lambda: dict(ANSWERS))
    sent: dict[str, str] = field(default_factory=dict)
    progress: dict[str, Any] = field(default_factory=dict)
    send_gate: asyncio.Event | None = None
    saved_as: str = "file.bin"
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        self._ticket_numbers = itertools.count()
        self._tickets: dict[str, tuple[str, str, str]] = {}
        app = web.Application(middlewares=[self._authorize])
        app.router.add_post("/v1/attachments/{attachment}/links", self._links)
        app.router.add_put("/v1/conversations/{conversation}/agents", self._agents)
        app.router.add_post("/v1/conversations/{conversation}/messages", self._send)
        app.router.add_post("/v1/conversations/{conversation}/typing", self._no_content)
        app.router.add_post("/v1/conversations/{conversation}/close", self._no_content)
        app.router.add_post("/v1/conversations/{conversation}/reopen", self._no_content)
        app.router.add_get("/v1/conversations/{conversation}", self._conversation)
        app.router.add_delete("/v1/conversations/{conversation}", self._no_content)
        app.router.add_post("/v1/messages/{message}/read", self._no_content)
        app.router.add_post("/v1/erasures", self._no_content)
        app.router.add_post("/v1/attachments/{attachment}/retry", self._retry)
        app.router.add_get("/v1/attachments/{attachment}", self._attachment)
        for path, content in self.answers.items():
            app.router.add_get(path, _answer_with(content))
        app.router.add_post("/v1/failures/{failure}/retry", self._retry_failure)
        app.router.add_get("/media/{attachment}/{rendition}", self._serve)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def add_media(self, conversation: str, attachment: str, **renditions: bytes) -> None:
        """Add the renditions of an attachment of a conversation."""
        self.conversations[attachment] = conversation
        for name, content in renditions.items():
            self.media[attachment, name] = MEDIA_TYPES.get(name, "image/jpeg"), content

    def add_pages(self, conversation: str, attachment: str, *pages: bytes) -> None:
        """Add the pages of a document."""
        named = {f"page-{number}": page for number, page in enumerate(pages, 1)}
        self.add_media(conversation, attachment, **named)

    def calls_to(self, method: str, path: str) -> list[Any]:
        return [content for m, p, content in self.calls if (m, p) == (method, path)]

    @web.middleware
    async def _authorize(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not request.path.startswith("/v1/"):
            return await handler(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"title": "no token"}, status=401)
        content = await request.json() if request.body_exists else None
        self.calls.append((request.method, request.path, content))
        if request.path in self.refuse:
            status, problem = self.refuse[request.path]
            return web.json_response(
                problem, status=status, content_type="application/problem+json"
            )
        return await handler(request)

    async def _links(self, request: web.Request) -> web.Response:
        attachment, agent = request.match_info["attachment"], (await request.json())["agent"]
        if agent not in self.assigned.get(self.conversations[attachment], []):
            return web.json_response({"title": "not assigned"}, status=403)
        names = [name for held, name in self.media if held == attachment]
        links = {name: self._link(attachment, name, agent) for name in names}
        count = sum(name.startswith("page-") for name in names)
        pages = [links.pop(f"page-{number}") for number in range(1, count + 1)]
        expires = datetime.now(UTC) + timedelta(seconds=self.link_seconds)
        answer = {"links": links, "expires_at": expires.isoformat()}
        return web.json_response({**answer, "pages": pages} if pages else answer)

    def _link(self, attachment: str, rendition: str, agent: str) -> str:
        ticket = f"ticket{next(self._ticket_numbers)}"
        self._tickets[ticket] = attachment, rendition, agent
        return f"{self.url}/media/{attachment}/{rendition}?ticket={ticket}"

    async def _agents(self, request: web.Request) -> web.Response:
        self.assigned[request.match_info["conversation"]] = (await request.json())["agents"]
        return web.json_response({})

    async def _send(self, request: web.Request) -> web.Response:
        """Accept a text once for each key, as the contract says."""
        if self.send_gate is not None:
            await self.send_gate.wait()
        key = request.headers["Idempotency-Key"]
        id = self.sent.setdefault(key, f"msg_sent{len(self.sent) + 1}")
        return web.json_response({"id": id, "status": "accepted"}, status=202)

    async def _no_content(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _conversation(self, request: web.Request) -> web.Response:
        id = request.match_info["conversation"]
        return web.json_response({"id": id, "opted_out": id in self.opted_out})

    async def _attachment(self, request: web.Request) -> web.Response:
        """Return the attachment, pending if it has a progress."""
        id = request.match_info["attachment"]
        progress = self.progress.get(id)
        if progress is None:
            return web.json_response({"id": id, "state": "ready"})
        return web.json_response({"id": id, "state": "pending", "progress": progress})

    async def _retry(self, request: web.Request) -> web.Response:
        id = request.match_info["attachment"]
        return web.json_response({"id": id, "state": "pending"}, status=202)

    async def _retry_failure(self, request: web.Request) -> web.Response:
        id = request.match_info["failure"]
        result = {"id": id, "status": "accepted", "detail": "it is fetched again"}
        return web.json_response({"results": [result]}, status=202)

    async def _serve(self, request: web.Request) -> web.Response:
        wanted = request.match_info["attachment"], request.match_info["rendition"]
        response = self._rendition(request, wanted)
        self.served.append((request.path, response.status))
        return response

    def _rendition(self, request: web.Request, wanted: tuple[str, str]) -> web.Response:
        ticket = request.query.get("ticket", "")
        if ticket in self.revoked or self._tickets.get(ticket, ())[:2] != wanted:
            return web.Response(status=403)
        kind, content = self.media[wanted]
        headers = {
            "Accept-Ranges": "bytes",
            "X-Content-Type-Options": "nosniff",
            "Content-Type": kind,
        }
        if wanted[1] in {"document", "text", "original"}:
            headers["Content-Disposition"] = f'attachment; filename="{self.saved_as}"'
        part = request.http_range
        if part.start is None and part.stop is None:
            return web.Response(body=content, headers=headers)
        start, stop, _ = part.indices(len(content))
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
        return web.Response(body=content[start:stop], status=206, headers=headers)

    def revoke_links(self) -> None:
        """Make all links invalid, as if they had expired."""
        self.revoked.update(self._tickets)
