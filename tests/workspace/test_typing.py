"""Typing indicators: agents see the consumer's, and consumers see the agent's if the channel supports it."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import expect

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace

TYPING = "/v1/conversations/conv_mia/typing"


def notice(id: str, kind: str, at: float | None = None) -> dict[str, Any]:
    data = {"conversation": samples.conversation(), "notice": {"kind": kind, "text": None}}
    timestamp = datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat()
    return {**samples.event(id, "conversation.notice", data), "time": timestamp}


async def typing_until(running: RunningWorkspace) -> float:
    (found,) = (await running.get("api/conversations"))["conversations"]
    return float(found["typing_until"]) / 1000


async def test_consumer_counts_as_typing_for_at_most_a_minute(
    running: RunningWorkspace,
) -> None:
    await running.deliver(samples.received("evt_1", samples.message()))
    assert await typing_until(running) == 0
    await running.deliver(notice("evt_2", "typing_start"))
    assert 50 < await typing_until(running) - time.time() <= 60
    await running.deliver(notice("evt_3", "typing_end"))
    assert await typing_until(running) <= time.time()


async def test_clock_that_is_ahead_prolongs_no_typing(running: RunningWorkspace) -> None:
    await running.deliver(samples.received("evt_1", samples.message()))
    await running.deliver(notice("evt_2", "typing_start", time.time() + 10**9))
    assert await typing_until(running) - time.time() <= 60


async def test_message_ends_typing_and_typing_keeps_the_order(
    running: RunningWorkspace,
) -> None:
    other = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})
    await running.deliver(
        samples.received("evt_1", samples.message()),
        samples.received("evt_2", {**samples.message(5), "id": "msg_tom"}, other),
        notice("evt_3", "typing_start"),
    )
    listed = (await running.get("api/conversations"))["conversations"]
    assert [one["name"] for one in listed] == ["Tom", "Mia"]
    await running.deliver(samples.received("evt_4", samples.message(2)))
    listed = (await running.get("api/conversations"))["conversations"]
    assert [one["typing_until"] for one in listed] == [0, 0]


async def test_typing_alone_creates_no_conversation(running: RunningWorkspace) -> None:
    await running.deliver(notice("evt_1", "typing_start"))
    assert (await running.get("api/conversations"))["conversations"] == []


async def test_only_assigned_agents_report_typing(
    running: RunningWorkspace,
) -> None:
    await running.deliver(samples.received("evt_1", samples.message()))
    status, _ = await running.try_post("api/conversations/conv_mia/typing", {"typing": True})
    assert status == 403
    await running.open_conversation()
    await running.post("api/conversations/conv_mia/typing", {"typing": True})
    await running.post("api/conversations/conv_mia/typing", {"typing": False})
    async with asyncio.timeout(20):
        while len(calls := running.gateway.calls_to("POST", TYPING)) < 2:
            await asyncio.sleep(0.01)
    assert {one["typing"] for one in calls} == {True, False}
    status, _ = await running.try_post("api/conversations/conv_mia/typing", {"typing": "yes"})
    assert status == 400


async def test_capabilities_are_fetched_once_and_sent_on_opening(
    running: RunningWorkspace,
) -> None:
    await running.deliver(samples.received("evt_1", samples.message()))
    for _ in range(3):
        assert (await running.open_conversation())["can"] == {"quotes": True, "typing": True}
    assert len(running.gateway.calls_to("GET", "/v1/capabilities")) == 1


async def test_channel_without_capabilities_has_no_optional_features(
    running: RunningWorkspace,
) -> None:
    running.gateway.refuse["/v1/capabilities"] = 503, {}
    await running.deliver(samples.received("evt_1", samples.message()))
    assert (await running.open_conversation())["can"] == {"quotes": False, "typing": False}


@pytest.mark.system
async def test_typing_shows_although_the_agents_clock_is_behind(running: RunningWorkspace) -> None:
    month = 30 * 24 * 3600 * 1000
    await running.deliver(samples.received("evt_1", samples.message()))
    await running.open_conversation()
    async with pages(running) as (page,):
        await page.add_init_script(f"const now = Date.now; Date.now = () => now() - {month}")
        await page.goto(running.url("?conversation=conv_mia"))
        await running.deliver(notice("evt_2", "typing_start"))
        await expect(page.locator("#typing")).to_have_text("Mia is typing")
        await expect(page.locator("#typing")).to_be_visible()
