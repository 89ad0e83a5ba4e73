"""Base class of emulated platforms: HTTP servers on loopback, deliveries to a webhook, and a record of both."""

import asyncio
import itertools
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import aiohttp
from aiohttp import web
from yarl import URL

from .examples import Examples
from .exchange import Action, Asked, Consumer, ConsumerMessage, Delivered, SentText, Site
from .hosting import Fault, Hosted, Step, faulty_response, file_response, hang_up
from .samples import Sample

__all__ = [
    "Action",
    "Asked",
    "Consumer",
    "ConsumerMessage",
    "Delivered",
    "Fault",
    "Hosted",
    "Platform",
    "SentText",
]

#: The longest time for which any of the platforms (Apple) waits for a webhook's answer, in seconds.
_WEBHOOK_TIMEOUT = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Platform(ABC):
    """An emulated platform: the base class of every emulator.

    `webhook` is the URL to which deliveries are posted; `public_webhook` is the URL that was registered with the
    platform. They differ if there is a proxy in front of the gateway; some platforms sign the registered URL.
    """

    name: ClassVar[str]
    #: The path that follows the origin in a connector's `api_url`.
    api_path: ClassVar[str] = ""
    #: True if deliveries contain the URLs of files; otherwise the gateway looks them up at `api_url`.
    tells_addresses: ClassVar[bool] = False  # allow-word
    #: The receipts that this platform usually sends for a text, in order.
    usual_receipts: ClassVar[tuple[str, ...]] = ()
    #: What `airlock simulate --example` can send, by name.
    examples: ClassVar[Examples] = {}

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        self.webhook = webhook
        self.public_webhook = public_webhook or webhook
        self.origin = ""
        #: The origin of the content network, if this platform has one.
        self.cdn = ""

        #: Every request that was received, in order.
        self.received: list[Asked] = []
        #: Credentials that were sent where they do not belong: (path, header).
        self.leaks: list[tuple[str, str]] = []
        self.hosted: dict[str, Hosted] = {}
        self.sent: list[SentText] = []
        self.actions: list[Action] = []

        #: Faults of files, by the sample's name; `fault_for_all` applies to every other file.
        self.faults: dict[str, Fault] = {}
        self.fault_for_all: Fault | None = None
        #: Answers to the next texts, instead of success: (status, JSON body). A string is sent as plain text.
        self.refusals: list[tuple[int, Any]] = []
        #: For this many of the next texts, the text is accepted but the connection is closed before the answer.
        self.lost_answers = 0
        #: The next texts are accepted, but answered with these statuses, as by a proxy that timed out.
        self.spoilt_answers: list[int] = []
        #: Consumers who cannot receive texts: their window closed, they opted out, or they left.
        self.out_of_reach: set[str] = set()

        #: The receipts that are sent automatically for each text, such as ("sent", "delivered", "read").
        self.receipts: tuple[str, ...] = ()
        #: True if receipts are sent before the request that sent the text is answered.
        self.receipts_first = False
        #: Seconds before each receipt.
        self.receipt_pause = 0.02
        #: Receipts that the webhook did not accept: (receipt, reason).
        self.undelivered: list[tuple[str, str]] = []

        #: Seconds for which a delivery that was not accepted is retried.
        self.retries_for = 0.0
        self._aged = 0.0
        self._runners: list[web.AppRunner] = []
        self._http: aiohttp.ClientSession | None = None
        self._text_sent = asyncio.Event()
        self._receipt_tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Start the API on `port` (0 chooses a free one), and the content network on a free port."""
        self.origin = await self._listen("api", self.routes(), host, port)
        if routes := self.cdn_routes():
            self.cdn = await self._listen("cdn", routes, host, 0)
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WEBHOOK_TIMEOUT))

    async def close(self) -> None:
        """Cancel the receipts that are not sent yet, and stop the servers."""
        for task in self._receipt_tasks:
            task.cancel()
        await asyncio.gather(*self._receipt_tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
        for runner in self._runners:
            await runner.cleanup()

    async def _listen(
        self, site: Site, routes: Sequence[web.RouteDef], host: str, port: int
    ) -> str:
        app = web.Application(client_max_size=8 * 1024 * 1024, middlewares=[self._recorder(site)])
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        return f"http://{host}:{runner.addresses[0][1]}"

    def _recorder(self, site: Site) -> Any:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            body = await request.read()
            target = request.raw_path
            self.received.append(Asked(site, request.method, target, request.headers, body))
            return await handler(request)

        return record

    @property
    def api_url(self) -> str:
        """The `api_url` of a connector that uses this platform."""
        return self.origin

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the platform's API."""

    def cdn_routes(self) -> list[web.RouteDef]:
        """Return the routes of the content network, which is served from another origin."""
        return []

    def settings(self) -> dict[str, Any]:
        """Return the section of connectors.yaml that fits this platform; subclasses add to it."""
        return {"type": self.name, "api_url": self.api_url}

    def adopt(self, config: Any) -> None:
        """Use the account and the credentials of a connector's settings, for `airlock simulate`."""
        del config
        raise NotImplementedError(
            f"the emulator of {self.name} cannot use a connector's settings: it does not implement adopt()"
        )

    async def send(
        self,
        consumer: Consumer,
        text: str | None = None,
        files: Sequence[Sample] = (),
        *,
        times: int = 1,
        forged: bool = False,
    ) -> list[Delivered]:
        """Deliver a consumer's message to the webhook, as this platform does.

        Each delivery is posted `times` times; with `forged` its signature or token is invalid.
        """
        return await self.deliver_message(
            ConsumerMessage(consumer, text, tuple(files), times, forged)
        )

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Build the deliveries of a consumer's message and `post` them; every emulator implements this."""
        raise NotImplementedError(
            f"the emulator of {self.name} does not implement deliver_message()"
        )

    async def send_example(self, name: str, consumer: Consumer) -> list[Delivered]:
        """Deliver one of `examples`; raises NotPossible if this platform's settings do not allow it."""
        return await self.examples[name].send(self, consumer)

    def host(self, sample: Sample, key: str, content: bytes | None = None, **extra: Any) -> Hosted:
        """Serve a sample under `key`, or `content` in its place; `extra` is kept with it."""
        hosted = Hosted(sample, content if content is not None else sample.content, extra=extra)
        hosted.extra["since"] = self.now()
        self.hosted[key] = hosted
        return hosted

    def now(self) -> float:
        """Return the platform's time, by which its URLs expire."""
        return time.time() + self._aged

    def age(self, seconds: float) -> None:
        """Advance the platform's time, which ages every file and URL that it gave out."""
        self._aged += seconds

    async def post(
        self,
        body: bytes,
        headers: Mapping[str, str],
        ids: Sequence[str],
        *,
        url: str | None = None,
        times: int = 1,
    ) -> list[Delivered]:
        """Post one delivery to the webhook, `times` times."""
        return [
            await self._post_until_accepted(url or self.webhook, body, headers, ids)
            for _ in range(times)
        ]

    async def _post_until_accepted(
        self, url: str, body: bytes, headers: Mapping[str, str], ids: Sequence[str]
    ) -> Delivered:
        end = time.monotonic() + self.retries_for
        for attempt in itertools.count(1):
            try:
                delivered = await self._post_once(url, body, headers, ids)
            except (aiohttp.ClientError, TimeoutError):
                if time.monotonic() >= end:
                    raise
            else:
                if delivered.accepted or time.monotonic() >= end:
                    return replace(delivered, attempts=attempt)
            await asyncio.sleep(min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))
        raise AssertionError("counting has no end")

    async def _post_once(
        self, url: str, body: bytes, headers: Mapping[str, str], ids: Sequence[str]
    ) -> Delivered:
        assert self._http is not None, "start() comes first"
        exact = URL(url, encoded=True)  # the exact bytes are signed: do not quote them again
        async with self._http.post(
            exact, data=body, headers=headers, allow_redirects=False
        ) as response:
            return Delivered(response.status, await response.read(), tuple(ids), response.headers)

    async def serve(self, request: web.Request, hosted: Hosted) -> web.StreamResponse:
        """Answer with the bytes of a file, or as its fault demands."""
        hosted.asked += 1
        fault = self._fault(hosted, "bytes")
        return (
            file_response(hosted)
            if fault is None
            else await faulty_response(request, hosted, fault)
        )

    async def stumble(self, request: web.Request, hosted: Hosted) -> web.StreamResponse | None:
        """Return the faulty answer to a look-up that leads to a file, or None if the file has no such fault."""
        hosted.looked_up += 1
        fault = self._fault(hosted, "lookup")
        return None if fault is None else await faulty_response(request, hosted, fault)

    def _fault(self, hosted: Hosted, step: Step) -> Fault | None:
        fault = hosted.fault or self.faults.get(hosted.sample.name) or self.fault_for_all
        due = fault is not None and fault.at == step and fault.times > 0
        return fault if due else None

    def leaked(self, request: web.Request, *names: str) -> bool:
        """Return whether a request carries headers that do not belong there; record each in `leaks`."""
        found = [(request.path, name.lower()) for name in names if name in request.headers]
        self.leaks += found
        return bool(found)

    def refuse(self) -> web.Response | None:
        """Return the next answer of `refusals`, or None if there is none."""
        if not self.refusals:
            return None
        status, body = self.refusals.pop(0)
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status)

    async def answer_text(
        self, request: web.Request, text: SentText, answer: web.Response
    ) -> web.StreamResponse:
        """Record a text that was accepted, send its receipts, and answer, unless the answer is to be lost."""
        self.sent.append(text)
        self._text_sent.set()
        task = asyncio.create_task(self._send_receipts(text))
        self._receipt_tasks.add(task)
        task.add_done_callback(self._receipt_tasks.discard)
        if self.receipts_first:
            await task
        if self.lost_answers > 0:
            self.lost_answers -= 1
            hang_up(request)
        if self.spoilt_answers:
            return web.Response(status=self.spoilt_answers.pop(0), text="<html>Bad gateway</html>")
        return answer

    async def _send_receipts(self, text: SentText) -> None:
        for receipt in self.fate(text):
            await asyncio.sleep(self.receipt_pause)
            try:
                delivered = await self.tell(text, receipt)
            except (aiohttp.ClientError, TimeoutError) as exc:
                self.undelivered.append((receipt, repr(exc)))
            else:
                if not delivered.accepted:
                    self.undelivered.append((receipt, f"answered {delivered.status}"))

    def fate(self, text: SentText) -> Sequence[str]:
        """Return the receipts to send for a text that was accepted."""
        del text
        return self.receipts

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        """Send one receipt for a text to the webhook."""
        raise NotImplementedError(
            f"the emulator of {self.name} cannot send {receipt!r} for {text.id}: it does not implement tell()"
        )

    async def until_sent(self, count: int, seconds: float = 30.0) -> list[SentText]:
        """Wait until the gateway has sent `count` texts, and return all of them; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.sent) < count:
                self._text_sent.clear()
                await self._text_sent.wait()
        return self.sent

    async def until_receipts_sent(self, seconds: float = 30.0) -> None:
        """Wait until the receipts for all texts so far are sent; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await asyncio.gather(*self._receipt_tasks)

    #: The older name of `until_receipts_sent`.
    until_told = until_receipts_sent  # allow-word


def fresh_id() -> str:
    return uuid.uuid4().hex
