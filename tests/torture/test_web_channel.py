"""Consumers' messages and files survive whatever kills the web channel: each once, in order, whole.

`make torture` runs it for minutes; without it, for a few seconds.
"""

import asyncio
import contextlib
import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.system.running import free_port
from tests.system.web_channel import Chat, chat_process
from tests.webchat.gateway import FakeGateway
from tests.webchat.running import ACCESS_TOKEN, Consumer, new_id

from .seeds import SECONDS, SEEDS

pytestmark = pytest.mark.system

_PART = 200_000
_CONSUMERS = 4
#: Errors after which a client goes on: the server is away, or was killed in the middle of an answer.
_AWAY = (aiohttp.ClientError, ConnectionError, TimeoutError)


@dataclass
class Sender:
    """A consumer who sends messages with files, and repeats each call until it is answered."""

    consumer: Consumer
    dice: random.Random
    #: What was acknowledged: message id to the SHA-256 of its file, in order.
    sent: dict[str, str] = field(default_factory=dict)

    async def run(self, until: float) -> None:
        while asyncio.get_running_loop().time() < until:
            size = self.dice.choice([500, 90_000, 700_000, 1_500_000])
            content = b"\xff\xd8\xff\xe0" + self.dice.randbytes(size)
            upload, message = new_id(), new_id()
            await self._upload(upload, content)
            await self._write(message, upload)
            self.sent[message] = hashlib.sha256(content).hexdigest()

    async def _upload(self, id: str, content: bytes) -> None:
        while True:
            with contextlib.suppress(*_AWAY):
                if await self._go_on(id, content):
                    return
            await asyncio.sleep(0.02)

    async def _go_on(self, id: str, content: bytes) -> bool:
        created = await self.consumer.create(len(content), id)
        assert created.status == 201, created.body
        asked = await self.consumer.call("HEAD", f"/uploads/{id}")
        while asked.headers.get("Upload-Complete") != "?1":
            offset = int(asked.headers["Upload-Offset"])
            part = content[offset : offset + _PART]
            last = offset + len(part) == len(content)
            asked = await self.consumer.append(id, offset, part, last=last)
            if asked.status != 204:
                assert asked.status == 409, asked.body
                return False
        return True

    async def _write(self, id: str, upload: str) -> None:
        while True:
            with contextlib.suppress(*_AWAY):
                answer = await self.consumer.write("look", id, uploads=[upload])
                assert answer.status in {200, 201}, answer.body
                return
            await asyncio.sleep(0.02)


async def kill_again_and_again(chat: Chat, dice: random.Random, until: float) -> int:
    """Kill and restart the server at random moments; return how often."""
    kills = 0
    while asyncio.get_running_loop().time() < until:
        await asyncio.sleep(dice.uniform(0.05, 1.0))
        await chat.kill()
        await chat.start()
        kills += 1
    return kills


async def stumble(gateway: FakeGateway, dice: random.Random, until: float) -> None:
    """Let some deliveries fail, some after they were read."""
    while asyncio.get_running_loop().time() < until:
        gateway.answers.append(dice.choice([500, 503, 429]))
        await asyncio.sleep(dice.uniform(0.1, 0.5))
    gateway.answers.clear()


def arrived(gateway: FakeGateway) -> dict[str, list[dict[str, Any]]]:
    """Return each consumer's messages in the order of their first arrival, as a gateway that drops repeats sees them."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for _, body in gateway.requests:
        for event in json.loads(body)["events"]:
            if event["type"] == "message":
                found.setdefault(event["consumer"]["id"], {}).setdefault(event["id"], event)
    return {consumer: list(events.values()) for consumer, events in found.items()}


async def original(chat: Chat, upload: str) -> str:
    """Return the SHA-256 of an original, fetched as the gateway does."""
    server = chat.server
    found = await server.call("GET", f"/platform/v1/uploads/{upload}", token=ACCESS_TOKEN)
    assert found.status == 200, found.body
    content = (await server.call("GET", found.json["url"].removeprefix(server.url))).body
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("seed", SEEDS)
async def test_kills_of_the_web_channel_cost_nothing(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    jar, connector = aiohttp.DummyCookieJar(), aiohttp.TCPConnector(force_close=True)
    async with (
        FakeGateway() as gateway,
        aiohttp.ClientSession(cookie_jar=jar, connector=connector) as http,
    ):
        chat = chat_process(tmp_path, http, free_port(), gateway.webhook)
        async with chat:
            senders = [
                Sender(await chat.server.consumer(), random.Random(dice.random()))
                for _ in range(_CONSUMERS)
            ]
            until = asyncio.get_running_loop().time() + (SECONDS or 4.0)
            async with asyncio.TaskGroup() as group:
                killing = group.create_task(kill_again_and_again(chat, dice, until))
                group.create_task(stumble(gateway, dice, until))
                for sender in senders:
                    group.create_task(sender.run(until))
            assert killing.result() > 0
            await settled(gateway, senders)
            found = arrived(gateway)
            for sender in senders:
                events = found[sender.consumer.id]
                assert [event["id"] for event in events] == list(sender.sent)
                for event in events:
                    (file,) = event["attachments"]
                    assert await original(chat, file["upload"]) == sender.sent[event["id"]]


async def settled(gateway: FakeGateway, senders: list[Sender]) -> None:
    """Wait until the gateway has every message that was acknowledged."""
    wanted = {message for sender in senders for message in sender.sent}
    async with asyncio.timeout(60):
        while not wanted <= {e["id"] for events in arrived(gateway).values() for e in events}:
            await asyncio.sleep(0.05)
