"""A conversation with the emulator of a platform: what it delivers, and what it answers to the connector's calls.

The emulator (`simulator.Platform`, see docs/connectors/demo.md) is written from the platform's documentation and shares
no code with the connector. Where both disagree, one of them is wrong, whatever the recordings say. The kit knows it by
its methods only, so that connectors do not depend on the simulator.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import orjson
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from connectors.contract import Call, Connector, Delivery, Download, Purpose, Reply, Request, Text
from connectors.contract import Typing as TypingIndicator
from connectors.errors import Rejected
from connectors.tools.authorization import headers_for_call
from connectors.tools.gzip_body import inflate
from normalizer.events import AnyEvent, MediaRef, Message

WEBHOOK = "https://chat.example.com/webhooks/emulated"
SAID, CAPTION, REPLY = "kit text 4711", "kit caption 4712", "kit answer 4713"
KEY = "msg_kit_4711"
_HOPS = 4


@dataclass(frozen=True, slots=True)
class Sample:
    """A file as the emulators serve it (`simulator.Sample`)."""

    name: str
    media_type: str
    content: bytes
    canaries: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumer:
    """A person as the emulators know them (`simulator.Consumer`)."""

    id: str
    name: str
    user_id: str = ""


#: A number is an id on every platform, except those that want a plus before it.
ANN = "491511234567"
NAME = "Ann Example"
#: The kinds of files, in the order in which they are sent.
SAMPLES: Mapping[str, Sample] = {
    "photo": Sample("first.jpg", "image/jpeg", b"\xff\xd8 a photo of the kit"),
    "video": Sample("second.mp4", "video/mp4", b"a video of the kit"),
    "document": Sample("third.pdf", "application/pdf", b"%PDF a document of the kit"),
}


@dataclass(slots=True)
class Posted:
    """One delivery of the emulator, with what the connector makes of it."""

    request: Request
    ids: tuple[str, ...]
    content: Any
    forbidden: Exception | None = None
    events: tuple[AnyEvent, ...] = ()


@dataclass(slots=True)
class Fetched:
    """A file of the emulator as the gateway would fetch it."""

    ref: MediaRef
    download: Download | None = None
    content: bytes = b""
    refused: Rejected | None = None


@dataclass(slots=True)
class Story:
    """What happened in the conversation; a step that the connector or its chart does not allow stays empty."""

    connector: Connector[Any]
    consumer: Consumer
    said: list[Posted] = field(default_factory=list)
    shown: list[Posted] = field(default_factory=list)
    forged: list[Posted] = field(default_factory=list)
    fetched: list[Fetched] = field(default_factory=list)
    #: The end of `send_text`, the same once more, and the texts that arrived at the platform.
    sent: Any = None
    sent_again: Any = None
    arrived: list[Any] = field(default_factory=list)
    arrived_once: int = 0
    out_of_reach: Any = None
    receipts: dict[str, list[Posted]] = field(default_factory=dict)
    #: The actions that arrived at the platform, by the flow that made them.
    actions: dict[str, list[Any]] = field(default_factory=dict)
    ends: dict[str, Any] = field(default_factory=dict)
    leaks: list[Any] = field(default_factory=list)

    @property
    def message(self) -> Message | None:
        """The first message of the consumer."""
        events = [event for posted in self.said for event in posted.events]
        return next((event for event in events if isinstance(event, Message)), None)


@lru_cache(maxsize=4)
def story_of(kind: type[Connector[Any]], emulator: Any, consumer: str) -> Story:
    """A conversation of a connector with the emulator of its platform. It takes a fraction of a second."""
    return asyncio.run(_lived(kind, emulator, Consumer(consumer, NAME)))


async def _lived(
    kind: type[Connector[Any]], emulator: Callable[..., Any], consumer: Consumer
) -> Story:
    platform = emulator(WEBHOOK)
    posts: list[Posted] = []

    async def post(
        body: bytes,
        headers: Mapping[str, str],
        ids: Sequence[str],
        *,
        url: str | None = None,
        times: int = 1,
    ) -> list[Any]:
        posts.extend(_posted(connector, body, headers, ids, url or WEBHOOK) for _ in range(times))
        answer = SimpleNamespace(status=200, accepted=True, body=b"", ids=tuple(ids), headers={})
        return [answer] * times

    platform.post = post
    await platform.start()
    try:
        settings = {name: value for name, value in platform.settings().items() if name != "type"}
        connector = kind(kind.Config.model_validate(settings))
        async with httpx.AsyncClient(trust_env=False) as client:
            gateway = _Gateway(connector, client)
            return await _talked(Story(connector, consumer), platform, gateway, posts)
    finally:
        await platform.close()


async def _talked(story: Story, platform: Any, gateway: "_Gateway", posts: list[Posted]) -> Story:
    await platform.send(story.consumer, SAID)
    story.said = _taken(posts)
    await platform.send(story.consumer, CAPTION, tuple(SAMPLES.values()))
    story.shown = _taken(posts)
    await platform.send(story.consumer, SAID, forged=True)
    story.forged = _taken(posts)
    events = [event for posted in story.shown for event in posted.events]
    for event in events:
        for found in getattr(event, "attachments", ()):
            if found.media is not None:
                story.fetched.append(await gateway.fetch(found.media))
    await _answered(story, platform, gateway, posts)
    story.ends["check"] = await gateway.end(gateway.connector.check, "check")
    story.leaks = list(platform.leaks)
    return story


async def _answered(story: Story, platform: Any, gateway: "_Gateway", posts: list[Posted]) -> None:
    message, connector = story.message, gateway.connector
    if message is None:
        return
    to, offers = message.party.id, connector.capabilities.support
    out = Text(KEY, message.account, to, REPLY, f"{WEBHOOK}?m={KEY}", route=message.route)
    if offers("send_text") != "no":
        story.sent = await gateway.end(lambda: connector.send_text(out), "send")
        story.arrived_once = len(platform.sent)
        story.arrived = list(platform.sent)
        if connector.resend_is_safe:
            story.sent_again = await gateway.end(lambda: connector.send_text(out), "send")
            story.arrived_once = len(platform.sent)
        for receipt in platform.usual_receipts if platform.sent else ():
            _taken(posts)
            await platform.tell(platform.sent[0], receipt)
            story.receipts[receipt] = _taken(posts)
    on = TypingIndicator("typing_kit", message.account, to, message.id)
    flows = {
        "mark_read": lambda: connector.mark_read(message.account, to, message.id),
        "send_typing": lambda: connector.send_typing(on),
        "send_typing off": lambda: connector.send_typing(replace(on, on=False)),
    }
    for name, flow in flows.items():
        if offers(name.partition(" ")[0]) != "no":  # type: ignore[arg-type]  # the names of features
            before = len(platform.actions)
            story.ends[name] = await gateway.end(flow, "send")
            story.actions[name] = list(platform.actions[before:])
    platform.out_of_reach.add(story.consumer.id)
    if offers("send_text") != "no":
        later = replace(out, key=f"{KEY}_later")
        story.out_of_reach = await gateway.end(lambda: connector.send_text(later), "send")


def _taken(posts: list[Posted]) -> list[Posted]:
    found = list(posts)
    posts.clear()
    return found


def _posted(
    connector: Connector[Any],
    body: bytes,
    headers: Mapping[str, str],
    ids: Sequence[str],
    url: str,
) -> Posted:
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    lower = {name.lower(): value for name, value in headers.items()}
    request = Request("POST", url, lower, body, datetime.now(UTC), query)
    found = Posted(request, tuple(ids), _opened(connector, body))
    try:
        connector.verify(request)
    except Exception as exc:  # noqa: BLE001 - the checks say which of them may come
        found.forbidden = exc
        return found
    kept = {name: value for name, value in lower.items() if name in connector.keeps}
    asked = {name: value for name, value in query.items() if name in connector.keeps_query}
    delivery = Delivery(found.content, kept, asked, request.received_at)
    found.events = tuple(connector.parse(delivery))
    return found


def _opened(connector: Connector[Any], body: bytes) -> Any:
    if connector.body == "form":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    return orjson.loads(
        inflate(body, connector.max_body) if connector.body == "gzip-json" else body
    )


class _Gateway:
    """Runs flows as the gateway does, over HTTP on loopback."""

    def __init__(self, connector: Connector[Any], client: httpx.AsyncClient) -> None:
        self.connector = connector
        self._client = client
        self._now = datetime.now(UTC)
        self._token: Any = None

    async def end(self, start: Callable[[], Any], purpose: Purpose) -> Any:
        """The result of a flow, or the exception with which it ends."""
        try:
            return await self._run(start(), purpose)
        except Exception as exc:  # noqa: BLE001 - the checks say which of them may come
            return exc

    async def fetch(self, ref: MediaRef) -> Fetched:
        found = await self.end(lambda: self.connector.media(ref), "lookup")
        if not isinstance(found, Download):
            return Fetched(ref, refused=found)
        try:
            reply = await self._followed(found.call)
            if reply.status >= 300:
                raise self.connector.refusal(replace(reply, purpose="download"))
        except Exception as exc:  # noqa: BLE001 - as above
            return Fetched(ref, found, refused=exc)  # type: ignore[arg-type]  # shown as it is
        return Fetched(ref, found, _plain(found, reply.body))

    async def _run(self, flow: Any, purpose: Purpose, *, for_token: bool = False) -> Any:
        if not isinstance(flow, Generator):
            return flow
        try:
            call = next(flow)
            while True:
                reply = await self._ask(call, for_token=for_token)
                if reply.status >= 300 and reply.status not in call.expects:
                    raise self.connector.refusal(replace(reply, purpose=purpose))
                call = flow.send(replace(reply, purpose=purpose))
        except StopIteration as end:
            return end.value

    async def _followed(self, call: Call) -> Reply:
        for _ in range(_HOPS):
            reply = await self._ask(call)
            location = reply.headers.get("location")
            if reply.status not in {301, 302, 303, 307, 308} or location is None:
                break
            call = Call("GET", urljoin(call.url, location), auth=call.auth)
        return reply

    async def _ask(self, call: Call, *, for_token: bool = False) -> Reply:
        headers = dict(call.headers)
        if call.auth and not for_token and self._is_ours(call.url):
            if self._token is None:
                flow = self.connector.token(self._now)
                self._token = await self._run(flow, "check", for_token=True)
            headers |= headers_for_call(self.connector, self._now, self._token, call)
        content: dict[str, Any] = {}
        if call.json is not None:
            content = {"json": call.json}
        elif call.form is not None:
            content = {"data": dict(call.form)}
        elif call.body is not None:
            content = {"content": call.body}
        answer = await self._client.request(call.method, call.url, headers=headers, **content)
        try:
            found = orjson.loads(answer.content)
        except ValueError:
            found = None
        return Reply(answer.status_code, dict(answer.headers), found, answer.content)

    def _is_ours(self, url: str) -> bool:
        """Whether the gateway would add the headers of `authorize`."""
        target, api = urlsplit(url), urlsplit(self.connector.config.api)
        return (target.scheme, target.netloc) == (api.scheme, api.netloc)


def _plain(found: Download, body: bytes) -> bytes:
    if found.decrypt is None:
        return body
    cipher = Cipher(algorithms.AES(found.decrypt.key), modes.CTR(found.decrypt.counter))
    return cipher.decryptor().update(body)
