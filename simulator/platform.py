"""What the four emulated platforms share: servers on loopback, deliveries to a webhook, a record of it all."""

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

#: The longest that any of the platforms waits for a webhook (Apple), in seconds.
_WEBHOOK_TIMEOUT = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Platform(ABC):
    """One emulated platform. `webhook` is where to deliver; `public_webhook` the address it was given.

    The two differ when a proxy stands before the gateway; some platforms sign the one they were given.
    """

    name: ClassVar[str]
    #: What stands behind the origin in a connector's `api_url`.
    api_path: ClassVar[str] = ""
    #: Whether deliveries hold whole addresses of files; otherwise they are looked up at `api_url`.
    tells_addresses: ClassVar[bool] = False
    #: What this platform usually tells of a text, in that order.
    usual_receipts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        self.webhook = webhook
        self.public_webhook = public_webhook or webhook
        self.origin = ""
        #: The origin of the content network, where this platform has one.
        self.cdn = ""

        #: Every request that came in, in order.
        self.received: list[Asked] = []
        #: Requests that carried credentials where none belong: (path, header).
        self.leaks: list[tuple[str, str]] = []
        self.hosted: dict[str, Hosted] = {}
        self.sent: list[SentText] = []
        self.actions: list[Action] = []

        #: How files misbehave: by the sample's name, or all of them.
        self.faults: dict[str, Fault] = {}
        self.fault_for_all: Fault | None = None
        #: Answers for the next texts to be sent, instead of success: (status, JSON body).
        self.refusals: list[tuple[int, Any]] = []
        #: So many of the next texts are sent, but the connection ends before the answer.
        self.lost_answers = 0
        #: The next texts are sent and answered with these statuses, as by a proxy that lost its patience.
        self.spoilt_answers: list[int] = []
        #: Consumers who cannot be written to: their window closed, they opted out or left.
        self.out_of_reach: set[str] = set()

        #: What becomes of each text, told to the webhook by itself, such as ("sent", "delivered", "read").
        self.receipts: tuple[str, ...] = ()
        #: Whether it is told before the request that sent the text is answered.
        self.receipts_first = False
        self.receipt_pause = 0.02
        #: Receipts that nobody took: (what, why).
        self.undelivered: list[tuple[str, str]] = []

        #: For how many seconds a delivery that was not accepted is repeated.
        self.retries_for = 0.0
        self._aged = 0.0
        self._runners: list[web.AppRunner] = []
        self._http: aiohttp.ClientSession | None = None
        self._text_sent = asyncio.Event()
        self._receipt_tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.origin = await self._listen("api", self.routes(), host, port)
        if routes := self.cdn_routes():
            self.cdn = await self._listen("cdn", routes, host, 0)
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WEBHOOK_TIMEOUT))

    async def close(self) -> None:
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
        return self.origin

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """What the platform's own API serves."""

    def cdn_routes(self) -> list[web.RouteDef]:
        """What its content network serves, at another origin."""
        return []

    def settings(self) -> dict[str, Any]:
        """Return the section of connectors.yaml that fits this platform; subclasses add to it."""
        return {"type": self.name, "api_url": self.api_url}

    def adopt(self, config: Any) -> None:
        """Take on the account and the credentials of a connector's settings, for `airlock simulate`."""
        del config
        raise NotImplementedError(f"the emulator of {self.name} takes on no settings")

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
        return await self.deliver_message(
            ConsumerMessage(consumer, text, tuple(files), times, forged)
        )

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Build the deliveries of a consumer's message and `post` them. Subclasses implement it."""
        raise NotImplementedError(f"the emulator of {self.name} does not implement deliver_message")

    def host(self, sample: Sample, key: str, content: bytes | None = None, **extra: Any) -> Hosted:
        """Serve a file under `key`."""
        hosted = Hosted(sample, content if content is not None else sample.content, extra=extra)
        hosted.extra["since"] = self.now()
        self.hosted[key] = hosted
        return hosted

    def now(self) -> float:
        """The platform's clock, by which its addresses expire."""
        return time.time() + self._aged

    def age(self, seconds: float) -> None:
        """Let that much time pass for every file and address given out so far."""
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
        """One delivery to the webhook, `times` times."""
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
        exact = URL(url, encoded=True)  # signed byte for byte, so nothing may be quoted anew
        async with self._http.post(
            exact, data=body, headers=headers, allow_redirects=False
        ) as response:
            return Delivered(response.status, await response.read(), tuple(ids), response.headers)

    async def serve(self, request: web.Request, hosted: Hosted) -> web.StreamResponse:
        """The bytes of a file, or what its fault makes of them."""
        hosted.asked += 1
        fault = self._fault(hosted, "bytes")
        return (
            file_response(hosted)
            if fault is None
            else await faulty_response(request, hosted, fault)
        )

    async def stumble(self, request: web.Request, hosted: Hosted) -> web.StreamResponse | None:
        """What a fault makes of the request that leads to a file; None if it goes well."""
        hosted.looked_up += 1
        fault = self._fault(hosted, "lookup")
        return None if fault is None else await faulty_response(request, hosted, fault)

    def _fault(self, hosted: Hosted, step: Step) -> Fault | None:
        fault = hosted.fault or self.faults.get(hosted.sample.name) or self.fault_for_all
        due = fault is not None and fault.at == step and fault.times > 0
        return fault if due else None

    def leaked(self, request: web.Request, *names: str) -> bool:
        """Whether a request carries headers that do not belong there; each is remembered."""
        found = [(request.path, name.lower()) for name in names if name in request.headers]
        self.leaks += found
        return bool(found)

    def refuse(self) -> web.Response | None:
        """The refusal that stands next in line for a text, if there is one."""
        if not self.refusals:
            return None
        status, body = self.refusals.pop(0)
        return web.json_response(body, status=status)

    async def answer_text(
        self, request: web.Request, text: SentText, answer: web.Response
    ) -> web.StreamResponse:
        """Keep a text that was taken, tell what becomes of it, and answer; unless the answer is to be lost."""
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
        """What becomes of a text that was taken."""
        del text
        return self.receipts

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        """Tell the webhook what became of a text."""
        raise NotImplementedError(f"{self.name} tells nothing about texts ({receipt} of {text.id})")

    async def until_sent(self, count: int, seconds: float = 30.0) -> list[SentText]:
        """Wait until the gateway has sent so many texts; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.sent) < count:
                self._text_sent.clear()
                await self._text_sent.wait()
        return self.sent

    async def until_receipts_sent(self, seconds: float = 30.0) -> None:
        """Wait until everything about the texts sent so far was told to the webhook."""
        async with asyncio.timeout(seconds):
            await asyncio.gather(*self._receipt_tasks)

    #: The older name of `until_receipts_sent`.
    until_told = until_receipts_sent  # allow-word


def fresh_id() -> str:
    return uuid.uuid4().hex
