"""Keyboard shortcuts for agents, in a real browser."""

import pytest
from playwright.async_api import expect

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_accessibility import check

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

TOM = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})


async def test_shortcuts_open_take_answer_search_and_help(running: RunningWorkspace) -> None:
    await running.deliver(
        samples.received("evt_1", {**samples.message(), "id": "msg_tom"}, TOM),
        samples.received("evt_2", samples.message(2, text="which one?")),
    )
    async with pages(running) as (page,):
        await expect(page.locator("#live")).to_have_text("Live")
        for name in ("Mia", "Tom", "Mia"):
            await page.keyboard.press("Alt+Shift+KeyN")
            await expect(page.get_by_role("heading", name=name)).to_be_visible()
        await expect(page.locator("#head-detail")).to_contain_text("Yours")
        await running.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
        await expect(page.locator("#head-detail")).to_contain_text("With sam")
        await page.keyboard.press("Alt+Shift+KeyT")
        await expect(page.locator("#head-detail")).to_contain_text("Yours")
        await page.keyboard.press("Alt+Shift+KeyA")
        await expect(page.get_by_label("Your reply")).to_be_focused()
        await page.keyboard.press("Alt+Shift+KeyS")
        await expect(page.get_by_label("Search names and messages")).to_be_focused()
        await page.keyboard.press("Alt+Shift+KeyH")
        help_ = page.get_by_role("dialog", name="Keyboard shortcuts")
        await expect(help_.locator("kbd")).to_have_count(5)
        await check(page, "the shortcuts")
        await page.keyboard.press("Alt+Shift+KeyN")
        await expect(page.get_by_role("heading", name="Mia")).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(help_).to_be_hidden()
