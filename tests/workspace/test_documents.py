"""Documents in a real browser: pages in the viewer, the text beside them, and texts alone."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.workspace import samples
from tests.workspace.browser import pages, settle
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

HOSTILE = '<img src=x onerror="window.hacked=1"><b>Total</b>\n\tnet\u202e 12'


@pytest.fixture
async def with_invoice(running: RunningWorkspace) -> RunningWorkspace:
    await deliver(running, 1, samples.document(name="invoice.pdf"), text="please pay")
    add_document(running, "att_document", 3)
    return running


def add_document(running: RunningWorkspace, id: str, count: int, text: str = HOSTILE) -> None:
    small = samples.jpeg(320, 320, (220, 220, 210))
    gateway, first = running.gateway, samples.page(1)
    gateway.add_media("conv_mia", id, thumbnail=small, preview=first, document=b"%PDF-1.4")
    gateway.add_media("conv_mia", id, text=text.encode())
    gateway.add_pages(
        "conv_mia", id, *(samples.page(number, 1240) for number in range(1, count + 1))
    )


async def deliver(
    running: RunningWorkspace, number: int, document: dict[str, Any], text: str | None = None
) -> None:
    message = samples.message(number, text=text, transcript="[document]", attachments=[document])
    await running.deliver(samples.received(f"evt_{number}", message))


async def open_first(page: Page, running: RunningWorkspace) -> Locator:
    """Open the conversation and its first document; return the viewer."""
    await page.goto(running.url("?conversation=conv_mia"))
    await page.locator(".document").first.click()
    dialog = page.get_by_role("dialog", name="Document")
    await expect(dialog).to_be_visible()
    return dialog


async def test_document_shows_first_page_name_and_count(with_invoice: RunningWorkspace) -> None:
    await deliver(with_invoice, 2, samples.document("att_2", pages=1, pages_total=1))
    await deliver(
        with_invoice, 3, samples.document("att_3", complete=False, pages=50, pages_total=212)
    )
    await deliver(
        with_invoice, 4, samples.document("att_4", complete=False, pages=7, pages_total=None)
    )
    async with pages(with_invoice) as (page,):
        await page.goto(with_invoice.url("?conversation=conv_mia"))
        await expect(page.locator(".document")).to_have_count(4)
        first, *others = await page.locator(".document").all()
        await first.scroll_into_view_if_needed()
        await expect(first.locator("img")).to_have_js_property("naturalWidth", 320)
        await expect(first).to_contain_text("invoice.pdf")
        facts = ["1 page · PDF", "50 of 212 pages shown", "7 pages shown, incomplete"]
        await expect(first).to_contain_text("3 pages · PDF · 2.3 MB")
        for document, text in zip(others, facts, strict=True):
            await expect(document).to_contain_text(text)


async def test_pages_are_shown_in_the_viewer_by_keyboard(with_invoice: RunningWorkspace) -> None:
    async with pages(with_invoice) as (page,):
        dialog = await open_first(page, with_invoice)
        shown, count = dialog.locator("img"), dialog.locator("#viewer-count")
        await expect(shown).to_have_js_property("naturalWidth", 1240)
        await expect(dialog).to_contain_text("please pay")
        await expect(dialog.locator("#viewer-note")).to_be_hidden()
        steps = [("ArrowRight", 2), ("PageDown", 3), ("ArrowRight", 3), ("Home", 1)]
        for key, number in [*steps, ("PageUp", 1), ("End", 3), ("ArrowLeft", 2)]:
            await page.keyboard.press(key)
            await expect(count).to_have_text(f"{number} of 3")
            await expect(shown).to_have_attribute("alt", f"Page {number} of invoice.pdf")
        await expect(shown).to_have_attribute("src", "attachments/att_document/page-2")
        await page.keyboard.press("+")
        await expect(dialog.locator("#viewer-scale")).to_contain_text("%")
        await dialog.get_by_role("button", name="Next page").click()
        await expect(count).to_have_text("3 of 3")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(page.locator(".document")).to_be_focused()


async def test_viewer_says_how_many_pages_are_missing(running: RunningWorkspace) -> None:
    await deliver(running, 1, samples.document(complete=False, pages=2, pages_total=212))
    add_document(running, "att_document", 1)
    async with pages(running) as (page,):
        dialog = await open_first(page, running)
        await expect(dialog.locator("#viewer-note")).to_have_text("2 of 212 pages shown")
        await page.keyboard.press("ArrowRight")
        await expect(dialog).to_contain_text("The page could not be loaded.")
        await page.keyboard.press("ArrowLeft")
        await expect(dialog.locator("img")).to_be_visible()


async def test_text_beside_the_pages_is_text_and_not_markup(
    with_invoice: RunningWorkspace,
) -> None:
    async with pages(with_invoice) as (page,):
        dialog = await open_first(page, with_invoice)
        toggle, panel = dialog.get_by_role("button", name="Text"), dialog.get_by_role("region")
        await expect(panel).to_be_hidden()
        await toggle.click()
        await expect(toggle).to_have_attribute("aria-expanded", "true")
        written = dialog.locator("#viewer-text-body")
        await expect(written).to_have_js_property("textContent", HOSTILE.replace("\u202e", ""))
        await expect(written.locator("*")).to_have_count(0)
        await expect(panel).not_to_contain_text("Not proved")
        await expect(dialog.locator("img")).to_have_js_property("naturalWidth", 1240)
        await settle(page)
        picture, beside = await dialog.locator("img").bounding_box(), await panel.bounding_box()
        assert picture is not None
        assert beside is not None
        assert picture["x"] + picture["width"] <= beside["x"]
        assert await page.evaluate("window.hacked") is None
        await toggle.click()
        await expect(panel).to_be_hidden()


async def test_text_that_differs_is_marked_as_unproved(running: RunningWorkspace) -> None:
    differing = samples.document(text_differs=True)
    await deliver(running, 1, differing)
    add_document(running, "att_document", 3)
    async with pages(running) as (page,):
        dialog = await open_first(page, running)
        await dialog.get_by_role("button", name="Text").click()
        await expect(dialog.get_by_role("region")).to_contain_text("Not proved to be what is seen")


@pytest.mark.parametrize(
    ("facts", "remark"),
    [
        ({}, ""),
        ({"text_differs": True}, "Not proved to be what is seen"),
        ({"charset": "guessed"}, "The character set was guessed"),
        ({"complete": False}, "Incomplete: the file contains more text."),
    ],
    ids=["plain", "differs", "guessed", "incomplete"],
)
async def test_text_alone_is_a_readable_panel(
    running: RunningWorkspace, facts: dict[str, Any], remark: str
) -> None:
    await deliver(running, 1, samples.text_document(name="prices.csv", **facts))
    running.gateway.add_media("conv_mia", "att_text", text="Größe;Preis\nM;12".encode())
    async with pages(running) as (page,):
        dialog = await open_first(page, running)
        panel = dialog.get_by_role("region", name="Text of the document")
        await expect(panel).to_contain_text("Größe;Preis")
        await expect(panel).to_be_focused()
        await expect(dialog.locator("#viewer-text-note")).to_have_text(
            re.compile(f"^{re.escape(remark)}" if remark else "^$")
        )
        for hidden in (
            "img",
            "#viewer-larger",
            "#viewer-next",
            "#viewer-text-toggle",
            "#viewer-text-charset",
        ):
            await expect(dialog.locator(hidden)).to_be_hidden()
        async with page.expect_download() as saving:
            await dialog.get_by_role("link", name="Download the text").click()
        assert (await saving.value).suggested_filename == "prices.txt"
        await page.keyboard.press("Escape")
        await expect(page.locator(".document")).to_be_focused()


async def test_agent_reads_a_guessed_text_in_another_charset(running: RunningWorkspace) -> None:
    guessed: dict[str, Any] = {"charset": "guessed", "charsets": ["cp874", "gb18030", "cp1251"]}
    await deliver(running, 1, samples.text_document(name="prices.csv", **guessed))
    texts = {"text": b"guess", "text-gb18030": "退款请求".encode(), "text-cp1251": b"other"}
    running.gateway.add_media("conv_mia", "att_text", **texts)
    async with pages(running) as (page,):
        dialog = await open_first(page, running)
        body = dialog.locator("#viewer-text-body")
        await expect(body).to_have_text("guess")
        choice = dialog.get_by_label("Read it as")
        await expect(choice).to_have_value("cp874")
        await choice.select_option(label="Chinese, simplified")
        await expect(body).to_have_text("退款请求")
        await choice.select_option("cp874")
        await expect(body).to_have_text("guess")


async def test_text_that_cannot_be_loaded_says_so(running: RunningWorkspace) -> None:
    await deliver(running, 1, samples.text_document())
    running.gateway.add_media("conv_mia", "att_text", text=b"")
    async with pages(running) as (page,):
        dialog = await open_first(page, running)
        await expect(dialog).to_contain_text("No text was found in the file.")
        await page.keyboard.press("Escape")
        await page.route("**/attachments/att_text/text", gone)
        await page.locator(".document").click()
        await expect(dialog).to_contain_text("This is no longer stored.")


async def gone(route: Route) -> None:
    await route.fulfill(status=410, json={"error": "This is no longer stored."})


async def test_pages_text_and_pdf_are_in_the_audit_log(with_invoice: RunningWorkspace) -> None:
    async with pages(with_invoice) as (page,):
        dialog = await open_first(page, with_invoice)
        await expect(dialog.locator("img")).to_have_js_property("naturalWidth", 1240)
        # The log has the order in which the requests came.
        async with page.expect_response("**/page-3"):
            await page.keyboard.press("End")
        await expect(dialog.locator("#viewer-count")).to_have_text("3 of 3")
        await dialog.get_by_role("button", name="Text").click()
        await expect(dialog.get_by_role("region")).to_contain_text("Total")
        async with page.expect_download() as saving:
            await dialog.get_by_role("link", name="Download the PDF").click()
        assert (await saving.value).suggested_filename == "invoice.pdf"
        await page.goto(with_invoice.url("audit"))
        await page.get_by_label("Attachments only").check()
        rows = page.locator("#entries tr td:nth-child(3)")
        await expect(rows).to_have_text(
            [
                "downloaded a document att_document",
                "read the text of a document att_document",
                "looked at page 3 of a document att_document",
                "looked at page 1 of a document att_document",
            ]
        )


async def test_gallery_of_a_photo_has_the_document_too(
    with_invoice: RunningWorkspace,
) -> None:
    large = samples.jpeg(1600, 1200, (150, 190, 240))
    with_invoice.gateway.add_media("conv_mia", "att_photo", thumbnail=large, preview=large)
    await deliver(with_invoice, 2, samples.photo(name="IMG_1.JPG"))
    async with pages(with_invoice) as (page,):
        await open_first(page, with_invoice)
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Photo IMG_1.JPG").click()
        dialog = page.get_by_role("dialog", name="Photo")
        await expect(dialog.locator("#viewer-count")).to_have_text("2 of 2")
        await expect(dialog.get_by_role("button", name="Text")).to_be_hidden()
        await expect(dialog.get_by_role("link", name="Download the photo")).to_be_visible()


@pytest.mark.parametrize("state", ["ready", "rejected"])
async def test_file_that_is_not_shown_says_what_it_is(
    running: RunningWorkspace, state: str
) -> None:
    unknown = {"media_type": "application/zip", "bytes": 81_234}
    found = samples.attachment("att_z", "document", state, name="plan.zip", source=unknown)
    renditions = {"original": samples.saved("application/octet-stream", 81_234)}
    await deliver(running, 1, {**found, "reason": "unsupported_type", "renditions": renditions})
    running.gateway.add_media("conv_mia", "att_z", original=b"PK")
    running.gateway.saved_as = "file.zip"
    async with pages(running) as (page,):
        await page.goto(running.url("?conversation=conv_mia"))
        slot = page.locator(".slot")
        for text in ("plan.zip", "ZIP archive · 81 kB", "this type of file is not supported"):
            if state == "rejected" or "type of file" not in text:
                await expect(slot).to_contain_text(text)
        async with page.expect_download() as saving:
            await page.get_by_role("link", name="Original").click()
        assert (await saving.value).suggested_filename == "plan.zip"


async def test_fax_says_that_only_its_first_page_is_shown(running: RunningWorkspace) -> None:
    small = samples.jpeg(320, 320, (220, 220, 210))
    running.gateway.add_media("conv_mia", "att_photo", thumbnail=small, preview=small)
    await deliver(running, 1, samples.photo(pages_total=3))
    async with pages(running) as (page,):
        await page.goto(running.url("?conversation=conv_mia"))
        await expect(page.locator(".attachment")).to_contain_text("1 of 3 pages shown")
