"""Client of the conversation core: one signed POST for each event, or for several where the core asks for it."""

import hashlib
import re
import time
from collections.abc import Sequence
from datetime import datetime

import aiohttp

from gateway.events.envelope import BATCH_MEDIA_TYPE, MEDIA_TYPE
from gateway.observability.metrics import DELIVERED
from gateway.timestamps import now_ms, to_ms

from .answers import MAX_ANSWER, TAKEN_IN_PART, Answer, answer_of, taken_in_part
from .event_spans import EventSpans
from .signing import Signer

#: Standard Webhooks asks receivers to answer within 15 seconds.
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)


#: The start of an event as `envelope.render` writes it. Parsing the whole body would cost more.
_RECEIVED = re.compile(
    rb'"type":"message\.received","source":"([^"\\]{1,200})","subject":"[^"\\]{1,100}","time":"([^"]{20,30})"'
)
_TRACEPARENT = re.compile(rb'"traceparent":"([0-9a-f-]{55})"')
_PREFIX_BYTES = 700


class CoreClient:
    """Posts to one URL over persistent connections. httpx was measured to be thirty times slower at this."""

    def __init__(
        self,
        url: str,
        secrets: Sequence[str],
        *,
        connections: int,
        spans: EventSpans | None = None,
    ) -> None:
        self._url = url
        self._spans = spans
        self._signer = Signer(secrets)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=_TIMEOUT,
            headers={"content-type": MEDIA_TYPE, "user-agent": "Airlock"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def post(self, event_id: str, body: bytes) -> Answer:
        """Post one event."""
        started = now_ms()
        answer = await self._post(event_id, body, 1)
        if answer.verdict == "taken":
            observe_delivery_latency(body)
        if self._spans is not None:
            self._spans.posted([body], started, answer)
        return answer

    async def post_batch(self, events: Sequence[tuple[str, bytes]]) -> Answer:
        """Post several events, each with its id, in one body. One alone goes as `post` sends it."""
        if len(events) == 1:
            return await self.post(*events[0])
        started = now_ms()
        body = b"[" + b",".join(event for _, event in events) + b"]"
        answer = await self._post(_batch_id(events), body, len(events))
        taken = len(events) if answer.verdict == "taken" else answer.first
        for _, event in events[:taken]:
            observe_delivery_latency(event)
        if self._spans is not None:
            self._spans.posted([event for _, event in events], started, answer)
        return answer

    async def _post(self, id: str, body: bytes, count: int) -> Answer:
        headers = self._signer.headers(id, int(time.time()), body)
        if count > 1:
            headers["content-type"] = BATCH_MEDIA_TYPE
        elif self._spans is not None and (found := _TRACEPARENT.search(body, 0, _PREFIX_BYTES)):
            # For cores whose HTTP server takes up traces by itself.
            headers["traceparent"] = found[1].decode()
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status == TAKEN_IN_PART and count > 1:
                    return taken_in_part(await response.content.read(MAX_ANSWER), count)
                return answer_of(response.status, response.headers.get("retry-after", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            return Answer("again", error=type(exc).__name__)

    def point_to(self, url: str, secrets: Sequence[str]) -> bool:
        """Use another URL and other secrets from the next event on; whether the URL is another one."""
        is_other = url != self._url
        self._url, self._signer = url, Signer(secrets)
        return is_other

    async def close(self) -> None:
        await self._session.close()


def _batch_id(events: Sequence[tuple[str, bytes]]) -> str:
    """Return an id that is the same for a repeat of the same batch."""
    ids = ",".join(id for id, _ in events)
    return f"batch_{hashlib.blake2b(ids.encode(), digest_size=16).hexdigest()}"


def observe_delivery_latency(body: bytes) -> None:
    """Measure how long a message took from the platform to the core; later events of it are not measured."""
    found = _RECEIVED.search(body, 0, _PREFIX_BYTES)
    if found is not None:
        received = to_ms(datetime.fromisoformat(found[2].decode()))
        DELIVERED.labels(found[1].decode()).observe(max(0, now_ms() - received) / 1000)
