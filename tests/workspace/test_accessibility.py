"""Accessibility of all pages by axe-core (WCAG 2.2 AA): light and dark, wide and narrow."""

from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.workspace import samples
from tests.workspace.browser import animated, end_session, pages
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DISPLAYS = {
    f"{name} and {scheme}": {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    for name, width, height in (("wide", 1280, 860), ("narrow", 390, 844))
    for scheme in ("light", "dark")
}


@pytest.fixture
async def with_everything(running: RunningWorkspace) -> RunningWorkspace:
    """A conversation with every kind of content."""
    small, large = samples.jpeg(320, 320, (200, 150, 90)), samples.jpeg(1600, 1200, (200, 150, 90))
    running.gateway.add_media("conv_mia", "att_p", thumbnail=small, preview=large)
    running.gateway.add_media(
        "conv_mia", "att_v", thumbnail=small, poster=small, video=samples.mp4(1.0)
    )
    everything = [
        samples.photo("att_p", name="IMG_1.JPG"),
        samples.video("att_v", name="IMG_2.MOV"),
        samples.photo("att_w", "pending"),
        samples.photo("att_r", "rejected", reason="malware"),
        samples.video("att_f", "failed", reason="unreachable", code="131052", detail="Media error"),
        samples.attachment("att_l", "location", "ready", location={"name": "Shop", "latitude": 1}),
        samples.attachment("att_c", "contact", "ready", contacts=[{"name": "Ann"}]),
    ]
    lines = "\n".join(["[photo message]"] * len(everything))
    await running.deliver(
        samples.received("evt_1", samples.message(1, text="both sides")),
        samples.received(
            "evt_2",
            samples.message(
                2, text="see these", transcript=lines, attachments=everything, reply_to="wamid.1"
            ),
        ),
    )
    await running.open_conversation()
    for number, text in enumerate(("Thank you", "One more thing")):
        content = {"text": text, "key": f"{number}" * 20, "reply_to": "msg_1"}
        await running.post("api/conversations/conv_mia/messages", content)
    data = {
        "conversation": samples.conversation(),
        "message": {"id": "msg_sent2", "platform_id": None},
        "status": "failed",
        "reason": "opted_out",
        "detail": "Attempt to send to unsubscribed recipient",
    }
    await running.deliver(samples.event("evt_3", "message.status", data))
    notice = {"notice": {"kind": "typing_start"}, "conversation": samples.conversation()}
    now = datetime.now(UTC).isoformat()
    await running.deliver({**samples.event("evt_4", "conversation.notice", notice), "time": now})
    return running


@pytest.mark.parametrize("display", DISPLAYS)
async def test_conversations_page_has_no_accessibility_violations(
    with_everything: RunningWorkspace, display: str
) -> None:
    async with pages(with_everything, **DISPLAYS[display]) as (page,):
        await check(page, "the list")
        await page.locator(".entry").click()
        await expect(page.locator(".message").first).to_be_visible()
        await expect(page.locator("#typing")).to_be_visible()
        await page.locator(".quote-button").first.click()
        await check(page, "a conversation")
        await page.locator(".photo").first.click()
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 1600)
        await check(page, "the preview")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Hand over").click()
        await check(page, "the hand-over")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Close", exact=True).click()
        await expect(page.get_by_text("This conversation is closed.")).to_be_visible()
        await check(page, "a closed conversation")
        await page.get_by_role("button", name="Erase").click()
        await check(page, "the warning before erasing")


@pytest.mark.parametrize("display", DISPLAYS)
async def test_page_of_an_unassigned_agent_has_no_accessibility_violations(
    with_everything: RunningWorkspace, display: str
) -> None:
    async with pages(with_everything, **DISPLAYS[display]) as (page,):
        await end_session(page)
        await page.goto(with_everything.url("sign-in"))
        await page.get_by_role("button", name="Continue as sam").click()
        await expect(page.locator(".account-name")).to_have_text("sam")
        await page.goto(with_everything.url("?conversation=conv_mia"))
        await expect(page.get_by_text("Only assigned agents can see this").first).to_be_visible()
        await check(page, "somebody else's conversation")
        await page.goto(with_everything.url(""))
        await page.get_by_label("Search names and messages").fill("nothing of the kind")
        await expect(page.locator("#list-empty")).to_have_text("No conversations found.")
        await check(page, "an empty list")


@pytest.mark.parametrize("display", DISPLAYS)
@pytest.mark.parametrize("path", ["audit", "operations"])
async def test_admin_pages_have_no_accessibility_violations(
    with_everything: RunningWorkspace, path: str, display: str
) -> None:
    async with pages(with_everything, **DISPLAYS[display]) as (page,):
        await page.goto(with_everything.url(path))
        await expect(page.locator(".dot, td").first).to_be_visible()
        await check(page, path)


@pytest.mark.parametrize("display", DISPLAYS)
async def test_sign_in_page_has_no_accessibility_violations(
    with_everything: RunningWorkspace, display: str
) -> None:
    async with pages(with_everything, **DISPLAYS[display]) as (page,):
        await end_session(page)
        await page.goto(with_everything.url("sign-in"))
        await check(page, "sign-in")


async def check(page: Page, where: str) -> None:
    await animated(page)
    found: Any = (await Axe().run(page, options={"runOnly": RULES})).response
    serious = [
        f"{where}: {rule['id']}, {rule['help']}: {[node['html'][:160] for node in rule['nodes']][:3]}"
        for rule in found["violations"]
        if rule["impact"] in {"serious", "critical", "moderate"}
    ]
    assert serious == []
    assert found["passes"], "axe checked nothing"
