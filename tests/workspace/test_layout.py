"""Layout with real-life content: long names, odd shapes, right-to-left names, narrow phones."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages, settle
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

SIZES = {"desktop": (1280, 820), "phone": (390, 844), "narrow": (320, 640)}
LONG = "holiday at the sea " * 12 + ".jpg"


async def deliver(
    running: RunningWorkspace, number: int, attachments: list[Any], text: str | None = None
) -> None:
    lines = "\n".join(f"[{attachment['kind']} message]" for attachment in attachments)
    message = samples.message(number, text=text, transcript=lines, attachments=attachments)
    await running.deliver(samples.received(f"evt_{number}", message))


def add_photo(
    running: RunningWorkspace, id: str, width: int = 1600, height: int = 1200, **more: Any
) -> Any:
    small, large = (samples.jpeg(*size, (150, 190, 240)) for size in ((320, 320), (width, height)))
    running.gateway.add_media("conv_mia", id, thumbnail=small, preview=large)
    return samples.photo(id, **more)


async def open_mia(page: Page, running: RunningWorkspace) -> None:
    await page.goto(running.url("?conversation=conv_mia"))
    await expect(page.locator(".message").first).to_be_visible()


async def box(node: Locator) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom."""
    found = await node.bounding_box()
    assert found is not None
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


@pytest.mark.parametrize("size", SIZES)
async def test_panorama_with_a_long_name_fits_the_viewer(
    running: RunningWorkspace, size: str
) -> None:
    width, height = SIZES[size]
    await deliver(running, 1, [add_photo(running, "att_pan", 4096, 600, name=LONG)])
    async with pages(running, viewport={"width": width, "height": height}) as (page,):
        await open_mia(page, running)
        await page.locator("[data-photo]").click()
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 4096)
        await settle(page)
        for part in ("#viewer-photo", "#viewer-close", "#viewer-count", "#viewer-smaller"):
            left, top, right, bottom = await box(page.locator(part))
            assert left >= 0, part
            assert right <= width, part
            assert top >= 0, part
            assert bottom <= height, part
        assert (await box(page.locator("#viewer-count")))[2] <= (
            await box(page.locator("#viewer-smaller"))
        )[0], "the count stands beside the buttons and not below them"


async def test_album_has_two_columns_on_the_narrowest_phone(running: RunningWorkspace) -> None:
    await deliver(
        running, 1, [add_photo(running, f"att_{number}") for number in range(6)], "six at once"
    )
    async with pages(running, viewport={"width": 320, "height": 640}) as (page,):
        await open_mia(page, running)
        boxes = [await box(photo) for photo in await page.locator(".photo").all()]
        assert len({round(left) for left, *_ in boxes}) == 2
        assert len({round(top) for _, top, *_ in boxes}) == 3


async def test_video_of_any_shape_fits_the_page(running: RunningWorkspace) -> None:
    for number, (width, height) in enumerate([(100, 800), (1920, 200), (270, 480)], 1):
        clip = samples.video(f"att_{number}", width=width, height=height)
        await deliver(
            running, number, [clip], "a caption that is longer than a narrow video is wide"
        )
    async with pages(running) as (page,):
        await open_mia(page, running)
        for player in await page.locator(".player").all():
            left, top, right, bottom = await box(player)
            assert 160 <= right - left <= 440
            assert bottom - top <= 420


async def test_right_to_left_names_start_at_the_left(
    running: RunningWorkspace,
) -> None:
    who = samples.conversation(consumer={"id": "4915550000001", "name": "محمد عبد الرحمن"})
    await running.deliver(samples.received("evt_1", samples.message(1, text="مرحبا"), who))
    async with pages(running) as (page,):
        await open_mia(page, running)
        for name, detail in ((".entry-name", ".entry-state"), ("#head-name", "#head-detail")):
            for selector in (name, detail):
                await expect(page.locator(selector).first).to_have_text(_NOT_BLANK)
            # A part that is being redrawn has no place.
            while not (written := await page.locator(name).first.evaluate(_TEXT_LEFT)):
                await asyncio.sleep(0.05)
            while not (below := await page.locator(detail).first.evaluate(_TEXT_LEFT)):
                await asyncio.sleep(0.05)
            assert abs(written - below) < 12


_NOT_BLANK = re.compile(r"\S")


_TEXT_LEFT = """(node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect().left;
}"""


async def test_progress_of_a_pending_file_is_shown(running: RunningWorkspace) -> None:
    progress = running.gateway.progress
    pending = {**add_photo(running, "att_1"), "state": "pending", "renditions": {}}
    progress["att_1"] = {"step": "fetching", "percent": None, "tries": 1, "next_try_at": None}
    await deliver(running, 1, [pending])
    async with pages(running) as (page,):
        await open_mia(page, running)
        slot = page.locator(".slot")
        for step, text in (
            ({"step": "scanning", "percent": None, "tries": 1}, "Scanning for malware…"),
            ({"step": "making_safe", "percent": 40, "tries": 1}, "Making it safe… 40%"),
        ):
            progress["att_1"] = step
            await expect(slot).to_have_text(text)
        progress.clear()
        message = samples.message(
            1, transcript="[photo message]", attachments=[add_photo(running, "att_1")]
        )
        data = {"conversation": samples.conversation(), "message": message}
        await running.deliver(samples.event("evt_2", "attachment.updated", data))
        await expect(page.locator(".photo img")).to_have_js_property("naturalWidth", 320)
        # Polling stops once nothing is pending.
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.wait_for_timeout(2_000)
        assert not [url for url in asked if url.endswith("/progress")]
