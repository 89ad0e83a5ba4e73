"""`POST /v1/consumer-links`: links to sanitized files for the consumers who sent them, asked for by their platform.

The request is signed as the connector's webhooks are. What a link shows is recorded with the viewer `consumer:…`.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors import Connector, Forbidden, Request
from gateway.inbound.headers import combined
from gateway.inbound.request_body import BodyIncomplete, BodyTooLarge, read_body
from gateway.journal import AttachmentRow, Journal
from gateway.media.consumer_links import ConsumerLinks, Grant
from gateway.problems import Problem, bad_request, not_found
from gateway.timestamps import rfc3339

from .pages import described_by

_MAX_BODY = 16 * 1024
#: Never shown to consumers: what they sent as they sent it, which a thief of their session must not get.
_NEVER = frozenset({"original"})


class LinkRequest(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    grant: str = Field(max_length=4000)
    rendition: str = Field(max_length=100)


class ConsumerLinkApi:
    """Makes links for the platforms whose connectors offer `outcome`. `seconds` is how long a link works."""

    def __init__(
        self,
        journal: Journal,
        links: ConsumerLinks,
        connectors: Mapping[str, Connector[Any]],
        public_url: str,
        seconds: int,
    ) -> None:
        self._journal = journal
        self._links = links
        self._connectors = connectors
        self._public_url = public_url
        self._seconds = seconds

    def set_link_seconds(self, seconds: int) -> None:
        """Change how long new links work."""
        self._seconds = seconds

    async def make(self, request: web.Request) -> web.Response:
        body = await _body(request)
        callers = self._callers(request, body)
        if not callers:
            raise Problem(401, "Unauthorized", "no connector's secret signed this request")
        wish = _parse(body)
        grant = self._links.open(wish.grant)
        if grant is None or grant.connector not in callers:
            raise Problem(403, "Forbidden", "the grant is not one of this connector's")
        row = await self._journal.find_attachment(grant.attachment)
        if row is None:
            raise Problem(410, "Gone", "the attachment was erased, or is not stored any more")
        await require_owner(self._journal, row, grant)
        if not is_shown(row, wish.rendition):
            not_found(f"rendition of {grant.attachment}", wish.rendition)
        expires = int(time.time()) + self._seconds
        url = self._links.url(grant, wish.rendition, expires)
        content = {"url": url, "expires_at": rfc3339(expires * 1000)}
        return web.Response(
            body=orjson.dumps(content),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    def _callers(self, request: web.Request, body: bytes) -> set[str]:
        """Return the connectors whose platform signed the request: several may have the same secret."""
        signed = Request(
            request.method,
            f"{self._public_url}{request.raw_path}",
            combined(request.headers),
            body,
            datetime.now(UTC),
            dict(request.query),
        )
        return {
            name
            for name, found in self._connectors.items()
            if found.capabilities.support("outcome") != "no" and _is_from(found, signed)
        }


async def own_file(
    journal: Journal, links: ConsumerLinks, request: web.Request
) -> tuple[AttachmentRow, str]:
    """Return the attachment that a consumer's link shows, and the viewer to record. Raises Problem."""
    attachment, rendition = request.match_info["attachment"], request.match_info["rendition"]
    grant = links.check(attachment, rendition, request.query, time.time())
    if grant is None:
        raise Problem(403, "Forbidden", "this link is invalid or expired; request a new one")
    row = await journal.find_attachment(attachment)
    if row is None or not is_shown(row, rendition):
        not_found("attachment", attachment)
    await require_owner(journal, row, grant)
    return row, f"consumer:{grant.consumer}"


async def require_owner(journal: Journal, row: AttachmentRow, grant: Grant) -> None:
    """Raise Problem unless the attachment is in a conversation of that consumer with that connector."""
    conversation = await journal.conversation(row.conversation_id)
    if conversation is None:
        raise Problem(410, "Gone", "the conversation was erased")
    consumer = conversation["consumer"]
    if conversation["connector"] != grant.connector or grant.consumer not in (
        consumer["id"],
        *consumer["aliases"],
    ):
        raise Problem(403, "Forbidden", "the attachment is not this consumer's")


def is_shown(row: AttachmentRow, rendition: str) -> bool:
    """Whether consumers may see a rendition of their own file."""
    return rendition not in _NEVER and described_by(rendition, row.view) in row.view["renditions"]


def _is_from(connector: Connector[Any], request: Request) -> bool:
    try:
        connector.verify(request)
    except Forbidden:
        return False
    return True


async def _body(request: web.Request) -> bytes:
    try:
        return await read_body(request, _MAX_BODY)
    except BodyTooLarge:
        raise Problem(413, "Too large", f"the body has more than {_MAX_BODY} bytes") from None
    except BodyIncomplete:
        bad_request("the body is incomplete")


def _parse(body: bytes) -> LinkRequest:
    try:
        return LinkRequest.model_validate_json(body)
    except ValidationError:
        bad_request('the body must be {"grant": …, "rendition": …}')
