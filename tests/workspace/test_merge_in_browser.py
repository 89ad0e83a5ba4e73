"""Two conversations of one person become one, on pages that are open meanwhile."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

NUMBER = {"id": "4915550000001", "name": "Mia"}
USER = {"id": "US.77", "name": "Mia B."}
JOINED = (
    "Note: Two conversations with the same person were joined. The messages of both are shown here."
)


def where(id: str, consumer: dict[str, Any]) -> dict[str, Any]:
    return samples.conversation(id, consumer=consumer)


def said(id: str, minute: int, text: str, conversation: dict[str, Any], **more: Any) -> Any:
    message = samples.message(minute, **{"id": f"msg_{id}", "platform_id": f"wamid.{id}", **more})
    sequence = {"a": 1, "b": 1, "c": 2, "d": 2}[id]
    message |= {"sequence": sequence, "text": text, "transcript": more.get("transcript", text)}
    return samples.received(f"evt_{id}", message, conversation)


def merge_event() -> dict[str, Any]:
    conversation = where("conv_mia", {**NUMBER, "aliases": ["US.77"]})
    data = {"conversation": conversation, "merged": "conv_user"}
    return {**samples.event("evt_m", "conversation.merged", data), "time": samples.stamp(9)}


@pytest.fixture
async def both(running: RunningWorkspace) -> RunningWorkspace:
    """Two conversations of Mia, in which she wrote in turn; a photo in the one that is merged."""
    small, large = samples.jpeg(320, 320, (90, 160, 200)), samples.jpeg(1600, 1200, (90, 160, 200))
    running.gateway.add_media("conv_user", "att_p", thumbnail=small, preview=large)
    photo = {"transcript": "[photo message]", "attachments": [samples.photo("att_p")]}
    await running.deliver(
        said("a", 1, "first", where("conv_mia", NUMBER)),
        said("b", 2, "second", where("conv_user", USER)),
        said("c", 3, "third", where("conv_mia", NUMBER)),
        said("d", 4, "fourth", where("conv_user", USER), **photo),
    )
    return running


async def merge(running: RunningWorkspace) -> None:
    """Deliver the merge; the gateway has merged the conversations and their agents before."""
    running.gateway.conversations["att_p"] = "conv_mia"
    agents = [*running.gateway.assigned.get("conv_mia", []), *running.gateway.assigned["conv_user"]]
    running.gateway.assigned["conv_mia"] = agents
    await running.deliver(merge_event())


async def open_user(page: Page) -> None:
    await page.get_by_role("link", name=re.compile(r"Mia B\.")).click()
    await expect(page.get_by_role("heading", name="Mia B.")).to_be_visible()


def texts(page: Page) -> Any:
    return page.locator(".message-text, .notice")


async def test_open_page_goes_on_in_the_one_that_stays(both: RunningWorkspace) -> None:
    async with pages(both) as (page,):
        await open_user(page)
        await expect(page.locator(".photo img")).to_have_js_property("naturalWidth", 320)
        await merge(both)
        await expect(page).to_have_url(re.compile(r"conversation=conv_mia$"))
        await expect(page.locator("#head-name")).to_have_text("Mia")
        await expect(texts(page)).to_have_text(["first", "second", "third", "fourth", JOINED])
        await expect(page.locator(".entry-name")).to_have_text(["Mia"])
        await expect(page.locator(".entry")).to_have_attribute("aria-current", "true")
        await expect(page.locator(".photo img")).to_have_js_property("naturalWidth", 320)
        await page.go_back()
        await page.go_forward()
        await expect(page).to_have_url(re.compile(r"conversation=conv_mia$"))


async def test_page_of_the_one_that_stays_receives_the_lines(both: RunningWorkspace) -> None:
    async with pages(both) as (page,):
        # The demo takes a conversation that is opened, and so this agent sees the photo of the other one.
        await both.open_conversation("conv_user")
        await page.locator(".entry", has=page.get_by_text("Mia", exact=True)).click()
        await expect(texts(page)).to_have_text(["first", "third"])
        await merge(both)
        await expect(texts(page)).to_have_text(["first", "second", "third", "fourth", JOINED])
        await expect(page.locator(".entry-name")).to_have_text(["Mia"])
        await expect(page.locator(".entry .unread")).to_have_count(0)
        await expect(page.locator(".photo img")).to_have_js_property("naturalWidth", 320)


async def test_unread_lines_of_both_are_marked_when_opened(both: RunningWorkspace) -> None:
    await both.open_conversation("conv_user")
    await both.post("api/conversations/conv_user/read", {"sequence": 1})
    await both.post("api/conversations/conv_mia/read", {"sequence": 2})
    await merge(both)
    async with pages(both) as (page,):
        await expect(page.locator(".entry .unread")).to_contain_text("1")
        await page.locator(".entry").click()
        await expect(page.locator("[data-first-unread=true]")).to_contain_text("fourth")
        await expect(page.locator(".entry .unread")).to_have_count(0)


async def test_drafts_of_both_are_kept(both: RunningWorkspace) -> None:
    async with pages(both) as (page,):
        box = page.get_by_label("Your reply")
        await page.locator(".entry", has=page.get_by_text("Mia", exact=True)).click()
        await box.fill("for the one that stays")
        await open_user(page)
        await expect(box).to_have_value("")
        await box.fill("for the other")
        await merge(both)
        await expect(page.locator("#head-name")).to_have_text("Mia")
        await expect(box).to_have_value("for the one that stays\nfor the other")
        await box.press("Enter")
        await expect(page.locator(".message[data-direction=out]")).to_contain_text("for the other")
    assert len(both.gateway.calls_to("POST", "/v1/conversations/conv_mia/messages")) == 1


async def test_reply_that_was_lost_in_between_is_sent_once(both: RunningWorkspace) -> None:
    merged = asyncio.Event()

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await merged.wait()
        await route.abort()

    async with pages(both) as (page,):
        await open_user(page)
        await page.route("**/messages", lose_the_answer, times=1)
        box = page.get_by_label("Your reply")
        await box.fill("Thank you")
        await box.press("Enter")
        await expect(page.locator(".message[data-direction=out]")).to_contain_text("Thank you")
        await merge(both)
        await expect(page.locator("#head-name")).to_have_text("Mia")
        merged.set()
        await expect(page.locator("#error")).to_contain_text("cannot be reached")
        await expect(box).to_have_value("Thank you")
        await box.press("Enter")
        await expect(box).to_have_value("")
        await expect(page.locator("#error")).to_be_hidden()
        await expect(page.locator(".message[data-direction=out]")).to_have_count(1)
    assert len(both.gateway.sent) == 1


async def test_old_links_lead_to_the_one_that_stays(both: RunningWorkspace) -> None:
    await both.open_conversation("conv_user")
    await merge(both)
    async with pages(both) as (page,):
        await page.goto(both.url("?conversation=conv_user"))
        await expect(page).to_have_url(re.compile(r"conversation=conv_mia$"))
        await expect(page.locator("#head-name")).to_have_text("Mia")
        await page.goto(both.url("audit"))
        await page.locator("#entries a").first.click()
        await expect(texts(page)).to_have_text(["first", "second", "third", "fourth", JOINED])
