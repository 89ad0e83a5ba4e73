"""The `/v1` API for the conversation core and operators. Every call needs one of `gateway.api_tokens`."""

import hmac
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, NoReturn, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors import FEATURES, Connector
from gateway.fault_points import fault_point
from gateway.inbound.request_body import BodyIncomplete, BodyTooLarge, read_body
from gateway.journal import AttachmentRow, Journal
from gateway.media.progress import MediaProgress
from gateway.media.progress import view as progress_view
from gateway.media.signed_links import Links, Ticket
from gateway.problems import Problem, bad_request, not_found
from gateway.replies.accept import Replies, Reply, Writing
from gateway.timestamps import rfc3339
from gateway.upkeep.connector_health import ConnectorHealth
from gateway.upkeep.failures import Failures

from .pages import other_texts, page_names
from .server import is_local

_MAX_PAGE = 200
_MAX_BODY = 64 * 1024
#: Content types of requests that try to send more than text.
_MEDIA_TYPES = frozenset({"audio", "image", "multipart", "video"})

M = TypeVar("M", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assignment(_Body):
    agents: tuple[str, ...] = Field(max_length=100)


class LinkRequest(_Body):
    agent: str = Field(min_length=1, max_length=200)


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
        erase: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._journal = journal
        self._links = links
        self._connectors = connectors
        self._link_seconds = link_seconds
        self._failures = failures
        self._replies = replies
        self._health = health
        self._progress = progress
        self._erase = erase

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
            web.delete("/v1/conversations/{id}", self.erase),
            web.post("/v1/conversations/{id}/close", self.close),
            web.get("/v1/failures", self.list_failures),
            web.get("/v1/failures/{id}", self.failure),
            web.post("/v1/failures/{id}/retry", self.retry_failures),
        ]

    async def conversations(self, request: web.Request) -> web.Response:
        """Return a page of conversations, the newest first; `next` is the `before` of the next page."""
        limit = min(_query_integer(request, "limit", _MAX_PAGE), _MAX_PAGE)
        before = _query_text(request, "before")
        if before is not None and await self._journal.conversation(before) is None:
            not_found("conversation", before)
        found = await self._journal.conversations(
            connector=_query_text(request, "connector"),
            consumer=_query_text(request, "consumer"),
            before=before,
            limit=limit,
        )
        following = found[-1]["id"] if found and len(found) == limit else None
        return _json({"conversations": found, "next": following})

    async def conversation(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._journal.conversation(id)
        if found is None:
            not_found("conversation", id)
        return _json(found)

    async def assign(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        body = await _parse_body(request, Assignment)
        if not await self._journal.assign(id, body.agents):
            not_found("conversation", id)
        return _json({"conversation": id, "agents": body.agents})

    async def close(self, request: web.Request) -> web.Response:
        """Close a conversation until the consumer writes again; the platform is informed if it can be."""
        id = request.match_info["id"]
        reported = await self._replies.close(id)
        return _json({"conversation": id, "state": "closed", "told": reported})  # allow-word

    async def make_links(self, request: web.Request) -> web.Response:
        body = await _parse_body(request, LinkRequest)
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
        return _json({"links": links, "expires_at": rfc3339(expires * 1000)})

    async def retry(self, request: web.Request) -> web.Response:
        row = await self._attachment(request)
        retried = await self._journal.retry(row.message, row.position)
        fault_point("after-retry")
        if not retried and row.state in {"failed", "rejected"}:
            raise Problem(409, "Conflict", f"{row.id} cannot be retried: there is nothing to fetch")
        current = await self._journal.attachment(row.message, row.position)
        return _json(current.view if current else row.view, status=202)

    async def attachment(self, request: web.Request) -> web.Response:
        """Return the attachment's state and, while it is pending, the progress of its processing."""
        row = await self._attachment(request)
        if row.state != "pending":
            return _json(row.view)
        return _json({**row.view, "progress": progress_view(row, self._progress(row.id))})

    async def reply(self, request: web.Request) -> web.Response:
        """Accept an agent's text; 409 with a `reason` if the platform would refuse it now."""
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= 255:
            bad_request(
                "the Idempotency-Key header is missing or too long; send 1 to 255 characters, the same for each repeat"
            )
        if request.content_type.partition("/")[0] in _MEDIA_TYPES:
            _reject_all_but_text(f"a body of {request.content_type}")
        body = await _parse_body(request, Reply)
        accepted = await self._replies.accept(request.match_info["id"], key, body)
        return _json({"id": accepted["id"], "status": accepted["status"]}, status=202)

    async def read(self, request: web.Request) -> web.Response:
        reported = await self._replies.mark_read(request.match_info["id"])
        return _json({"told": reported})  # allow-word

    async def typing(self, request: web.Request) -> web.Response:
        """Show the consumer that an agent is writing, for some seconds or until the text arrives."""
        body = await _parse_body(request, Writing) if request.body_exists else Writing()
        reported = await self._replies.show_typing(request.match_info["id"], on=body.typing)
        return _json({"told": reported})  # allow-word

    async def message(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._journal.message(id) or await self._journal.agent_text(id)
        if found is None:
            not_found("message", id)
        return _json(found)

    async def messages(self, request: web.Request) -> web.Response:
        """Return at most 200 messages with a sequence above `after`; `next` is the `after` of the next page."""
        id = request.match_info["id"]
        after = _query_integer(request, "after", 0)
        limit = min(_query_integer(request, "limit", _MAX_PAGE), _MAX_PAGE)
        page = await self._journal.messages(id, after, limit)
        if page is None:
            not_found("conversation", id)
        more = page[-1]["sequence"] if len(page) == limit and page else None
        return _json({"messages": page, "next": more})

    async def capabilities(self, request: web.Request) -> web.Response:
        del request
        rows = [
            {**chart(name, connector), "health": self._health.of(name).view()}
            for name, connector in self._connectors.items()
        ]
        return _json({"connectors": rows})

    async def erase(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        if not await self._erase(id):
            not_found("conversation", id)
        return web.Response(status=204)

    async def list_failures(self, request: web.Request) -> web.Response:
        limit = _query_integer(request, "limit", _MAX_PAGE)
        return _json({"failures": await self._failures.listed(limit)})

    async def failure(self, request: web.Request) -> web.Response:
        id = request.match_info["id"]
        found = await self._failures.shown(id)
        if found is None:
            not_found("failure", id)
        return _json(found)

    async def retry_failures(self, request: web.Request) -> web.Response:
        """Retry one failure, several separated by commas, or `all`."""
        requested = request.match_info["id"]
        if requested == "all":
            return _json({"results": await self._failures.retry_all()}, status=202)
        ids = requested.split(",")
        results = [await self._failures.retry(id) for id in ids]
        if results == [None]:
            not_found("failure", requested)
        found = [
            result or {"id": id, "status": "unknown", "detail": "there is no such failure"}
            for id, result in zip(ids, results, strict=True)
        ]
        return _json({"results": found}, status=202)

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


def require_token(tokens: Sequence[str]) -> Callable[[web.Request], None]:
    """Return a check that a request carries one of the tokens; each comparison takes constant time."""
    expected = tuple(f"Bearer {token}".encode() for token in tokens)

    def check(request: web.Request) -> None:
        header = request.headers.get("authorization", "").encode("utf-8", "surrogatepass")
        matches = [hmac.compare_digest(header, token) for token in expected]
        if not any(matches):
            challenge = {"www-authenticate": 'Bearer realm="airlock"'}
            raise Problem(
                401,
                "Unauthorized",
                "this call needs the header Authorization: Bearer with one of gateway.api_tokens",
                challenge,
            )

    return check


class Authorization:
    """Authorizes requests by tokens that may be replaced; the control socket needs none.

    `built_in` are those that stay: of the built-in workspace.
    """

    def __init__(self, tokens: Sequence[str], built_in: Sequence[str] = ()) -> None:
        self._built_in = built_in
        self._check = require_token(tokens)

    def replace(self, tokens: Sequence[str]) -> None:
        self._check = require_token([*tokens, *self._built_in])

    def __call__(self, request: web.Request) -> None:
        if not is_local(request):
            self._check(request)


async def _parse_body(request: web.Request, model: type[M]) -> M:
    try:
        return model.model_validate_json(await read_body(request, _MAX_BODY))
    except BodyTooLarge:
        detail = f"the body is larger than {_MAX_BODY} bytes"
        raise Problem(413, "Content too large", detail) from None
    except BodyIncomplete:
        bad_request("the body is incomplete")
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        # For a text, an unknown field says more about what the caller intended than a missing one.
        unknown = [error for error in errors if error["type"] == "extra_forbidden"]
        if model is Reply and unknown:
            _reject_all_but_text(_field_path(unknown[0]))
        bad_request(f"{_field_path(errors[0])}: {errors[0]['msg']}")


def _field_path(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "body"


def _reject_all_but_text(what: str) -> NoReturn:
    detail = (
        f"{what} is not accepted: only text can be sent to consumers, no photos, videos or files"
    )
    raise Problem(422, "Unprocessable", detail, reason="only_text") from None


def _query_text(request: web.Request, name: str) -> str | None:
    """Return a parameter; one without a value counts as left out, as forms and templates send it."""
    return request.query.get(name) or None


def _query_integer(request: web.Request, name: str, default: int) -> int:
    value = _query_text(request, name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        bad_request(f"the query parameter {name} must be a whole number")
    return int(value)


def _json(value: Any, status: Literal[200, 202] = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")
