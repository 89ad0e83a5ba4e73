"""Client of the conversation core: one signed POST for each event."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import aiohttp

from gateway.backoff import retry_after
from gateway.events.envelope import MEDIA_TYPE
from gateway.observability.metrics import DELIVERED
from gateway.timestamps import now_ms, to_ms

from .signing import Signer

#: Standard Webhooks asks receivers to answer within 15 seconds.
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


#: The start of an event as `envelope.render` writes it. Parsing the whole body would cost more.
_RECEIVED = re.compile(
    rb'"type":"message\.received","source":"([^"\\]{1,200})","subject":"[^"\\]{1,100}","time":"([^"]{20,30})"'
)
_PREFIX_BYTES = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """The core's answer to an event.

    taken   the core has the event
    again   not now; retry after `after` seconds, if given
    gone    410: the core wants no more events
    """

    verdict: Literal["taken", "again", "gone"]
    status: int | None = None
    after: float | None = None
    error: str = ""


class CoreClient:
    """Posts to one URL over persistent connections. httpx was measured to be thirty times slower at this."""

    def __init__(self, url: str, secrets: Sequence[str], *, connections: int) -> None:
        self._url = url
        self._signer = Signer(secrets)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=_TIMEOUT,
            headers={"content-type": MEDIA_TYPE, "user-agent": "Airlock"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def post(self, event_id: str, body: bytes) -> Answer:
        headers = self._signer.headers(event_id, int(time.time()), body)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                answer = _answer(response.status, response.headers.get("retry-after", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            return Answer("again", error=type(exc).__name__)
        if answer.verdict == "taken":
            observe_delivery_latency(body)
        return answer

    async def close(self) -> None:
        await self._session.close()


def _answer(status: int, retry_after_header: str) -> Answer:
    if 200 <= status < 300:
        return Answer("taken", status)
    if status == 410:
        return Answer("gone", status)
    return Answer(
        "again", status, retry_after(retry_after_header, datetime.now(UTC)), f"HTTP {status}"
    )


def observe_delivery_latency(body: bytes) -> None:
    """Measure how long a message took from the platform to the core; later events of it are not measured."""
    found = _RECEIVED.search(body, 0, _PREFIX_BYTES)
    if found is not None:
        received = to_ms(datetime.fromisoformat(found[2].decode()))
        DELIVERED.labels(found[1].decode()).observe(max(0, now_ms() - received) / 1000)
