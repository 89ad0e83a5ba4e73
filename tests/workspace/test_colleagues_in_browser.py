"""Two agents at once in a real browser: hand-over with a note, presence, notifications, and the audit page."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages, until
from tests.workspace.running import RunningWorkspace
from tests.workspace.test_accessibility import check
from tests.workspace.test_queue_in_browser import sign_in_as_sam

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

#: In place of the browser's notifications, which a test cannot see.
FAKE = """window.shown = [];
    window.Notification = class extends EventTarget {
        static permission = "default";
        static async requestPermission() { return this.permission = "granted"; }
        constructor(title, { body }) { super(); window.shown.push(`${title}: ${body}`); }
        close() {}
    };
    document.hasFocus = () => false;"""


@pytest.fixture
async def mia(running: RunningWorkspace) -> RunningWorkspace:
    picture = samples.jpeg(320, 320, (120, 150, 200))
    running.gateway.add_media("conv_mia", "att_photo", thumbnail=picture, preview=picture)
    photo = samples.photo(name="lid.jpg")
    await running.deliver(samples.received("evt_1", samples.message(attachments=[photo])))
    return running


async def open_mia(page: Page) -> None:
    await page.get_by_role("link", name=re.compile("Mia")).first.click()
    await expect(page.get_by_role("heading", name="Mia")).to_be_visible()


async def test_colleagues_see_each_other_and_the_note(mia: RunningWorkspace) -> None:
    async with pages(mia, mia) as (page, sams):
        await sign_in_as_sam(sams, mia)
        await open_mia(page)
        await open_mia(sams)
        await expect(sams.locator("#presence")).to_have_text("agent is reading")
        await expect(page.locator("#presence")).to_have_text("sam is reading")
        await page.get_by_label("Your reply").press_sequentially("We")
        await expect(sams.locator("#presence")).to_have_text("agent is typing")
        await check(sams, "a colleague is typing")
        await page.get_by_role("button", name="Hand over").click()
        note = page.get_by_label("Note for the next agent")
        await note.fill("Wants the blue one")
        await check(page, "a note")
        await page.get_by_role("dialog").get_by_role("button", name="Hand over").click()
        await expect(sams.locator(".notice-note")).to_have_text("Wants the blue one")
        await expect(sams.get_by_label("Your reply")).to_be_visible()
        await sams.get_by_role("button", name="Give back").click()
        await expect(sams.get_by_role("button", name="Take").first).to_be_visible()
        await sams.get_by_role("button", name="Nobody's").click()
        await expect(sams.locator(".entry-name")).to_have_text(["Mia"])
        await page.close()
        await expect(sams.locator("#presence")).to_have_text("")


async def test_notifications_are_opt_in_and_hold_no_words(mia: RunningWorkspace) -> None:
    async with pages(mia) as (page,):
        await page.add_init_script(FAKE)
        await page.reload()
        await page.get_by_role("button", name="Notify me").click()
        toggle = page.get_by_role("button", name="Notifications are on")
        await expect(toggle).to_have_attribute("aria-pressed", "true")
        await mia.deliver(samples.received("evt_2", samples.message(2, text="a secret")))
        await until(page, "window.shown.length === 1")
        assert await page.evaluate("window.shown") == ["Mia: 2 unread messages"]
        await toggle.click()
        await mia.deliver(samples.received("evt_3", samples.message(3, text="a third")))
        await expect(page.locator(".entry-line")).to_have_text("a third")
        assert await page.evaluate("window.shown.length") == 1


async def test_audit_page_leads_to_the_photo_and_exports(mia: RunningWorkspace) -> None:
    async with pages(mia) as (page,):
        await open_mia(page)
        await page.locator(".photo").click()
        await expect(page.locator("#viewer-photo")).to_have_js_property("naturalWidth", 320)
        await page.goto(mia.url("audit"))
        await page.get_by_label("Customer").fill("mia")
        await page.get_by_label("From").fill("2020-01-01")
        row = page.locator("#entries tr", has_text="looked at")
        await expect(row).to_contain_text("lid.jpg")
        await check(page, "the audit page")
        async with page.expect_download() as saved:
            await page.get_by_role("link", name="Export as CSV").click()
        assert (await saved.value).suggested_filename.startswith("audit-")
        await row.get_by_role("link", name="a photo").click()
        await expect(page.locator("#viewer-name")).to_have_text("lid.jpg")
        await page.goto(mia.url("audit"))
        await page.get_by_label("To", exact=True).fill("2020-01-02")
        await expect(page.get_by_text("No entries yet.")).to_be_visible()
