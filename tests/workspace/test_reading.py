"""`workspace.reading: own`: agents read their own conversations and those that nobody has, on every route and stream."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace
from tests.workspace.test_assignment import PASSWORD, accounts_file  # noqa: F401  # a fixture
from workspace.application import ROUTES

Staff = dict[str, RunningWorkspace]

#: Every route about a conversation or an attachment, with a request that its owner may make.
REQUESTS: dict[str, tuple[str, Any]] = {
    "/api/conversations/{conversation}/lines": ("lines?since=0", None),
    "/api/conversations/{conversation}/media": ("media?around=att_1", None),
    "/api/conversations/{conversation}/opened": ("opened", {}),
    "/api/conversations/{conversation}/read": ("read", {"sequence": 1}),
    "/api/conversations/{conversation}/agents": ("agents", {"do": "reopen"}),
    "/api/conversations/{conversation}/messages": ("messages", {"text": "x", "key": "k" * 20}),
    "/api/conversations/{conversation}/messages/{key}/again": ("messages/k/again", {"id": "m"}),
    "/api/conversations/{conversation}/typing": ("typing", {"typing": True}),
    "/api/conversations/{conversation}/presence": ("presence", {"doing": "reading"}),
    "/api/conversations/{conversation}/erase": ("erase", {}),
    "/attachments/{attachment}/download": ("download", None),
    "/attachments/{attachment}/original": ("original", None),
    "/attachments/{attachment}/text": ("text", None),
    "/attachments/{attachment}/shown": ("shown", None),
    "/attachments/{attachment}/progress": ("progress", None),
    "/attachments/{attachment}/{rendition}": ("thumbnail", None),
    "/attachments/{attachment}/retry": ("retry", {}),
}

#: Routes that list conversations, or say something about them.
LISTS = (
    *("api/conversations", "api/conversations?show=closed", "api/conversations?q=secret"),
    *("api/conversations?q=Mia&state=waiting&order=waiting", "api/media", "api/me"),
    "api/media?conversation=conv_mia",
)


@pytest.fixture
async def staff(tmp_path: Path, accounts_file: Path) -> AsyncIterator[Staff]:  # noqa: F811
    """Bob has Mia's conversation. Cleo is an agent, too, and Anna a supervisor."""
    shutil.copy(accounts_file, tmp_path / "workspace.sqlite3")
    async with (
        run_workspace(tmp_path, demo=False, reading="own") as running,
        AsyncExitStack() as stack,
    ):
        people = {}
        for name in ("anna", "bob", "cleo"):
            people[name] = running.new_browser()
            await stack.enter_async_context(people[name].session)
            assert (await people[name].sign_in(name, PASSWORD)).status == 303
        message = samples.message(1, text="a secret", attachments=[samples.photo("att_1")])
        await running.deliver(samples.received("evt_1", message))
        yield people


async def take(agent: RunningWorkspace) -> None:
    await agent.post("api/conversations/conv_mia/agents", {"do": "take"})


async def status_of(agent: RunningWorkspace, path: str, content: Any) -> int:
    if content is None:
        return await agent.status(path)
    return (await agent.try_post(path, content))[0]


async def test_every_route_refuses_a_colleagues_conversation(staff: Staff) -> None:
    await take(staff["bob"])
    with_ids = {route.path for route in ROUTES if "{conversation}" in route.path}
    with_ids |= {route.path for route in ROUTES if "{attachment}" in route.path}
    assert with_ids == set(REQUESTS), "a route without a test"
    for route, (path, content) in REQUESTS.items():
        base = "api/conversations/conv_mia" if "conversation" in route else "attachments/att_1"
        assert await status_of(staff["cleo"], f"{base}/{path}", content) == 403, route
    for path in LISTS:
        async with staff["cleo"].session.get(staff["cleo"].url(path)) as response:
            assert b"conv_mia" not in await response.read(), path
    lines = "api/conversations/conv_mia/lines?since=0"
    assert await staff["bob"].status(lines) == 200
    assert await staff["anna"].status(lines) == 200, "supervisors read everything"
    assert len((await staff["anna"].get("api/conversations"))["conversations"]) == 1


async def test_what_nobody_has_can_be_read_and_taken(staff: Staff) -> None:
    assert len((await staff["cleo"].get("api/conversations"))["conversations"]) == 1
    assert (await staff["cleo"].open_conversation())["lines"][0]["text"] == "a secret"
    await take(staff["bob"])
    assert (await staff["cleo"].get("api/conversations"))["conversations"] == []
    await staff["bob"].post("api/conversations/conv_mia/agents", {"do": "leave"})
    assert len((await staff["cleo"].get("api/conversations"))["conversations"]) == 1


async def test_merged_conversation_is_protected_under_its_former_id(staff: Staff) -> None:
    await take(staff["bob"])
    who = samples.conversation("conv_other", consumer={"id": "US.1", "name": "Mia"})
    message = samples.message(1, id="msg_o", text="another secret")
    merge = {"conversation": samples.conversation(), "merged": "conv_other"}
    await staff["bob"].deliver(
        samples.received("evt_o", message, who),
        samples.event("evt_m", "conversation.merged", merge),
    )
    path = "api/conversations/conv_other/lines?since=0"
    assert await staff["cleo"].status(path) == 403
    texts = [line["text"] for line in (await staff["bob"].get(path))["lines"]]
    assert {"a secret", "another secret"} <= set(texts)


async def test_stream_shows_nothing_of_a_colleagues_conversation(staff: Staff) -> None:
    await take(staff["bob"])
    async with staff["cleo"].session.get(staff["cleo"].url("updates?since=99")) as stream:
        second = samples.message(2, text="another secret")
        await staff["bob"].deliver(samples.received("evt_2", second))
        await staff["bob"].post("api/conversations/conv_mia/presence", {"doing": "typing"})
        free = samples.conversation("conv_free", consumer={"id": "4977", "name": "Free"})
        await staff["bob"].deliver(samples.received("evt_3", samples.message(1, id="msg_f"), free))
        seen = await read_until(stream, b"conv_free")
        assert b"conv_mia" not in seen
        assert b"secret" not in seen


async def test_stream_says_that_a_conversation_was_taken_by_another_agent(staff: Staff) -> None:
    revision = (await staff["cleo"].get("api/conversations"))["revision"]
    async with staff["cleo"].session.get(staff["cleo"].url(f"updates?since={revision}")) as stream:
        await take(staff["bob"])
        seen = await read_until(stream, b"\n\n", after=b"event: conversations")
    page = orjson.loads(seen.rpartition(b"data: ")[2])
    assert page["gone"] == ["conv_mia"]
    assert page["conversations"] == []
    assert page["counts"] == {"mine": 0, "free": 0}


async def read_until(stream: Any, wanted: bytes, after: bytes = b"") -> bytes:
    seen = b""
    async with asyncio.timeout(20):
        while after not in seen or wanted not in seen[seen.find(after) :]:
            seen += await stream.content.readany()
    return seen
