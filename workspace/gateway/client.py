"""The calls the workspace makes to the gateway's public API, as any other conversation core would."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from yarl import URL

#: The gateway answers from its own disk; whoever waits longer should be told so.
_PATIENCE = aiohttp.ClientTimeout(total=15)


_AWAY = "The gateway cannot be reached right now."


class GatewayError(Exception):
    """A call that did not do what was asked. `sentence` is for the person who asked."""

    def __init__(self, status: int, sentence: str, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {sentence}")
        self.status = status
        self.sentence = sentence
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: Any


class GatewayClient:
    """`open` before use, `close` after."""

    def __init__(self, gateway_url: str, api_token: str) -> None:
        self._url = gateway_url.rstrip("/")
        self._token = api_token

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"}, timeout=_PATIENCE
        )

    async def close(self) -> None:
        await self._session.close()

    async def links(self, attachment: str, agent: str) -> Mapping[str, Any]:
        """Short-lived addresses of an attachment's renditions, for this agent."""
        path = f"/v1/attachments/{_part(attachment)}/links"
        answer = await self.call("POST", path, {"agent": agent})
        found: Mapping[str, Any] = answer.content
        return found

    async def assign(self, conversation: str, agents: list[str]) -> None:
        """Tell the gateway who may see the media of a conversation."""
        await self.call(
            "PUT", f"/v1/conversations/{_part(conversation)}/agents", {"agents": agents}
        )

    async def erase(self, conversation: str) -> None:
        """Remove a conversation for good. One the gateway has no more is as gone as it can be."""
        try:
            await self.call("DELETE", f"/v1/conversations/{_part(conversation)}")
        except GatewayError as trouble:
            if trouble.status != 404:
                raise

    async def mark_read(self, message: str) -> None:
        await self.call("POST", f"/v1/messages/{_part(message)}/read")

    async def typing(self, conversation: str, *, on: bool) -> None:
        """Show the consumer that an agent is writing, or no longer is."""
        await self.call("POST", f"/v1/conversations/{_part(conversation)}/typing", {"typing": on})

    async def attachment(self, id: str) -> Mapping[str, Any]:
        """An attachment as the gateway has it now; while it is pending with its `progress`."""
        answer = await self.call("GET", f"/v1/attachments/{_part(id)}")
        return answer.content if isinstance(answer.content, Mapping) else {}

    async def retry(self, attachment: str) -> Mapping[str, Any]:
        """Fetch and sanitize again; the attachment as it is now."""
        answer = await self.call("POST", f"/v1/attachments/{_part(attachment)}/retry")
        return answer.content if isinstance(answer.content, Mapping) else {}

    async def send(
        self, conversation: str, text: str, agent: str, key: str, reply_to: str | None = None
    ) -> str:
        """Send an agent's text, once for each key however often it is called; the gateway's id of it."""
        path = f"/v1/conversations/{_part(conversation)}/messages"
        content = {"text": text, "agent": agent}
        if reply_to is not None:
            content["reply_to"] = reply_to
        answer = await self.call("POST", path, content, {"Idempotency-Key": key})
        return str(answer.content["id"])

    @asynccontextmanager
    async def media(self, link: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The bytes behind a link, asked for where the gateway is and not where browsers see it."""
        parts = urlsplit(link)
        address = f"{self._url}{parts.path}?{parts.query}"
        # A slow agent may take long over a long video: the time-out is for each read, not for the whole.
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        asking = self._session.get(
            URL(address, encoded=True), timeout=timeout, allow_redirects=False
        )
        try:
            response = await asking
        except (aiohttp.ClientError, TimeoutError) as trouble:
            raise GatewayError(503, _AWAY, {}) from trouble
        async with response:
            yield response

    async def call(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call; raises GatewayError unless it was answered with success."""
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=None if content is None else orjson.dumps(content),
                headers={"Content-Type": "application/json", **(headers or {})},
                allow_redirects=False,
            ) as response:
                found = _content(await response.read())
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as trouble:
            raise GatewayError(503, _AWAY, {}) from trouble
        if not 200 <= status < 300:
            problem = found if isinstance(found, Mapping) else {}
            raise GatewayError(status, _sentence(status, problem), problem)
        return Answer(status, found)


def _part(id: str) -> str:
    return quote(id, safe="")


def _content(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _sentence(status: int, problem: Mapping[str, Any]) -> str:
    told = problem.get("detail") or problem.get("title")
    if told:
        return str(told)
    return _SENTENCES.get(status, f"The gateway answered {status}.")


_SENTENCES = {
    401: "The gateway does not know the workspace's token.",
    403: "Only assigned agents may see this.",
    404: "The gateway does not know this.",
    410: "This is no longer stored.",
    501: "The gateway cannot do this.",
}
