"""The queue in a real browser: two agents at once, the keyboard, and what is said aloud."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.workspace.browser import end_session, pages
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_accessibility import check
from tests.workspace.test_queue import SMS, take, written

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)


@pytest.fixture
async def three(running: RunningWorkspace) -> RunningWorkspace:
    for number, (name, more) in enumerate({"ann": {}, "ben": SMS, "cas": {}}.items(), 1):
        await running.deliver(written(name, 1, number, **more))
    return running


async def sign_in_as_sam(page: Page, running: RunningWorkspace) -> None:
    await end_session(page)
    await page.goto(running.url("sign-in"))
    await page.get_by_role("button", name="Continue as sam").click()
    await expect(page.get_by_title("You are signed in with this name")).to_have_text("sam")


async def test_queue_of_two_agents_stays_right(three: RunningWorkspace) -> None:
    async with pages(three, three) as (mine, sams):
        await sign_in_as_sam(sams, three)
        for page in (mine, sams):
            await page.get_by_role("button", name="Nobody's").click()
            await expect(page.locator(".entry-name")).to_have_text(["Ann", "Ben", "Cas"])
            await expect(page.locator("#count-free")).to_have_text("3 waiting")
            await expect(page).to_have_title("Airlock")
        await sams.get_by_role("link", name=re.compile("Ben")).focus()
        await take(three, "ben")
        await expect(sams.locator(".entry-name")).to_have_text(["Ann", "Cas"])
        await expect(sams.get_by_role("link", name=re.compile("Cas"))).to_be_focused()
        await expect(mine.locator("#count-mine")).to_have_text("1 unread")
        await expect(mine).to_have_title("(1) Airlock")
        await expect(sams).to_have_title("Airlock")
        # A colleague's new message is not one's own work.
        await three.deliver(written("ben", 2, 9, **SMS))
        await sams.get_by_role("button", name="All", exact=True).click()
        ben = sams.get_by_role("link", name=re.compile("Ben"))
        await expect(ben).to_contain_text("ben 2")
        await expect(ben.locator(".unread")).to_have_count(0)
        await mine.get_by_role("button", name="Mine").click()
        await expect(mine.locator(".entry-name")).to_have_text(["Ben"])
        await expect(mine.locator(".entry .unread")).to_have_text("2 unread")
        await check(mine, "the queue")


async def test_view_is_chosen_by_keyboard_and_survives_reload(three: RunningWorkspace) -> None:
    async with pages(three) as (page,):
        await page.get_by_role("button", name="Nobody's").focus()
        await page.keyboard.press("Enter")
        order = page.get_by_label("Order")
        await expect(order).to_have_value("waiting")
        await page.get_by_label("Channel").select_option("sms")
        await expect(page.locator(".entry-name")).to_have_text(["Ben"])
        await expect(page.locator("#announcer")).to_have_text("1 conversation")
        await page.reload()
        await expect(page.get_by_role("button", name="Nobody's")).to_have_attribute(
            "aria-pressed", "true"
        )
        await expect(page.locator(".entry-name")).to_have_text(["Ben"])
        await page.get_by_label("Channel").select_option("")
        await order.select_option("latest")
        await expect(page.locator(".entry-name")).to_have_text(["Cas", "Ben", "Ann"])
        await page.get_by_label("State").select_option("failed")
        await expect(page.get_by_text("No conversations match these filters.")).to_be_visible()
        await page.get_by_label("State").select_option("waiting")
        await page.get_by_role("link", name=re.compile("Cas")).focus()
        await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("link", name=re.compile("Ben"))).to_be_focused()
        await page.keyboard.press("End")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Ann")).to_be_visible()
        # The demo takes what is opened, so the agent can answer without another press.
        await expect(page.get_by_label("Your reply")).to_be_focused()


async def test_change_below_the_loaded_part_is_not_shown_early(running: RunningWorkspace) -> None:
    names = [f"c{number:03}" for number in range(100)]
    await running.deliver(*(written(name, 1, place) for place, name in enumerate(names)))
    async with pages(running, viewport={"width": 1000, "height": 400}) as (page,):
        entries = page.locator(".entry-name")
        await expect(entries).to_have_count(60)
        # A change of a conversation that is not loaded yet, and then one at the top as the sign that both arrived.
        await running.post("api/conversations/conv_c003/read", {"sequence": 1, "revision": 999})
        await running.deliver(written("c050", 2, 200))
        await expect(entries.first).to_have_text("C050")
        await expect(entries).to_have_count(60)
        await page.locator("#list-end").scroll_into_view_if_needed()
        await expect(entries).to_have_count(100)
        await expect(entries.last).to_have_text("C000")
