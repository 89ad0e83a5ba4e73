"""Every page from the narrowest phone to the widest screen, long lists, and time zones."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages, until
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_queue import SMS, written

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

LONG = "Bartholomew-Featherstonehaugh-Cholmondeley of the Old Mill by the River"
#: Each page, and what is there once it is loaded.
PAGES = {
    "": ".entry",
    "?conversation=conv_mia": ".message",
    "media": ".media-tile",
    "audit": "#entries td",
    "operations": ".problem",
    "nothing-here": ".error-page",
}
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
async def crowded(running: RunningWorkspace) -> RunningWorkspace:
    """Long names, two channels, a note, and a file."""
    picture = samples.jpeg(320, 320, (120, 150, 200))
    running.gateway.add_media("conv_mia", "att_photo", thumbnail=picture, preview=picture)
    who = samples.conversation(consumer={"id": "4915550000001", "name": LONG})
    photo = samples.photo(name=f"{LONG}.jpg")
    await running.deliver(
        samples.received("evt_1", samples.message(text=LONG, attachments=[photo]), who),
        written("ben", 1, 5, **SMS),
    )
    await running.open_conversation()
    note = {"do": "hand_over", "to": "sam", "note": "x" * 300}
    await running.post("api/conversations/conv_mia/agents", note)
    await running.post("api/conversations/conv_mia/agents", {"do": "take"})
    return running


async def test_no_page_is_wider_than_its_window(crowded: RunningWorkspace) -> None:
    async with pages(crowded) as (page,):
        for width in (320, 768, 1280, 2560):
            await page.set_viewport_size({"width": width, "height": 700})
            for path, loaded in PAGES.items():
                await page.goto(crowded.url(path))
                await expect(page.locator(loaded).first).to_be_visible()
                assert not await page.evaluate(TOO_WIDE), f"{path} at {width}"
                assert await outside(page, width) == [], f"{path} at {width}"


async def outside(page: Page, width: int) -> Any:
    """Return the controls that reach beyond the window, except in what scrolls by itself."""
    return await page.evaluate(
        """(width) => [...document.querySelectorAll("a, button, input, select, textarea")]
            .filter((one) => one.checkVisibility() && !one.closest(".table-scroll, .skip, dialog"))
            .filter((one) => !one.matches(".skip"))
            .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.left < 0 || box.right > width + 0.5))
            .map(([html]) => html)""",
        width,
    )


async def test_times_and_days_follow_the_zone_of_the_browser(crowded: RunningWorkspace) -> None:
    async with pages(crowded, timezone_id="Pacific/Auckland", locale="en-GB") as (page,):
        await page.goto(crowded.url("?conversation=conv_mia"))
        # 09:01 in UTC.
        await expect(page.locator(".message time").first).to_have_text("22:01")
        first = (await crowded.get("api/audit"))["entries"][-1]["at"]
        day = await page.evaluate(f"new Date({first}).toLocaleDateString('sv')")
        await page.goto(crowded.url("audit"))
        await page.get_by_label("From").fill(day)
        await page.get_by_label("To", exact=True).fill(day)
        await expect(page.locator("#entries tr").last).to_contain_text("signed in")
        asked = await page.get_by_role("link", name="Export as CSV").get_attribute("href")
        assert asked is not None
        since, until_ = await page.evaluate(
            f"['T00:00', 'T24:00'].map((time) => new Date('{day}' + time).getTime())"
        )
        assert f"since={since}" in asked
        assert f"until={until_}" in asked


async def test_list_of_hundreds_loads_to_its_end(running: RunningWorkspace) -> None:
    names = [f"c{number:03}" for number in range(200)]
    await running.deliver(*(written(name, 1, place) for place, name in enumerate(names)))
    async with pages(running) as (page,):
        await until(
            page,
            """() => {
                document.getElementById('list-scroll').scrollTop = 1e9;
                return document.querySelectorAll('.entry').length === 200;
            }""",
        )
        shown = await page.locator(".entry-name").all_text_contents()
        assert shown == [name.title() for name in names[::-1]]
        # What is far away is not laid out.
        assert not await page.locator(".entry").first.evaluate(
            "(one) => one.checkVisibility({ contentVisibilityAuto: true })"
        )
