"""The pages in Arabic, from right to left: no foreign word, nothing too wide, and nothing that axe finds."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.workspace.browser import pages, settle
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_accessibility import check, with_everything
from tests.workspace.test_widths import TOO_WIDE, outside

__all__ = ["with_everything"]

pytestmark = pytest.mark.system

#: What is not ours keeps its own language: names, messages, keys, and what the contract or the gateway says.
FOREIGN = (
    "bdi, kbd, option, code, [lang]:not(html), [dir=auto], script, .message-text, .entry-line, .entry-platform, .platform,"
    " .transcript-line, .card-name, .card-label, time, .quote, .slot-name"
)
LEFT_IN_ENGLISH = """(foreign) => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const one = node.nodeType === 1 ? node : node.parentElement;
        if (one.closest(foreign)) continue;
        if (node.nodeType === 3) found.push(node.data);
        else for (const name of ["aria-label", "placeholder", "alt"]) found.push(node.getAttribute(name) ?? "");
    }
    const ours = found.map((text) => text.replace(/\\u2068[^\\u2069]*\\u2069/gu, ""));
    return ours.filter((text) => /[A-Za-z]{3,}/u.test(text) && !/^Airlock$|\\b(?:PDF|CSV|connectors.yaml|media.scanner)\\b/u.test(text));
}"""


async def test_every_page_in_arabic_runs_from_right_to_left(
    with_everything: RunningWorkspace,
) -> None:
    running = with_everything
    wide = {"width": 1280, "height": 860}
    async with pages(running, locale="ar", viewport=wide) as (page,):
        await expect(page.locator(".entry")).to_be_visible()
        await page.goto(running.url("?conversation=conv_mia"))
        await expect(page.locator(".message").first).to_be_visible()
        await look(page, "conversation")
        await check(page, "a conversation in Arabic")
        ours, theirs = page.locator(".message[data-direction=out]"), page.locator(".message").first
        assert await left(ours.first) < await left(theirs)
        await page.locator(".photo").first.click()
        await expect(page.locator("#viewer-count")).to_contain_text("من")
        await page.keyboard.press("ArrowLeft")  # the next one is to the left
        await expect(page.locator("#viewer-previous")).to_be_enabled()
        assert await left(page.locator("#viewer-next")) < await left(
            page.locator("#viewer-previous")
        )
        await page.keyboard.press("Escape")
        for path, loaded in (
            ("media", ".media-tile"),
            ("audit", "#entries td"),
            ("operations", ".tile"),
            ("none", ".error-page"),
        ):
            await page.goto(running.url(path))
            await expect(page.locator(loaded).first).to_be_visible()
            await look(page, path)
            await check(page, f"{path} in Arabic")
        await page.goto(running.url(""))
        await page.get_by_label("اللغة").select_option("de")
        await expect(page.locator("html")).to_have_attribute("lang", "de")
        await expect(page.get_by_role("button", name="Offen")).to_be_visible()
        await page.get_by_role("button", name="Abmelden").click()
        await page.get_by_role("link", name="العربية").click()
        await expect(page.locator("html")).to_have_attribute("dir", "rtl")
        await look(page, "sign-in")
        await check(page, "sign-in in Arabic")


async def look(page: Page, where: str) -> None:
    assert await page.evaluate("document.documentElement.dir") == "rtl"
    assert await page.evaluate(LEFT_IN_ENGLISH, FOREIGN) == [], where

    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 860})
        await settle(page)
        assert not await page.evaluate(TOO_WIDE), f"{where} at {width}"
        assert await outside(page, width) == [], f"{where} at {width}"


async def left(locator: Any) -> float:
    box = await locator.bounding_box()
    assert box is not None
    return float(box["x"])
