"""The page by axe-core (WCAG 2.2 AA) in every state, by keyboard, on small screens, and from right to left."""

from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.webchat.browser.opening import Opener, choose, photo, pick, send_picked, write
from tests.webchat.browser.running import RunningChat
from tests.workspace.browser import animated

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SMALL = {"width": 320, "height": 640}


async def test_page_has_no_accessibility_violations(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open(viewport=SMALL)
    await expect(page.get_by_role("button", name="Attach")).to_be_visible()
    await check(page, "an empty chat")
    await send_picked(page, photo(), "Look")
    event = await chat.event("message")
    await chat.answer(event, "Thank you. See https://shop.example.com.", "axe")
    await expect(page.get_by_text("Thank you")).to_be_visible()
    await page.route("**/v1/messages/**", lambda route: route.abort())
    await send_picked(page, photo(), "again")
    await expect(page.get_by_text("press to try now")).to_be_visible()
    await chat.outcome(event, state="rejected", reason="corrupt")
    await expect(page.get_by_text("it is damaged")).to_be_visible()
    await chat.platform("typing", to=event["consumer"]["id"], on=True)
    await expect(page.get_by_text("An agent is writing")).to_be_visible()
    await check(page, "a chat with a refused photo, a failed message and typing")
    await page.get_by_role("button", name="Attach").click()
    await expect(page.get_by_role("menuitem", name="Take photo")).to_be_focused()
    await check(page, "the menu")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Open photo").first.click()
    await expect(page.locator(".viewer img")).to_be_visible()
    await check(page, "the viewer")
    await page.keyboard.press("Escape")
    await pick(page, photo())
    await expect(page.get_by_label("Add a caption")).to_be_focused()
    await check(page, "the preview")
    await page.keyboard.press("Escape")
    await choose(page, "Record video")
    await expect(page.get_by_role("button", name="Record video")).to_be_enabled()
    await check(page, "the camera")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Stop recording")).to_be_visible()
    await check(page, "the camera while it records")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Clear history on this device").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check(page, "a question")
    await page.get_by_role("dialog").get_by_role("button", name="Clear history").click()
    await expect(page.get_by_text("Thank you")).to_be_hidden()
    await page.reload()
    await expect(page.get_by_text("press to try now")).to_be_visible()
    await expect(page.get_by_text("Thank you")).to_be_hidden()
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Delete my data").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete my data").click()
    await expect(page.get_by_text("Your data has been deleted.")).to_be_visible()
    await expect(page.get_by_role("button", name="Start a new chat")).to_be_visible()
    await chat.event("erasure")
    await check(page, "a chat that has ended")


@pytest.mark.parametrize("width", [320, 768])
async def test_everything_fits_and_is_large_enough_to_press(
    opener: Opener, chat: RunningChat, width: int
) -> None:
    page = await opener.open(
        chat.url(language="ar"), viewport={"width": width, "height": 640}, locale="ar"
    )
    attach = page.get_by_role("button", name="إرفاق")
    await expect(attach).to_be_visible()
    assert await page.evaluate("document.documentElement.dir") == "rtl"
    await attach.click()
    await expect(page.get_by_role("menuitem", name="تسجيل فيديو")).to_be_visible()
    small = """[...document.querySelectorAll("button, textarea")].filter((one) => one.checkVisibility())
        .map((one) => one.getBoundingClientRect()).filter(({ width, height }) => Math.min(width, height) < 44).length"""
    assert await page.evaluate(small) == 0
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) == 0
    await page.keyboard.press("Escape")
    await page.locator("#text").fill("مرحبا " * 40)
    await page.keyboard.press("Enter")
    own = page.locator(".bubble")
    await expect(own).to_be_visible()
    box = await own.bounding_box()
    assert box is not None
    # An own message stands where lines of this language end.
    assert box["x"] < width / 2
    await page.context.set_offline(True)
    await page.locator("#text").fill("مرحبا")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("في انتظار الاتصال، ثم تُرسَل تلقائيًا.")).to_be_visible()
    assert await page.evaluate(wide) == 0


async def test_chat_is_used_by_keyboard_alone(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open(reduced_motion="reduce", forced_colors="active")
    await expect(page.get_by_role("button", name="Attach")).to_be_visible()
    press = page.keyboard.press
    await page.get_by_role("button", name="Attach").focus()
    await press("Enter")
    await expect(page.get_by_role("menuitem", name="Take photo")).to_be_focused()
    await press("ArrowDown")
    await press("ArrowDown")
    await press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="Take photo")).to_be_focused()
    await press("Escape")
    await expect(page.get_by_role("button", name="Attach")).to_be_focused()
    await press("Enter")
    await expect(page.get_by_role("menuitem", name="Take photo")).to_be_focused()
    await press("Enter")
    await expect(page.get_by_role("button", name="Take photo")).to_be_focused()
    await press("Enter")
    await expect(page.get_by_label("Add a caption")).to_be_focused()
    await press("Enter")
    (taken,) = (await chat.event("message"))["attachments"]
    assert taken["media_type"] == "image/jpeg"
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await press("Tab")
    await page.keyboard.type("and a text")
    await press("Enter")
    assert (await chat.event("message", 2))["text"] == "and a text"
    log = page.get_by_role("log")
    await expect(log.locator("li[data-own=true]").first).to_have_attribute("aria-live", "off")
    assert await page.evaluate("document.getAnimations().length") == 0
    await write(page, "x" * 4001)
    await expect(page.get_by_role("alert").get_by_text("4001 characters")).to_be_visible()


async def check(page: Page, where: str) -> None:
    """Check a state in light and dark."""
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        await _check(page, f"{where} in {scheme}")


async def _check(page: Page, where: str) -> None:
    await animated(page)
    found: Any = (await Axe().run(page, options={"runOnly": RULES})).response
    violations = [
        f"{where}: {rule['id']}, {rule['help']}: {[node['html'][:160] for node in rule['nodes']][:3]}"
        for rule in found["violations"]
    ]
    assert violations == []
    assert found["passes"], "axe checked nothing"
