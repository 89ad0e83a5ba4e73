"""The workspace in a real browser, with a real gateway, emulated platforms and accounts."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Response, expect
from playwright.async_api import TimeoutError as NotSeen

from simulator import Fault, photo, video, voice
from simulator.samples import padded, recording
from simulator.samples.documents import document
from tests.system.running import AIRLOCK, CONSUMERS, Site, free_port, site
from tests.workspace.browser import pages_at, until
from workspace.auth import accounts

pytestmark = pytest.mark.system

PASSWORD = "correct horse battery"
# A generous timeout, because other work may slow the machine.
expect.set_options(timeout=20_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Run a site where Anna and Sam are agents, and Vera is supervisor and operator."""
    small = {"media": {"video_max_bytes": 400_000, "photo_max_bytes": 400_000}}
    async with site(tmp_path_factory.mktemp("shop"), settings=small, workspace=True) as running:
        for name, roles in (
            ("anna", ["agent"]),
            ("sam", ["agent"]),
            ("vera", ["supervisor", "operator"]),
        ):
            accounts.add(running.folder / "data" / "workspace.db", name, PASSWORD, roles)
        for platform in running.platforms.values():
            platform.receipts = platform.usual_receipts
        yield running


@asynccontextmanager
async def signed_in(shop: Site, *names: str, **context: Any) -> AsyncIterator[list[Page]]:
    async with pages_at(*(f"{shop.url}/workspace/" for _ in names), **context) as opened:
        for page, name in zip(opened, names, strict=True):
            await page.get_by_label("Name").fill(name)
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.locator("#brand")).to_be_visible()
        yield opened


async def has_come(entry: Locator) -> bool:
    """Wait a moment for an entry of the list."""
    try:
        await entry.wait_for(timeout=1000)
    except NotSeen:
        return False
    return True


async def open_conversation(page: Page, text: str) -> None:
    """Find the conversation that contains the text, and take it if it is unassigned."""
    await page.get_by_role("button", name="All", exact=True).click()
    search = page.get_by_label("Search names and messages")
    # The list shows others until it shows what was found.
    entry = page.locator(".entry", has_text=text[:20]).first
    async with asyncio.timeout(20):
        await search.fill(text)
        # A search does not find what arrives after it.
        while not await has_come(entry):
            await search.fill("")
            await search.fill(text)
    await entry.click()
    await expect(page.locator("#head-name")).to_be_visible()
    take = page.locator("#actions").get_by_role("button", name="Take")
    await expect(page.locator("#actions")).not_to_be_empty()
    if await take.count():
        await take.click()
        await expect(page.get_by_label("Your reply")).to_be_visible()


def on_media_response(page: Page, note: Callable[[Response], None]) -> None:
    """Call `note` with every response for media."""

    def handle(answer: Response) -> None:
        if "/media/" in answer.url:
            note(answer)

    page.on("response", handle)


def line_of(page: Page, text: str) -> Any:
    return page.locator(".message").filter(has_text=text).last


@pytest.mark.asyncio(loop_scope="module")
async def test_a_delivery_becomes_a_visible_photo_and_seekable_video(
    shop: Site,
) -> None:
    whatsapp = shop.platforms["whatsapp"]
    parts: list[int] = []
    async with signed_in(shop, "anna") as (page,):
        on_media_response(page, lambda answer: parts.append(answer.status))
        mia = CONSUMERS["whatsapp"]
        await whatsapp.send(mia, "pixels please", [photo("parcel", 900, 700, name="IMG_1.JPG")])
        await open_conversation(page, "pixels please")
        thumbnail = line_of(page, "pixels please").locator(".photo img")
        await expect(thumbnail).to_have_js_property("naturalWidth", 320)
        await whatsapp.send(mia, "it does this all day", [video("washer", 5.0, 320, 240)])
        player = line_of(page, "it does this all day").locator(".player")
        await expect(player).to_contain_text("0:05")
        assert 206 not in parts, "no part of a video is loaded before it is requested"
        await player.get_by_role("button", name=re.compile("Play")).click()
        await until(page, "document.querySelector('.player video').currentTime > 0.2")
        await page.evaluate("document.querySelector('.player video').currentTime = 4")
        await until(
            page, "(v => !v.seeking && v.currentTime >= 4)(document.querySelector('video'))"
        )
        assert 206 in parts


@pytest.mark.asyncio(loop_scope="module")
async def test_a_browsers_recording_plays_and_is_seekable(shop: Site) -> None:
    whatsapp = shop.platforms["whatsapp"]
    async with signed_in(shop, "anna") as (page,):
        mia = CONSUMERS["whatsapp"]
        await whatsapp.send(mia, "please watch it")
        await open_conversation(page, "please watch it")
        await whatsapp.send(mia, "as recorded", [recording("washer", 3.0, 320, 240)])
        player = line_of(page, "as recorded").locator(".player")
        await expect(player).to_contain_text("0:03")
        await player.get_by_role("button", name=re.compile("Play")).click()
        video_tag = "[...document.querySelectorAll('.player video')].at(-1)"
        await until(page, f"{video_tag}.currentTime > 0.2")
        await page.evaluate(f"{video_tag}.currentTime = 2")
        await until(page, f"(v => !v.seeking && v.currentTime >= 2)({video_tag})")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_voice_message_plays_and_is_seekable(shop: Site) -> None:
    whatsapp = shop.platforms["whatsapp"]
    parts: list[int] = []
    async with signed_in(shop, "anna") as (page,):
        on_media_response(page, lambda answer: parts.append(answer.status))
        mia = CONSUMERS["whatsapp"]
        await whatsapp.send(mia, "please listen to it")
        await open_conversation(page, "please listen to it")
        await whatsapp.send(mia, None, [voice(5.0)])
        sound = page.locator(".sound").last
        await expect(sound).to_contain_text("Voice message")
        await expect(sound).to_contain_text("0:00 / 0:05")
        assert 206 not in parts, "no part of a sound is loaded before it is requested"
        await sound.get_by_role("button", name=re.compile("Play")).click()
        await until(page, "document.querySelector('.sound audio').currentTime > 0.2")
        await page.evaluate("document.querySelector('.sound audio').currentTime = 4")
        await until(
            page, "(a => !a.seeking && a.currentTime >= 4)(document.querySelector('.sound audio'))"
        )
        assert 206 in parts


@pytest.mark.asyncio(loop_scope="module")
async def test_a_document_opens_with_its_pages_and_its_text(shop: Site) -> None:
    whatsapp = shop.platforms["whatsapp"]
    async with signed_in(shop, "anna") as (page,):
        mia = CONSUMERS["whatsapp"]
        await whatsapp.send(mia, "please read it")
        await open_conversation(page, "please read it")
        await whatsapp.send(mia, None, [document("Pay by Friday", pages=3)])
        shown = page.locator(".document").last
        await expect(shown).to_contain_text("3 pages")
        await shown.click()
        dialog = page.get_by_role("dialog")
        await page.keyboard.press("End")
        await expect(dialog.locator("#viewer-count")).to_have_text("3 of 3")
        await expect(dialog.locator("img")).not_to_have_js_property("naturalWidth", 0)
        await dialog.get_by_role("button", name="Text", exact=True).click()
        await expect(dialog).to_contain_text("Pay by Friday")
        await page.keyboard.press("Escape")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_reply_reaches_the_consumer_and_its_ticks_change(shop: Site) -> None:
    whatsapp = shop.platforms["whatsapp"]
    async with signed_in(shop, "anna") as (page,):
        await whatsapp.send(CONSUMERS["whatsapp"], "which size is it?")
        await open_conversation(page, "which size is it?")
        await expect(line_of(page, "which size is it?")).to_be_visible()
        await line_of(page, "which size is it?").hover()
        await page.get_by_role("button", name="Quote: which size is it?").click()
        await expect(page.locator("#composer-quoted")).to_have_text("which size is it?")
        await page.get_by_label("Your reply").press_sequentially("Size M")
        await page.get_by_label("Your reply").press("Enter")
        answer = line_of(page, "Size M")
        await expect(answer.locator(".quote")).to_have_text("which size is it?")
        await expect(answer.locator(".ticks")).to_have_attribute("data-status", "read")
        (sent,) = [text for text in whatsapp.sent if text.text == "Size M"]
        assert sent.raw["context"]["message_id"].startswith("wamid.")
        async with asyncio.timeout(20):
            while not {"typing_on", "read"} <= {action.kind for action in whatsapp.actions}:
                await asyncio.sleep(0.05)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_consumers_reply_shows_the_quoted_text(shop: Site) -> None:
    whatsapp: Any = shop.platforms["whatsapp"]
    mia = CONSUMERS["whatsapp"]
    async with signed_in(shop, "anna") as (page,):
        await whatsapp.send(mia, "may I ask something?")
        await open_conversation(page, "may I ask something?")
        await page.get_by_label("Your reply").fill("Please do")
        await page.get_by_label("Your reply").press("Enter")
        ticks = line_of(page, "Please do").locator(".ticks")
        await expect(ticks).to_have_attribute("data-status", "read")
        ours = next(text.id for text in whatsapp.sent if text.text == "Please do")
        await whatsapp.say(mia, ("text", {"body": "thank you for asking"}), reply_to=ours)
        await expect(line_of(page, "thank you for asking").locator(".quote")).to_have_text(
            "Please do"
        )


@pytest.mark.asyncio(loop_scope="module")
async def test_a_consumers_typing_is_shown_and_cleared(shop: Site) -> None:
    apple: Any = shop.platforms["apple"]
    dana = CONSUMERS["apple"]
    async with signed_in(shop, "anna") as (page,):
        await apple.send(dana, "one moment")
        await open_conversation(page, "one moment")
        await apple.deliver(dana, "typing_start")
        await expect(page.locator("#typing")).to_contain_text("is typing")
        await apple.deliver(dana, "typing_end")
        await expect(page.locator("#typing")).to_be_hidden()
        await page.get_by_label("Your reply").press_sequentially("Take your")
        async with asyncio.timeout(20):
            while "typing_start" not in [action.kind for action in apple.actions]:
                await asyncio.sleep(0.05)
        await page.get_by_label("Your reply").fill("")
        async with asyncio.timeout(20):
            while "typing_end" not in [action.kind for action in apple.actions]:
                await asyncio.sleep(0.05)


@pytest.mark.asyncio(loop_scope="module")
async def test_rejected_media_show_the_limit_and_failed_media_are_retryable(
    shop: Site,
) -> None:
    twilio: Any = shop.platforms["twilio"]
    cleo = CONSUMERS["twilio"]
    large = padded(video("bicycle", 1.0, 160, 120, name="ride.mp4"), 612_345)
    lost = photo("bicycle", 400, 300, name="lost.jpg", seed=77)
    twilio.faults["lost.jpg"] = Fault(status=410)
    async with signed_in(shop, "anna") as (page,):
        await twilio.send(cleo, "too big", [large])
        await twilio.send(cleo, "was lost", [lost])
        await open_conversation(page, "was lost")
        await expect(line_of(page, "too big")).to_contain_text("Too large: 612 kB, limit 400 kB")
        figure = line_of(page, "was lost")
        await expect(figure).to_contain_text("Could not be downloaded")
        twilio.faults.clear()
        await figure.get_by_role("button", name="Try again").click()
        await expect(figure.locator(".photo img")).to_have_js_property("naturalWidth", 320)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_hand_over_invalidates_all_issued_links(shop: Site) -> None:
    messenger = shop.platforms["messenger"]
    async with signed_in(shop, "anna", "sam", "vera") as (anna, sam, vera):
        taken: list[str] = []
        on_media_response(anna, lambda answer: taken.append(answer.url))
        sample = photo("washer", 700, 500, name="secret.jpg", seed=5)
        await messenger.send(CONSUMERS["messenger"], "for your eyes", [sample])
        await open_conversation(anna, "for your eyes")
        await expect(anna.locator(".photo img").last).to_have_js_property("naturalWidth", 320)
        await anna.locator(".photo").last.click()
        await expect(anna.locator("#viewer-photo")).to_have_js_property("naturalWidth", 700)
        await anna.keyboard.press("Escape")
        previews = [url for url in taken if "/preview" in url]
        assert await status_of(previews[0]) == 200
        attachment = previews[0].partition("/media/")[2].partition("/")[0]
        # Sam sees that there is a photo, but cannot get it in any way.
        await open_untaken(sam, "for your eyes")
        await expect(sam.locator(".photo")).to_have_count(0)
        await expect(sam.locator(".slot").last).to_contain_text("Only assigned agents")
        for path in ("thumbnail", "preview", "download"):
            answer = await sam.request.get(f"{shop.url}/workspace/attachments/{attachment}/{path}")
            assert answer.status == 403, path
        for changed in (
            previews[0].replace("agent=anna", "agent=sam"),
            previews[0].replace("/preview?", "/thumbnail?"),
            previews[0][:-4] + "AAAA",
            previews[0].partition("?")[0],
        ):
            assert await status_of(changed) in {403, 400}, changed
        # The link depends on the assignment, not on whether the conversation is closed.
        await anna.get_by_role("button", name="Close", exact=True).click()
        await expect(anna.get_by_text("This conversation is closed.")).to_be_visible()
        assert await status_of(previews[0]) == 200
        await open_untaken(vera, "for your eyes")
        await vera.get_by_role("button", name="Reopen").first.click()
        await vera.get_by_role("button", name="Hand over").first.click()
        await vera.get_by_label("Hand over to").select_option("sam")
        await vera.get_by_role("dialog").get_by_role("button", name="Hand over").click()
        await expect(sam.locator(".photo img").last).to_have_js_property("naturalWidth", 320)
        await expect(anna.locator(".photo")).to_have_count(0)
        for url in taken:
            assert await status_of(url) == 403
        # Only the supervisor can see who viewed what.
        await vera.goto(f"{shop.url}/workspace/audit")
        row = vera.locator("#entries tr").filter(has_text=attachment).filter(has_text="looked at")
        await expect(row.first).to_contain_text("anna")
        assert (await anna.request.get(f"{shop.url}/workspace/api/audit")).status == 403


async def open_untaken(page: Page, text: str) -> None:
    """Open the conversation without taking it."""
    await page.get_by_role("button", name="All", exact=True).click()
    await page.get_by_label("Search names and messages").fill(text)
    await page.locator(".entry", has_text=text).first.click()
    await expect(page.locator(".message").filter(has_text=text).last).to_be_visible()


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(url, allow_redirects=False) as response:
        return response.status


@pytest.mark.asyncio(loop_scope="module")
async def test_operators_see_accounts_health_latency_and_retryable_failures(shop: Site) -> None:
    twilio: Any = shop.platforms["twilio"]
    sample = photo("bicycle", 420, 300, name="gone.jpg", seed=78)
    twilio.faults["gone.jpg"] = Fault(status=410)
    async with signed_in(shop, "vera") as (page,):
        await twilio.send(CONSUMERS["twilio"], "will fail", [sample])
        await page.goto(f"{shop.url}/workspace/operations")
        channel = page.locator("[data-channel=messenger]")
        await expect(channel).to_contain_text("Example Appliances")
        await expect(channel).to_contain_text("OK")
        await expect(page.locator("#numbers")).to_contain_text("From webhook to core")
        row = page.locator("#failures tr").filter(has_text="gone").first
        await expect(row).to_be_visible()
        twilio.faults.clear()
        await row.get_by_role("button", name=re.compile("Retry")).click()
        await expect(page.get_by_text("Nothing has failed.")).to_be_visible()


async def test_the_demo_opens_a_photo_and_shows_ticks_that_change() -> None:
    port = free_port()
    demo = await asyncio.create_subprocess_exec(
        str(AIRLOCK), "demo", "--port", str(port), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert demo.stdout is not None
        line = await asyncio.wait_for(demo.stdout.readline(), 60)
        async with pages_at(re.findall(r"http://\S+", line.decode())[0]) as (page,):
            await expect(page.locator("#head-name")).to_have_text("Ann Berger")
            await expect(page.locator(".photo img").last).to_be_in_viewport()
            await page.get_by_label("Your reply").fill("We are on it")
            await page.get_by_label("Your reply").press("Enter")
            ticks = line_of(page, "We are on it").locator(".ticks")
            await expect(ticks).to_have_attribute("data-status", "read")
    finally:
        demo.terminate()
        await demo.wait()


async def test_operators_see_refused_credentials(tmp_path: Path) -> None:
    async with site(tmp_path, workspace=True) as running:
        accounts.add(running.folder / "data" / "workspace.db", "oda", PASSWORD, ["operator"])
        platform: Any = running.platforms["whatsapp"]
        platform.token = "another token"
        await running.stop()
        await running.start()
        async with signed_in(running, "oda") as (page,):
            channel = page.locator("[data-channel=whatsapp]")
            await expect(channel).to_contain_text("Needs action")
            await expect(channel).to_contain_text("unauthorized")
