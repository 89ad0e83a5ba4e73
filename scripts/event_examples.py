"""Make the examples of docs/events.md: run a gateway with emulated platforms, and keep the events that it sends.

Without arguments the script writes them into the page; with --print it prints them as one JSON object.
"""

import asyncio
import json
import logging
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from gateway.observability.logs import configure
from gateway.service import Gateway
from gateway.settings import load
from simulator import PLATFORMS, Consumer, Core, Fault, Platform, Sample, photo, video
from simulator.samples import document, voice
from simulator.whatsapp import messages

PAGE = Path(__file__).parents[1] / "docs" / "events.md"
TOKEN = "a-token-of-the-core"
SECRET = "whsec_" + "A" * 43 + "="
ANN = Consumer("15550001111", "Ann")
BEN = Consumer("7712345678901234", "Ben")
DANA = Consumer("urn:mbid:AQAAYexampleDana", "Dana")
ARCHIVE = Sample("photos.zip", "application/zip", b"PK\3\4" + bytes(26))
#: Seconds that one event may take on a busy machine.
TIMEOUT = 60.0

Event = dict[str, Any]


@dataclass
class Setup:
    """A gateway, its platforms, and the core that receives its events."""

    url: str
    core: Core
    platforms: dict[str, Any]
    _seen: int = field(default=0, init=False)

    async def next(self, *, skip: str = "conversation.updated") -> Event:
        """Return the next event that was not returned before, and is not of a type that may come at any time."""
        while True:
            self._seen += 1
            events = await self.core.until(partial(_has, self._seen), TIMEOUT)
            event = events[self._seen - 1]
            if event["type"] != skip:
                return event


def _has(count: int, events: list[Event]) -> bool:
    return len(events) >= count


@asynccontextmanager
async def setup(hold_seconds: float) -> AsyncIterator[Setup]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        platforms: dict[str, Platform] = {name: kind() for name, kind in PLATFORMS.items()}
        core = Core(SECRET)
        await core.start()
        stack.push_async_callback(core.close)
        for platform in platforms.values():
            await platform.start()
            stack.push_async_callback(platform.close)
        settings = folder / "connectors.yaml"
        settings.write_text(json.dumps(_settings(core, platforms, hold_seconds)))
        gateway = await stack.enter_async_context(Gateway(load(settings, {})))
        for name, platform in platforms.items():
            platform.webhook = f"{gateway.url}/webhooks/{_SECTIONS[name]}"
            platform.public_webhook = platform.webhook
        yield Setup(gateway.url, core, platforms)


_SECTIONS = {
    "apple": "apple",
    "instagram": "brand-instagram",
    "messenger": "brand-messenger",
    "twilio": "sms",
    "web": "support-web",
    "whatsapp": "support-whatsapp",
}


def _settings(core: Core, platforms: dict[str, Platform], hold_seconds: float) -> dict[str, Any]:
    sections = {_SECTIONS[name]: platform.settings() for name, platform in platforms.items()}
    return {
        "gateway": {"listen": "127.0.0.1:0", "api_tokens": [TOKEN]},
        "core": {"url": core.url, "secrets": [SECRET], "hold_seconds": hold_seconds},
        "fetch": {"allow_private_hosts": True},
        "connectors": sections,
    }


async def examples() -> dict[str, Event]:
    """Return the examples by their names on the page."""
    async with setup(hold_seconds=0) as without_hold:
        found = await _slow_video(without_hold)
    async with setup(hold_seconds=60) as with_hold:
        return {**found, **await _whatsapp_events(with_hold), **await _other_events(with_hold)}


async def _slow_video(setup: Setup) -> dict[str, Event]:
    messenger = setup.platforms["messenger"]
    card = messenger.attachment(video("washer", 2.0, 640, 360))
    (hosted,) = messenger.hosted.values()
    hosted.fault = Fault(status=503, times=100)
    await messenger.deliver([messenger.said(BEN, {"attachments": [card]})])
    pending = await setup.next()
    await setup.next(skip="")  # the name, which is looked up: only now may the video arrive
    hosted.fault = None
    return {"pending": pending, "updated": await setup.next()}


async def _whatsapp_events(setup: Setup) -> dict[str, Event]:
    whatsapp = setup.platforms["whatsapp"]
    (answer,) = await whatsapp.send(ANN, "it came like this", [photo(name="IMG_0042.JPG")])
    (id,) = answer.ids
    found = {"photo": await setup.next()}

    async def event_after(kind: str, content: Any, **more: Any) -> Event:
        message = whatsapp.message(ANN, kind, content, **more)
        await whatsapp.deliver([whatsapp.change(ANN, [message])])
        return await setup.next()

    await whatsapp.send(ANN, None, [voice(12.4)])
    found["voice"] = await setup.next()
    for name, sample in (("document", document(pages=2)), ("rejected", ARCHIVE)):
        file = whatsapp.media_message(ANN, sample, "see")
        await whatsapp.deliver([whatsapp.change(ANN, [file])])
        found[name] = await setup.next()
    found["reaction"] = await event_after("reaction", {"message_id": id, "emoji": "👍"})
    new = {"type": "text", "text": {"body": "it came like this, with the box open"}}
    found["edited"] = await event_after("edit", {"original_message_id": id, "message": new})
    await event_after(
        "revoke", {"original_message_id": id}
    )  # the first event reports that its photo is gone
    found["deleted"] = await setup.next()
    found["unrecognised"] = await event_after("text", {"body": "Hi all"}, group_id="1")
    await whatsapp.deliver([{"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}])
    found["account"] = await setup.next()
    found["status"] = await _status_event(setup, found["photo"]["subject"])
    return {**found, **await _identity_events(setup)}


async def _identity_events(setup: Setup) -> dict[str, Event]:
    """Cara writes with her number, hides it, shows both, and changes the number."""
    whatsapp = setup.platforms["whatsapp"]
    number, user_id = "15550003333", "US.13491208655302741918"
    for cara in (Consumer(number, "Cara"), Consumer("", "Cara", user_id)):
        await whatsapp.say(cara, messages.text("Hello"))
        await setup.next()
    await whatsapp.say(Consumer(number, "Cara", user_id), messages.text("It is me"))
    found = {"merged": await setup.next()}
    await setup.next()  # the message
    change = messages.number_change(number, "15550004444")
    await whatsapp.say(Consumer(number, "Cara"), change)
    found["changed"] = await setup.next(skip="")
    await setup.next()  # the notice
    return found


async def _status_event(setup: Setup, conversation: str) -> Event:
    whatsapp = setup.platforms["whatsapp"]
    url = f"{setup.url}/v1/conversations/{conversation}/messages"
    headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": "1"}
    reply = {"text": "I am sorry. A new one is on its way.", "agent": "anna"}
    async with (
        ClientSession() as http,
        http.post(url, json=reply, headers=headers, raise_for_status=True),
    ):
        sent = await setup.next()
    await whatsapp.report(sent["data"]["message"]["platform_id"], "delivered", ANN.id)
    return await setup.next()


async def _other_events(setup: Setup) -> dict[str, Event]:
    messenger, apple = setup.platforms["messenger"], setup.platforms["apple"]
    message = {"mid": "m_9", "is_echo": True, "app_id": 263902037430900, "text": "We are looking"}
    echo = {**messenger.event(BEN, message=message), "recipient": {"id": BEN.id}}
    echo["sender"] = {"id": messenger.page_id}
    await messenger.deliver([echo])
    found = {"echoed": await setup.next()}
    await apple.deliver(DANA, "typing_start", {})
    found["notice"] = await setup.next()
    await apple.deliver(DANA, "close", {})
    found["closed"] = await setup.next()
    return found


def page(text: str, found: dict[str, Event]) -> str:
    """Return the text of the page with the examples in their places."""

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        shown = json.dumps(found[name], indent=2, ensure_ascii=False)
        return f"<!-- example: {name} -->\n```json\n{_compact(shown)}\n```\n<!-- /example -->"

    pattern = r"<!-- example: (?P<name>[a-z]+) -->.*?<!-- /example -->"
    return re.sub(pattern, replace, text, flags=re.DOTALL)


def _compact(shown: str) -> str:
    """Put innermost objects on one line if they fit, and numbers several to a line."""
    numbers = re.compile(r"\[(?:\s*\d+,?)+\s*\]")
    shown = numbers.sub(lambda match: "[" + " ".join(match[0].strip("[]").split()) + "]", shown)

    def joined(match: re.Match[str]) -> str:
        line = re.sub(r"\s*\n\s*", " ", match[0]).replace("{ ", "{").replace(" }", "}")
        return line if len(line) < 100 else match[0]

    return re.sub(r"\{[^{}]*\}", joined, shown)


if __name__ == "__main__":
    configure(level=logging.ERROR)
    made = asyncio.run(examples())
    if "--print" in sys.argv[1:]:
        print(json.dumps(made, ensure_ascii=False))
    else:
        PAGE.write_text(page(PAGE.read_text("utf-8"), made), "utf-8")
