"""Live updates by Server-Sent Events."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace
from workspace.auth import accounts


async def next_event(response: aiohttp.ClientResponse) -> tuple[str, Any]:
    """Return the id and the content of the next event with data."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(20):
        while line := (await response.content.readline()).decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                return fields["id"], json.loads(fields["data"])
            else:
                fields = {}
    raise AssertionError("the stream ended")


async def test_new_message_reaches_an_open_page(running: RunningWorkspace) -> None:
    revision = (await running.get("api/conversations"))["revision"]
    async with running.session.get(running.url(f"updates?since={revision}")) as response:
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        await running.deliver(samples.received("evt_1", samples.message(text="are you there?")))
        _, content = await next_event(response)
        (changed,) = content["conversations"]
        assert (changed["unread"], changed["last"]["line"]) == (1, "are you there?")


async def test_reconnected_stream_has_no_gaps_and_no_repeats(
    running: RunningWorkspace,
) -> None:
    await running.deliver(samples.received("evt_1", samples.message(1)))
    async with running.session.get(running.url("updates?since=0")) as response:
        last, _ = await next_event(response)
    who = samples.conversation("conv_tom")
    await running.deliver(samples.received("evt_2", samples.message(2), who))
    headers = {"Last-Event-ID": last}
    async with running.session.get(running.url("updates?since=0"), headers=headers) as response:
        _, content = await next_event(response)
    assert [entry["id"] for entry in content["conversations"]] == ["conv_tom"]


async def test_changed_lines_are_found_by_revision(running: RunningWorkspace) -> None:
    for sequence in (1, 2, 3):
        await running.deliver(samples.received(f"evt_{sequence}", samples.message(sequence)))
    revision = (await running.open_conversation())["revision"]
    edit = {"id": "msg_2", "platform_id": "x", "text": "new", "transcript": "new"}
    data = {"conversation": samples.conversation(), "message": edit}
    await running.deliver(samples.event("evt_e", "message.edited", data))
    answer = await running.get(f"api/conversations/conv_mia/lines?since={revision}")
    assert [(line["id"], line["text"]) for line in answer["lines"]] == [("msg_2", "new")]


async def test_stream_ends_with_its_session(running: RunningWorkspace) -> None:
    async with running.session.get(running.url("updates?since=0")) as response:
        await running.post("sign-out")
        async with asyncio.timeout(20):
            assert b"conversations" not in await response.content.read()


async def test_stream_ends_when_its_reader_loses_the_permission(tmp_path: Path) -> None:
    """An account that is no longer an agent receives no more of what customers write."""
    async with run_workspace(tmp_path, demo=False) as running:
        accounts.add(running.database, "anna", "a long password", ["agent"])
        await running.sign_in("anna", "a long password")
        async with running.session.get(running.url("updates?since=0")) as response:
            assert response.status == 200
            accounts.set_roles(running.database, "anna", ["operator"])
            await running.deliver(samples.received("evt_1", samples.message(text="my address")))
            async with asyncio.timeout(20):
                assert b"my address" not in await response.content.read()


async def test_open_stream_does_not_delay_shutdown(running: RunningWorkspace) -> None:
    response = await running.session.get(running.url("updates?since=0"))
    async with asyncio.timeout(20):
        await running.server.close()
        await response.content.read()


async def test_invalid_revision_is_refused(running: RunningWorkspace) -> None:
    for since in ("-1", "x", "²", "9" * 30):
        assert await running.status(f"updates?since={since}") == 400
