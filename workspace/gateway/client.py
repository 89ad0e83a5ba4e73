"""Client for the gateway's public API, with the calls that any conversation core makes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from yarl import URL

from workspace.text.language import DEFAULT, is_said, say, speaking
from workspace.text.wording import describe_refusal, store_refusal

#: The gateway answers from its own disk. An agent who would wait longer gets an error instead.
_TIMEOUT = aiohttp.ClientTimeout(total=15)


class GatewayError(Exception):
    """A call to the gateway failed. `stored` is why, for readers of any language."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.stored = _describe(status, problem)
        super().__init__(f"{status}: {describe_refusal(self.stored)}")

    @property
    def detail(self) -> str:
        """A sentence for the person who made the request."""
        return describe_refusal(self.stored) or ""


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    status: int
    content: Any


class GatewayClient:
    """Call `open` before use and `close` afterwards."""

    def __init__(self, gateway_url: str, api_token: str) -> None:
        self._url = gateway_url.rstrip("/")
        self._token = api_token

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"}, timeout=_TIMEOUT
        )

    async def close(self) -> None:
        await self._session.close()

    async def get_links(self, attachment: str, agent: str) -> Mapping[str, Any]:
        """Return short-lived links to an attachment's renditions, valid for this agent."""
        path = f"/v1/attachments/{_segment(attachment)}/links"
        response = await self.request("POST", path, {"agent": agent})
        found: Mapping[str, Any] = response.content
        return found

    async def assign(self, conversation: str, agents: list[str]) -> None:
        """Set which agents may see the media of a conversation."""
        await self.request(
            "PUT", f"/v1/conversations/{_segment(conversation)}/agents", {"agents": agents}
        )

    async def set_open(self, conversation: str, *, is_open: bool) -> None:
        """Close a conversation, so that the platform is informed, or take that back.

        A conversation that the gateway no longer has, or that the consumer closed (409), stays as it is there.
        """
        action = "reopen" if is_open else "close"
        try:
            await self.request("POST", f"/v1/conversations/{_segment(conversation)}/{action}")
        except GatewayError as exc:
            if exc.status not in {404, 409}:
                raise

    async def has_opted_out(self, conversation: str) -> bool:
        """Return whether the gateway refuses texts because the consumer opted out of them."""
        path = f"/v1/conversations/{_segment(conversation)}"
        content = (await self.request("GET", path)).content
        return isinstance(content, Mapping) and content.get("opted_out") is True

    async def erase(self, conversation: str) -> None:
        """Erase a conversation for good. A conversation that the gateway no longer has counts as erased."""
        try:
            await self.request("DELETE", f"/v1/conversations/{_segment(conversation)}")
        except GatewayError as exc:
            if exc.status != 404:
                raise

    async def erase_person(self, consumer: str, connector: str) -> None:
        """Have a person erased everywhere, in the background. The gateway keeps the request until it is done."""
        await self.request("POST", "/v1/erasures", {"consumer": consumer, "connector": connector})

    async def mark_read(self, message: str) -> None:
        await self.request("POST", f"/v1/messages/{_segment(message)}/read")

    async def set_typing(self, conversation: str, *, on: bool) -> None:
        """Show the consumer that an agent is typing, or has stopped."""
        await self.request(
            "POST", f"/v1/conversations/{_segment(conversation)}/typing", {"typing": on}
        )

    async def get_attachment(self, id: str) -> Mapping[str, Any]:
        """Return the attachment as the gateway has it now. A pending one has a `progress`."""
        response = await self.request("GET", f"/v1/attachments/{_segment(id)}")
        return response.content if isinstance(response.content, Mapping) else {}

    async def retry_attachment(self, attachment: str) -> Mapping[str, Any]:
        """Make the gateway fetch and sanitize an attachment again; return the attachment as it is now."""
        response = await self.request("POST", f"/v1/attachments/{_segment(attachment)}/retry")
        return response.content if isinstance(response.content, Mapping) else {}

    async def send_text(
        self, conversation: str, text: str, agent: str, key: str, reply_to: str | None = None
    ) -> str:
        """Send an agent's text and return the gateway's id of it. Repeated calls with one key send the text once."""
        path = f"/v1/conversations/{_segment(conversation)}/messages"
        content = {"text": text, "agent": agent}
        if reply_to is not None:
            content["reply_to"] = reply_to
        response = await self.request("POST", path, content, {"Idempotency-Key": key})
        return str(response.content["id"])

    @asynccontextmanager
    async def open_media(self, link: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open the media behind a link. The request goes to `gateway_url`, not to the origin that browsers use."""
        parts = urlsplit(link)
        address = f"{self._url}{parts.path}?{parts.query}"
        # An agent on a slow line may take long to download a video, so the timeout is for each read, not for the whole.
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        request = self._session.get(
            URL(address, encoded=True), timeout=timeout, allow_redirects=False
        )
        try:
            response = await request
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise GatewayError(_NO_ANSWER, {}) from exc
        async with response:
            yield response

    async def request(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> GatewayResponse:
        """Make one call. Raises GatewayError unless the gateway answers with success."""
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=None if content is None else orjson.dumps(content),
                headers={"Content-Type": "application/json", **(headers or {})},
                allow_redirects=False,
            ) as response:
                found = _parse_body(await response.read())
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise GatewayError(_NO_ANSWER, {}) from exc
        if not 200 <= status < 300:
            problem = found if isinstance(found, Mapping) else {}
            raise GatewayError(status, problem)
        return GatewayResponse(status, found)


def _segment(id: str) -> str:
    return quote(id, safe="")


def _parse_body(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _describe(status: int, problem: Mapping[str, Any]) -> str:
    """Return the gateway's own sentence, and the key of ours if there is one."""
    reason, detail = (
        f"reason.{problem.get('reason')}",
        problem.get("detail") or problem.get("title"),
    )
    if detail:
        return store_refusal(reason if is_said(reason) else "", str(detail))
    key = _KEYS.get(status, f"gateway.{status}")
    key = key if is_said(key) else "gateway.error"
    with speaking(DEFAULT):
        return store_refusal(key, say(key, status=str(status)), str(status))


#: The status of a call without an answer, and ours for it.
_NO_ANSWER = 503
_KEYS = {_NO_ANSWER: "gateway.unreachable"}
