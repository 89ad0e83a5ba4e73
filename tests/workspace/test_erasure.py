"""Erasure of conversations."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace
from workspace.gateway.channels import Channel, Channels

SECRETS = ("my card number", "Zacharias", "4915559999999", "holiday-at-home.jpg", "answer to it")


async def fill(running: RunningWorkspace) -> None:
    """Store everything that a conversation can leave in the database."""
    who = samples.conversation(consumer={"id": "4915559999999", "name": "Zacharias"})
    message = samples.message(
        text="my card number",
        transcript="[photo message]",
        attachments=[samples.photo(name="holiday-at-home.jpg")],
    )
    target = {"conversation": who, "message": {"id": "msg_1", "platform_id": "x"}}
    unrecognised = {"conversation": who, "reason": "new", "raw": "my card number"}
    await running.deliver(
        samples.received("evt_1", message, who),
        samples.event("evt_2", "reaction.changed", {**target, "emoji": "👍"}),
        {**samples.event("evt_3", "event.unrecognised", unrecognised), "subject": "conv_mia"},
    )
    await running.open_conversation()
    await running.post("api/conversations/conv_mia/read", {"sequence": 1})
    path = "api/conversations/conv_mia/messages"
    await running.post(path, {"text": "answer to it", "key": "key-of-the-answer-1"})


async def test_erased_conversation_leaves_no_bytes_in_the_file(tmp_path: Path) -> None:
    async with run_workspace(tmp_path) as running:
        await fill(running)
        other = samples.conversation("conv_other")
        kept = {**samples.message(text="another matter"), "id": "msg_other"}
        await running.deliver(samples.received("evt_4", kept, other))
        await running.post("api/conversations/conv_mia/erase")
        assert running.gateway.calls_to("DELETE", "/v1/conversations/conv_mia") == [None]
        listed = (await running.get("api/conversations?show=all"))["conversations"]
        assert [entry["id"] for entry in listed] == ["conv_other"]
        assert (await running.try_post("api/conversations/conv_mia/opened"))[0] == 404
    content = b"".join(file.read_bytes() for file in tmp_path.glob("workspace.sqlite3*"))
    assert b"another matter" in content
    for secret in SECRETS:
        assert secret.encode() not in content, secret


async def until(true: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(10):
        while not await true():
            await asyncio.sleep(0.01)


async def test_wish_of_the_consumer_is_passed_on_until_accepted(tmp_path: Path) -> None:
    async with run_workspace(tmp_path) as running:
        await fill(running)
        path, notice = "/v1/erasures", {"kind": "erasure_requested", "text": "The consumer asks"}
        running.gateway.refuse[path] = 503, {"detail": "the journal is away"}
        who = samples.conversation(consumer={"id": "4915559999999", "name": "Zacharias"})
        event = {"conversation": who, "notice": notice}
        await running.deliver(samples.event("evt_5", "conversation.notice", event))

        async def is_asked() -> bool:
            return bool(running.gateway.calls_to("POST", path))

        await until(is_asked)
    async with run_workspace(tmp_path) as running:

        async def is_audited() -> bool:
            entry = (await running.get("api/audit"))["entries"][0]
            return (entry["agent"], entry["did"]) == ("the customer", "erased")

        await until(is_audited)
        wish = {"consumer": "4915559999999", "connector": who["connector"]}
        assert running.gateway.calls_to("POST", path) == [wish]
        with closing(sqlite3.connect(running.database)) as db:
            assert db.execute("SELECT * FROM requested_erasures").fetchall() == []


async def test_repeat_after_erasure_is_ignored_and_new_message_starts_fresh(
    running: RunningWorkspace,
) -> None:
    await fill(running)
    await running.post("api/conversations/conv_mia/erase")
    await running.deliver(samples.received("evt_1", samples.message(text="my card number")))
    assert (await running.get("api/conversations?show=all"))["conversations"] == []
    await running.deliver(samples.received("evt_9", samples.message(2, text="hello again")))
    assert [line["text"] for line in (await running.open_conversation())["lines"]] == [
        "hello again"
    ]


async def test_audit_log_records_erasure_without_the_name(
    running: RunningWorkspace,
) -> None:
    await fill(running)
    await running.post("api/conversations/conv_mia/erase")
    entries = (await running.get("api/audit"))["entries"]
    assert (entries[0]["did"], entries[0]["gone"], entries[0]["conversation"]) == (
        "erased",
        True,
        None,
    )
    assert "Zacharias" not in str(entries)


async def test_erasure_refused_by_the_gateway_changes_nothing(
    running: RunningWorkspace,
) -> None:
    await fill(running)
    running.gateway.refuse["/v1/conversations/conv_mia"] = 503, {"detail": "not now"}
    status, answer = await running.try_post("api/conversations/conv_mia/erase")
    assert (status, answer["error"]) == (502, "not now")
    assert len((await running.open_conversation())["lines"]) == 3
    running.gateway.refuse["/v1/conversations/conv_mia"] = 404, {}
    assert (await running.try_post("api/conversations/conv_mia/erase"))[0] == 204


async def test_conversation_erased_while_opening_is_not_found(
    running: RunningWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def erase(_self: Channels, _connector: str) -> Channel:
        await running.post("api/conversations/conv_mia/erase")
        return Channel()

    await fill(running)
    monkeypatch.setattr(Channels, "find", erase)
    assert (await running.try_post("api/conversations/conv_mia/opened"))[0] == 404


async def test_only_supervisors_may_erase(running: RunningWorkspace) -> None:
    await fill(running)
    sam = running.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        assert (await sam.try_post("api/conversations/conv_mia/erase"))[0] == 403
