"""What clients learn of changes: by stream, by long poll, after any break, by revision alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from .running import Clock, Consumer, Server


class Stream:
    """A client of Server-Sent Events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Any:
        """Return the data of the next event."""
        async with asyncio.timeout(10):
            async for line in self.response.content:
                if line.startswith(b"data:"):
                    return json.loads(line[5:])
        raise EOFError


@asynccontextmanager
async def stream(consumer: Consumer, since: int = 0) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {consumer.token}", "Accept": "text/event-stream"}
    url = f"{consumer.server.url}/v1/changes?since={since}"
    async with consumer.server.http.get(url, headers=headers) as response:
        assert response.status == 200
        assert response.headers["X-Accel-Buffering"] == "no"
        yield Stream(response)


async def test_a_stream_shows_messages_typing_and_closing(server: Server) -> None:
    mia = await server.consumer()
    async with stream(mia) as events:
        key = await server.agent_writes(mia, "Good morning")
        found = await events.next()
        assert [message["id"] for message in found["messages"]] == [key]
        await server.platform("POST", "/typing", {"to": mia.id, "on": True})
        assert (await events.next())["typing"] is True
        await server.agent_writes(mia, "How can I help?")
        # The text ends the typing, in the same event or in the next.
        found = await events.next()
        assert found["messages"][0]["text"] == "How can I help?"
        ended = found if "typing" in found else await events.next()
        assert ended["typing"] is False
        await server.platform("POST", "/closed", {"to": mia.id})
        assert (await events.next())["conversation"]["state"] == "closed"


async def test_a_client_catches_up_by_revision(server: Server) -> None:
    mia = await server.consumer()
    await mia.write("one")
    await server.settled()
    seen = await mia.changes()
    assert (await mia.changes(seen["revision"])) == {"revision": seen["revision"]}
    await server.agent_writes(mia, "two")
    await server.platform("POST", "/closed", {"to": mia.id})
    missed = await mia.changes(seen["revision"])
    assert [message["text"] for message in missed["messages"]] == ["two"]
    assert missed["conversation"]["state"] == "closed"
    assert missed["revision"] > seen["revision"]


async def test_a_long_poll_ends_with_the_first_change(server: Server) -> None:
    mia = await server.consumer()
    since = (await mia.history())["revision"]
    waiting = asyncio.create_task(mia.changes(since, wait=30))
    while not server.chat.signals.listeners:
        await asyncio.sleep(0.005)
    await server.agent_writes(mia, "hello")
    async with asyncio.timeout(20):
        assert (await waiting)["messages"][0]["text"] == "hello"


async def test_a_revision_from_elsewhere_is_reset(server: Server) -> None:
    mia = await server.consumer()
    assert (await mia.changes(10**9))["reset"] is True
    for since in ("-1", "x", "9" * 40):
        assert (await mia.call("GET", f"/changes?since={since}")).status == 400


async def test_typing_ends_by_itself(server: Server, clock: Clock) -> None:
    mia = await server.consumer()
    await server.platform("POST", "/typing", {"to": mia.id, "on": True})
    assert (await mia.changes())["typing"] is True
    clock.forward(16)
    assert "typing" not in await mia.changes()


async def test_signing_out_elsewhere_resets_open_streams(server: Server) -> None:
    mia = await server.consumer()
    async with stream(mia) as events:
        await mia.call("DELETE", "/sessions")
        assert await events.next() == {"revision": 0, "reset": True}


async def test_many_changes_come_in_batches_without_a_gap(server: Server) -> None:
    mia = await server.consumer()
    keys = [await server.agent_writes(mia, str(number)) for number in range(130)]
    seen: list[str] = []
    since = 0
    while "messages" in (found := await mia.changes(since)):
        seen += [message["id"] for message in found["messages"]]
        since = found["revision"]
    assert seen == keys


async def test_streams_of_one_consumer_are_limited(server: Server) -> None:
    mia, ben = await server.consumer(), await server.consumer()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        headers = {"Authorization": f"Bearer {mia.token}", "Accept": "text/event-stream"}
        open_streams = [
            await http.get(f"{server.url}/v1/changes", headers=headers) for _ in range(20)
        ]
        assert (await mia.call("GET", "/changes")).status == 429
        assert (await ben.call("GET", "/changes")).status == 200
        for response in open_streams:
            response.close()
