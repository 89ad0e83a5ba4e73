"""Killed servers and an absent gateway: one message, one file, whole."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator import padded, photo
from tests.system.running import Site, free_port, site
from tests.system.web_channel import Chat, Consumer, chat_process, section
from tests.webchat.running import Answer, new_id

pytestmark = pytest.mark.system

PART = 1_000_000


async def dripping(content: bytes, started: asyncio.Event) -> AsyncIterator[bytes]:
    """Send the beginning of a part, and hang."""
    yield content[:300_000]
    started.set()
    await asyncio.sleep(60)


async def killed_in_a_part(chat: Chat, mia: Consumer, id: str, content: bytes) -> None:
    """Send two fifths of a file, the last of them in a part that never ends, and kill the server."""
    await mia.create(len(content), id)
    assert (await mia.append(id, 0, content[:PART], last=False)).status == 204
    started = asyncio.Event()
    part = asyncio.create_task(mia.append(id, PART, dripping(content[PART:], started), last=False))
    await started.wait()
    await chat.kill()
    with contextlib.suppress(aiohttp.ClientError, ConnectionError):
        await part


async def resumed(mia: Consumer, id: str, content: bytes) -> None:
    offset = await mia.offset(id)
    assert PART <= offset < len(content)
    while offset < len(content):
        end = min(offset + PART, len(content))
        answer = await mia.append(id, offset, content[offset:end], last=end == len(content))
        assert answer.status == 204
        offset = end


async def killed_while_writing(chat: Chat, mia: Consumer, id: str, **content: Any) -> Answer | None:
    """Send a message and kill the server before its answer was read, or just after."""
    writing = asyncio.create_task(mia.write("look", id, **content))
    await asyncio.sleep(0)  # the request is on its way
    await chat.kill()
    with contextlib.suppress(aiohttp.ClientError, ConnectionError):
        return await writing
    return None


def received(running: Site) -> list[dict[str, Any]]:
    """Return the messages that reached the core, one for each event."""
    return [
        event["data"]["message"]
        for event in running.core.events
        if event["type"] == "message.received"
    ]


async def test_kills_and_an_absent_gateway_cost_neither_message_nor_file(tmp_path: Path) -> None:
    content = padded(photo("bicycle", 1600, 1200, seed=7), 3_250_000).content
    jar = aiohttp.DummyCookieJar()
    chat_port = free_port()

    def settings(gateway: int) -> dict[str, Any]:
        more = section(chat_port, gateway)
        return {"fetch": more["fetch"], "connectors": more["connectors"]}

    async with (
        aiohttp.ClientSession(cookie_jar=jar) as http,
        site(tmp_path, settings=settings) as running,
        chat_process(tmp_path, http, chat_port, running.port) as chat,
    ):
        mia, upload, message = await chat.server.consumer(), new_id(), new_id()
        await killed_in_a_part(chat, mia, upload, content)
        await chat.start()
        await resumed(mia, upload, content)

        # From here on nobody takes deliveries: whatever was answered must survive in the outbox.
        await running.kill()
        await killed_while_writing(chat, mia, message, uploads=[upload])
        await chat.start()
        repeated = await mia.write("look", message, uploads=[upload])
        assert repeated.status in {200, 201}
        await chat.kill()  # between the answer and the delivery
        await chat.start()
        assert (await mia.write("look", message, uploads=[upload])).status == 200

        await running.start()
        events = await running.until(lambda found: '"ready"' in json.dumps(found))
        assert events
        (found,) = received(running)
        assert found["platform_id"] == f"shop:{mia.id}:{message}"
        async with asyncio.timeout(30):
            while (own := (await mia.messages())[0])["attachments"][0]["state"] == "checking":
                await asyncio.sleep(0.05)
        (file,) = own["attachments"]
        assert (file["state"], file["bytes"]) == ("ready", len(content))
        assert await chat.stop() == 0
        assert len(received(running)) == 1
