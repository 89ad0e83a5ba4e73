"""The viewer's gallery and the page of all files in a real browser."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages, settle, until
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_accessibility import check
from tests.workspace.test_media_lists import with_file

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

TOUCH = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture
async def many(running: RunningWorkspace) -> RunningWorkspace:
    """Photos in the first 100 messages, and at the end a photo, a video, a sound and a document."""
    small, wide = samples.jpeg(320, 320, (200, 150, 90)), samples.jpeg(1600, 1200, (90, 150, 200))
    for number in range(1, 101):
        running.gateway.add_media("conv_mia", f"att_{number}", thumbnail=small, preview=wide)
        await running.deliver(with_file(number, samples.photo(f"att_{number}")))
    gateway = running.gateway
    gateway.add_media("conv_mia", "att_v", thumbnail=small, poster=small, video=samples.mp4(1.0))
    gateway.add_media("conv_mia", "att_d", thumbnail=small)
    gateway.add_pages("conv_mia", "att_d", samples.page(9), samples.page(9))
    last = [samples.video("att_v"), samples.sound("att_s"), samples.document("att_d", pages=2)]
    for number, attachment in enumerate(last, 101):
        await running.deliver(with_file(number, attachment))
    return running


def slide_count(page: Page) -> Locator:
    return page.locator("#viewer-count")


async def open_last_photo(page: Page) -> None:
    await page.get_by_role("link", name=re.compile("Mia")).click()
    await page.locator(".photo").last.click()
    await expect(slide_count(page)).to_have_text("100 of 103")


async def test_gallery_goes_through_all_media_of_the_conversation(many: RunningWorkspace) -> None:
    async with pages(many) as (page,):
        await open_last_photo(page)
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#viewer-content video")).to_be_visible()
        await expect(page.get_by_role("button", name="Turn")).to_be_hidden()
        await check(page, "a video in the gallery")
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#viewer-content .sound")).to_be_visible()
        await page.keyboard.press("ArrowRight")
        await expect(slide_count(page)).to_have_text("103 of 103")
        await expect(page.locator("#viewer-next")).to_be_disabled()
        await page.locator("#viewer-content .document").click()
        await expect(slide_count(page)).to_have_text("1 of 2")
        await page.keyboard.press("ArrowRight")
        await expect(slide_count(page)).to_have_text("2 of 2")
        await page.keyboard.press("Escape")
        await page.locator(".photo").last.click()
        await expect(slide_count(page)).to_have_text("100 of 103")
        # Farther than the transcript is loaded, and than the server sends at once.
        assert await page.locator(".message").count() == 60
        for number in range(99, 69, -1):
            await page.keyboard.press("ArrowLeft")
            await expect(slide_count(page)).to_have_text(f"{number} of 103")
        await page.keyboard.press("Home")
        await expect(slide_count(page)).to_have_text("1 of 103")
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 1600)
        await page.keyboard.press("End")
        await expect(slide_count(page)).to_have_text("103 of 103")


async def box(page: Page) -> tuple[float, float]:
    await settle(page)
    found: Any = await page.locator("#viewer-photo").bounding_box()
    return round(found["width"]), round(found["height"])


async def test_photo_can_be_turned_zoomed_swiped_and_saved(many: RunningWorkspace) -> None:
    async with pages(many, **TOUCH) as (page,):
        await open_last_photo(page)
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 1600)
        width, height = await box(page)
        assert width > height
        await page.get_by_role("button", name="Turn").click()
        turned = await box(page)
        assert turned[0] < turned[1], "it stands on its side"
        assert turned[1] > height, "and it uses the room"
        stage: Any = await page.locator("#viewer-stage").bounding_box()
        assert turned[0] <= stage["width"]
        assert turned[1] <= stage["height"]
        await page.get_by_role("button", name="Zoom in").click()
        zoomed = await box(page)
        assert zoomed[1] > turned[1]
        assert zoomed[0] < zoomed[1]
        await page.keyboard.press("0")
        await swipe(page, -160)
        await expect(slide_count(page)).to_have_text("101 of 103")
        await swipe(page, 160)
        await expect(slide_count(page)).to_have_text("100 of 103")
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 1600)
        assert await box(page) == (width, height), "the next photo is not turned"
        async with page.expect_download() as saved:
            await page.get_by_role("link", name="Download the photo").click()
        assert (await saved.value).suggested_filename.endswith(".jpg")


async def swipe(page: Page, by: int) -> None:
    """Swipe from the upper edge of the stage, where no player is."""
    stage: Any = await page.locator("#viewer-stage").bounding_box()
    x, y = stage["x"] + stage["width"] / 2 - by / 2, stage["y"] + 12
    client = await page.context.new_cdp_session(page)
    for type, at in (
        ("touchStart", 0.0),
        ("touchMove", 0.5),
        ("touchMove", 1.0),
        ("touchEnd", None),
    ):
        points = [] if at is None else [{"x": x + by * at, "y": y}]
        await client.send("Input.dispatchTouchEvent", {"type": type, "touchPoints": points})


async def test_open_viewer_closes_when_the_right_to_see_ends(many: RunningWorkspace) -> None:
    where = samples.conversation(consumer={"id": "49mia", "name": "Mia"})
    expired = samples.photo("att_100", "failed", reason="expired")
    message = samples.message(100, id="msg_mia_100", attachments=[expired])
    async with pages(many, many) as (page, other):
        await other.get_by_role("link", name=re.compile("Mia")).click()
        await open_last_photo(page)
        # What the page sends by itself would lead to the form before the page learns that it is signed out.
        await page.route("**/presence", lambda route: route.abort())
        viewer = page.locator("#viewer")
        data = {"conversation": where, "message": message}
        await many.deliver(samples.event("evt_e", "attachment.updated", data))
        await expect(viewer).to_be_hidden()
        await page.locator(".document").click()
        await expect(viewer).to_be_visible()
        await many.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
        await expect(viewer).to_be_hidden()
        await many.post("api/conversations/conv_mia/agents", {"do": "take"})
        await page.locator(".photo").last.click()
        await expect(slide_count(page)).to_have_text("99 of 102")
        # Signing out elsewhere in the same browser, here by ending the session on the server.
        await page.evaluate(
            "fetch('api/me').then((r) => r.json()).then(({csrf}) => fetch('sign-out', {method: 'POST', headers: {'X-CSRF-Token': csrf}}))"
        )
        await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        await expect(viewer).to_be_hidden()
        await other.locator(".photo").last.click()
        await expect(other.locator("#viewer")).to_be_visible()
        await many.post("api/conversations/conv_mia/erase")
        await expect(other.locator("#viewer")).to_be_hidden()
        await expect(other.locator(".entry")).to_have_count(0)


async def test_page_of_files_leads_to_each_file(many: RunningWorkspace) -> None:
    async with pages(many) as (page,):
        await page.get_by_role("link", name=re.compile("Mia")).click()
        await page.get_by_role("link", name="All files of this conversation").click()
        tiles = page.locator(".media-tile")
        await expect(tiles).to_have_count(40)
        await check(page, "the page of files")
        await page.get_by_role("button", name="Show earlier files").click()
        await expect(tiles).to_have_count(80)
        await page.get_by_label("Show").select_option("video")
        await expect(tiles).to_have_count(1)
        await page.get_by_label("Show").select_option("photo")
        await expect(tiles).to_have_count(40)
        await tiles.nth(2).click()
        await expect(page.locator("#viewer")).to_be_visible()
        await expect(slide_count(page)).to_have_text("98 of 103")
        assert "attachment" not in page.url
        await until(page, "document.querySelector('#viewer-photo').naturalWidth === 1600")
