"""Answers that failed: which agents are shown in the list and in the live updates, and until when."""

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.workspace import samples
from tests.workspace.running import RunningWorkspace, run_workspace

KEY = "key-of-the-answer-1"
CONVERSATION = "api/conversations/conv_mia"
SHOWN = [{"id": "conv_mia", "name": "Mia", "count": 1}]

_numbers = itertools.count()


async def deliver_status(running: RunningWorkspace, status: str) -> None:
    data = {
        "conversation": samples.conversation(),
        "message": {"id": "msg_sent1", "platform_id": None},
        "status": status,
        "reason": "blocked" if status == "failed" else None,
    }
    await running.deliver(samples.event(f"evt_s{next(_numbers)}", "message.status", data))


async def shown(running: RunningWorkspace) -> Any:
    page = await running.get("api/conversations")
    (listed,) = page["conversations"]
    assert listed["undelivered"] == sum(one["count"] for one in page["undelivered"])
    return page["undelivered"]


@pytest.fixture
async def answered(running: RunningWorkspace) -> RunningWorkspace:
    await running.deliver(samples.received("evt_1", samples.message()))
    await running.open_conversation()
    await running.post(f"{CONVERSATION}/messages", {"text": "hi", "key": KEY})
    return running


async def position(running: RunningWorkspace) -> int:
    return int((await running.open_conversation())["lines"][-1]["position"])


async def test_later_failure_is_shown_until_it_is_seen(answered: RunningWorkspace) -> None:
    assert await shown(answered) == []
    await deliver_status(answered, "failed")
    assert await shown(answered) == SHOWN
    where = await position(answered)
    for positions, left in (([], SHOWN), ([where + 1], SHOWN), ([where], [])):
        content = {"sequence": 1, "revision": 0, "undelivered": positions}
        await answered.post(f"{CONVERSATION}/read", content)
        assert await shown(answered) == left


@pytest.mark.parametrize("positions", ["1", [None], [{}], {"1": 2}])
async def test_invalid_positions_are_refused(answered: RunningWorkspace, positions: Any) -> None:
    content = {"sequence": 1, "revision": 0, "undelivered": positions}
    assert (await answered.try_post(f"{CONVERSATION}/read", content))[0] == 400


async def test_refused_answer_is_shown(answered: RunningWorkspace) -> None:
    answered.gateway.refuse["/v1/conversations/conv_mia/messages"] = 422, {}
    await answered.try_post(f"{CONVERSATION}/messages", {"text": "oh", "key": KEY + "2"})
    assert await shown(answered) == SHOWN


async def test_resend_or_late_receipt_ends_it(answered: RunningWorkspace) -> None:
    await deliver_status(answered, "failed")
    await answered.post(f"{CONVERSATION}/messages/{KEY}/again", {"id": "msg_sent1"})
    assert await shown(answered) == []
    await deliver_status(answered, "delivered")
    assert await shown(answered) == []


async def test_failure_before_the_response_is_shown(running: RunningWorkspace) -> None:
    await running.deliver(samples.received("evt_1", samples.message()))
    await running.open_conversation()
    await deliver_status(running, "failed")
    assert await shown(running) == []
    await running.post(f"{CONVERSATION}/messages", {"text": "hi", "key": KEY})
    assert await shown(running) == SHOWN


async def test_answer_that_fails_again_is_shown_again(answered: RunningWorkspace) -> None:
    await deliver_status(answered, "failed")
    seen = {"sequence": 1, "revision": 0, "undelivered": [await position(answered)]}
    await answered.post(f"{CONVERSATION}/read", seen)
    answered.gateway.refuse["/v1/conversations/conv_mia/messages"] = 422, {}
    await answered.try_post(f"{CONVERSATION}/messages/{KEY}/again", {"id": "msg_sent1"})
    assert await shown(answered) == SHOWN


async def test_only_assigned_agents_are_shown(answered: RunningWorkspace) -> None:
    await deliver_status(answered, "failed")
    sam = answered.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        assert await shown(sam) == []
        seen = {"sequence": 1, "revision": 0, "undelivered": [await position(answered)]}
        await answered.post(f"{CONVERSATION}/read", seen)
        # The agent who gets the conversation has not seen it.
        await answered.post(f"{CONVERSATION}/agents", {"do": "hand_over", "to": "sam"})
        assert await shown(sam) == SHOWN
        await sam.post(f"{CONVERSATION}/agents", {"do": "leave"})
        assert await shown(sam) == SHOWN
    assert await shown(answered) == []


async def test_failures_in_older_files_are_not_news(tmp_path: Path) -> None:
    async with run_workspace(tmp_path) as running:
        await running.deliver(samples.received("evt_1", samples.message()))
        await running.open_conversation()
        await running.post(f"{CONVERSATION}/messages", {"text": "hi", "key": KEY})
        await deliver_status(running, "failed")
    with closing(sqlite3.connect(tmp_path / "workspace.sqlite3")) as db:
        db.executescript("UPDATE messages SET failed = 0; PRAGMA user_version = 3;")
    async with run_workspace(tmp_path) as running:
        assert await shown(running) == []
        line = (await running.open_conversation())["lines"][-1]
        assert line["failed"]
