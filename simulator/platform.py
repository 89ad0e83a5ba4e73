"""What the four emulated platforms share: an HTTP server on loopback, deliveries to a webhook, faults."""

import asyncio
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp
from aiohttp import web

from .samples import Sample


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who writes: `id` as the platform calls them."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the webhook answered to one delivery, and the messages it held."""

    status: int
    body: bytes
    ids: tuple[str, ...]


@dataclass(slots=True)
class Fault:
    """How a file misbehaves when it is asked for, the next `times` times.

    `status` answers that status, `hang` never answers, `drip` sends a byte now and then, `truncate` stops
    half-way, `redirect` sends the client elsewhere, `replace` serves other bytes.
    """

    status: int | None = None
    hang: bool = False
    drip: bool = False
    truncate: bool = False
    redirect: str | None = None
    replace: bytes | None = None
    times: int = 1_000_000


@dataclass(slots=True)
class Hosted:
    """A file that the platform serves. `asked` counts the requests for its bytes."""

    sample: Sample
    content: bytes
    fault: Fault | None = None
    asked: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that the gateway sent through the platform."""

    id: str
    to: str
    text: str
    raw: Mapping[str, Any]


class Platform(ABC):
    """One emulated platform. `webhook` is where to deliver; `public_webhook` the address it was given.

    The two differ when a proxy stands before the gateway; some platforms sign the one they were given.
    """

    name: ClassVar[str]

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        self.webhook = webhook
        self.public_webhook = public_webhook or webhook
        self.hosted: dict[str, Hosted] = {}
        self.sent: list[SentText] = []
        #: Requests that carried credentials where none belong: (path, header).
        self.leaks: list[tuple[str, str]] = []
        #: Answers for the next texts to be sent, instead of success: (status, JSON body).
        self.refusals: list[tuple[int, Any]] = []
        self.fault_for_all: Fault | None = None
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None
        self.origin = ""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.origin = f"http://{host}:{self._runner.addresses[0][1]}"
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return self.origin

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """What the platform's own API serves."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """The section of connectors.yaml that fits this platform."""

    @abstractmethod
    async def send(
        self,
        consumer: Consumer,
        text: str | None = None,
        files: Sequence[Sample] = (),
        *,
        times: int = 1,
        forged: bool = False,
    ) -> list[Delivered]:
        """Deliver a message as this platform does, each delivery `times` times, with a wrong proof if `forged`."""

    def host(self, sample: Sample, key: str, content: bytes | None = None, **extra: Any) -> Hosted:
        """Serve a file under `key`."""
        hosted = Hosted(sample, content if content is not None else sample.content, extra=extra)
        self.hosted[key] = hosted
        return hosted

    async def post(
        self,
        body: bytes,
        headers: Mapping[str, str],
        ids: Sequence[str],
        *,
        url: str | None = None,
        times: int = 1,
    ) -> list[Delivered]:
        """One delivery to the webhook, `times` times."""
        return [await self._post(url or self.webhook, body, headers, ids) for _ in range(times)]

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str], ids: Sequence[str]
    ) -> Delivered:
        assert self._http is not None, "start() comes first"
        async with self._http.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as response:
            return Delivered(response.status, await response.read(), tuple(ids))

    async def serve(self, request: web.Request, hosted: Hosted) -> web.StreamResponse:
        """The bytes of a file, or what its fault makes of them."""
        hosted.asked += 1
        fault = hosted.fault or self.fault_for_all
        if fault is None or fault.times <= 0:
            return web.Response(body=hosted.content, content_type=hosted.sample.media_type)
        fault.times -= 1
        if fault.hang:
            await asyncio.sleep(3600)
        if fault.status is not None:
            return web.Response(status=fault.status, text="the platform says no")
        if fault.redirect is not None:
            return web.Response(status=302, headers={"location": fault.redirect})
        if fault.replace is not None:
            return web.Response(body=fault.replace, content_type=hosted.sample.media_type)
        return await self._slowly(request, hosted, fault)

    async def _slowly(
        self, request: web.Request, hosted: Hosted, fault: Fault
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": str(len(hosted.content))})
        await response.prepare(request)
        if fault.truncate:
            await response.write(hosted.content[: len(hosted.content) // 2])
            if request.transport is not None:
                request.transport.close()
            return response
        for start in range(0, len(hosted.content), 500):
            await response.write(hosted.content[start : start + 500])
            await asyncio.sleep(0.5)
        return response

    def refuse(self) -> web.Response | None:
        """The refusal that stands next in line for a text, if there is one."""
        if not self.refusals:
            return None
        status, body = self.refusals.pop(0)
        return web.json_response(body, status=status)


def fresh_id() -> str:
    return uuid.uuid4().hex
