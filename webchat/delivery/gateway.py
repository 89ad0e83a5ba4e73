"""Client of the gateway: deliveries to the webhook, and links to sanitized files."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import orjson

from .signing import signed_headers

#: Seconds for one call, connecting included.
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
#: Bytes that are read of an answer.
_MAX_ANSWER = 64 * 1024
_MAX_ID = 100
_LINKS_PATH = "/v1/consumer-links"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; status 0 if there was none, with the error's name as `reason`.

    `request_id` is the gateway's own, under which it logged the call.
    """

    status: int
    body: bytes = b""
    reason: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        """For the log."""
        return f"{self.status}, {self.request_id}" if self.status else self.reason

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    def content(self) -> Any:
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class GatewayClient:
    """Makes signed calls. It knows the gateway by the address of its webhook alone."""

    def __init__(self, deliver_to: str, keys: Sequence[bytes], clock: Callable[[], int]) -> None:
        self._deliver_to = deliver_to
        self._links = links_address(deliver_to)
        self._keys = keys
        self._clock = clock

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=_TIMEOUT,
            connector=aiohttp.TCPConnector(limit=64),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def deliver(self, id: str, body: bytes) -> Answer:
        return await self._post(self._deliver_to, id, body)

    async def link(self, grant: str, rendition: str) -> Answer:
        """Ask for a link to a sanitized file: `{"url", "expires_at"}`."""
        body = orjson.dumps({"grant": grant, "rendition": rendition})
        return await self._post(self._links, f"link_{secrets.token_hex(16)}", body)

    def open_file(self, url: str, headers: dict[str, str]) -> Any:
        """Open a sanitized file to pass it through: an asynchronous context manager of the response."""
        return self._session.get(url, headers=headers, allow_redirects=False)

    async def _post(self, url: str, id: str, body: bytes) -> Answer:
        headers = signed_headers(id, body, self._keys, self._clock() // 1000)
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                body = await response.content.read(_MAX_ANSWER)
                named = response.headers.get("X-Request-Id", "no request id")[:_MAX_ID]
                return Answer(response.status, body, request_id=named)
        except (TimeoutError, aiohttp.ClientError, OSError) as exc:
            return Answer(0, reason=type(exc).__name__)


def links_address(deliver_to: str) -> str:
    """Return where the gateway makes links, from the address of its webhook: it may lie below a path."""
    parts = urlsplit(deliver_to)
    prefix = parts.path.partition("/webhooks/")[0].rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc, prefix + _LINKS_PATH, "", ""))
