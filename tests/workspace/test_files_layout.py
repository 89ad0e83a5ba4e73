"""Sounds, documents, cards and refused files: accessibility by axe-core, and layout from 320 to 2560 pixels."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages, settle
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_accessibility import DISPLAYS, check

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

LONG = "minutes of the meeting " * 12
CARD = {
    "name": LONG,
    "phones": [{"phone": "+1 555 0100 " * 9, "type": "CELL"}],
    "emails": ["a" * 180 + "@example.com"],
}


@pytest.fixture
async def with_files(running: RunningWorkspace) -> RunningWorkspace:
    gateway, white = running.gateway, samples.page(9)
    gateway.add_media("conv_mia", "att_d", thumbnail=white, text=b"Total\t12\n")
    gateway.add_pages("conv_mia", "att_d", white, white)
    gateway.add_media("conv_mia", "att_t", text=b"Total\t12\n" * 400)
    many: dict[str, Any] = {"pages": 2, "pages_total": 212, "complete": False, "text_differs": True}
    unknown = {"media_type": None, "bytes": 81_234}
    attachments = [
        [samples.sound("att_a")],
        [
            samples.sound("att_b", voice=False, complete=False, name=LONG, duration_seconds=7000),
            samples.document("att_d", name=f"{LONG}.pdf", **many),
            samples.text_document("att_t", name="prices.csv", charset="guessed"),
        ],
        [samples.attachment("att_c", "contact", "ready", contacts=[CARD, {"name": "Ann"}])],
        [
            samples.document("att_p", "rejected", reason="protected", name=f"{LONG}.pdf"),
            samples.document("att_u", "rejected", reason="unsupported_type", source=unknown),
        ],
    ]
    for number, some in enumerate(attachments, 1):
        lines = "\n".join(["[document]"] * len(some))
        message = samples.message(number, text=None, transcript=lines, attachments=some)
        await running.deliver(samples.received(f"evt_{number}", message))
    return running


async def open_mia(page: Page, running: RunningWorkspace) -> None:
    await page.goto(running.url("?conversation=conv_mia"))
    await expect(page.locator(".slot")).to_have_count(2)


@pytest.mark.parametrize("display", DISPLAYS)
async def test_files_have_no_accessibility_violations(
    with_files: RunningWorkspace, display: str
) -> None:
    async with pages(with_files, **DISPLAYS[display]) as (page,):
        await open_mia(page, with_files)
        await check(page, "the conversation")
        await page.locator(".document").first.click()
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 1240)
        await check(page, "the pages")
        await page.get_by_role("button", name="Text").click()
        await expect(page.locator("#viewer-text-body")).to_contain_text("Total")
        await check(page, "the text beside the pages")
        await page.keyboard.press("Escape")
        await page.locator(".document").last.click()
        await expect(page.locator("#viewer-text-body")).to_contain_text("Total")
        await check(page, "the text alone")
        await page.goto(with_files.url("audit"))
        await expect(page.locator("#entries tr").first).to_contain_text("read the text")
        await check(page, "the audit page")


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
async def test_files_fit_their_bubble_and_the_viewer(
    with_files: RunningWorkspace, width: int
) -> None:
    async with pages(with_files, viewport={"width": width, "height": 720}) as (page,):
        await open_mia(page, with_files)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        for bubble in await page.locator(".bubble").all():
            left, _, right, _ = await box(bubble)
            assert right <= width
            for part in await bubble.locator(":scope :is(button, dl, p, [role=slider])").all():
                inner = await box(part)
                assert inner[0] >= left
                assert inner[2] <= right
        await page.locator(".document").first.click()
        await page.get_by_role("button", name="Text").click()
        await expect(page.locator("#viewer-text-body")).to_contain_text("Total")
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 1240)
        await settle(page)
        for shown in ("#viewer-photo", "#viewer-text", "#viewer-note"):
            assert_inside(await box(page.locator(shown)), width, shown)
        for control in await page.get_by_role("dialog").get_by_role("button").all():
            assert_inside(await box(control), width, "a button")
        photo, text = (
            await box(page.locator("#viewer-photo")),
            await box(page.locator("#viewer-text")),
        )
        assert photo[2] <= text[0] or photo[3] <= text[1], "the text does not cover the page"


def assert_inside(found: tuple[float, ...], width: int, what: str) -> None:
    left, top, right, bottom = found
    assert left >= 0, what
    assert top >= 0, what
    assert right <= width, what
    assert bottom <= 720, what


async def box(node: Locator) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom."""
    found: Any = await node.bounding_box()
    assert found is not None
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]
