"""Texts, photos and recordings as a consumer sends them and sees them."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.webchat.browser.opening import Opener, choose, loaded, photo, pick, send_picked, write
from tests.webchat.browser.running import RunningChat, until
from tests.workspace import samples

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


async def test_texts_pass_both_ways_with_ticks_and_typing(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open()
    await expect(page.get_by_role("button", name="Attach")).to_be_visible()
    send = page.get_by_role("button", name="Send", exact=True)
    await send.click()
    await expect(page.get_by_label("Write a message")).to_be_focused()
    await page.get_by_label("Write a message").press_sequentially("My parcel is broken")
    assert (await chat.event("typing"))["on"] is True
    await page.keyboard.press("Enter")
    event = await chat.event("message")
    assert event["text"] == "My parcel is broken"
    own = page.locator(".line[data-own=true]")
    await expect(own).to_have_attribute("data-state", "received")
    await chat.platform("read", to=event["consumer"]["id"], message_id=event["id"])
    await expect(own).to_have_attribute("data-state", "read")
    await chat.platform("typing", to=event["consumer"]["id"], on=True)
    await expect(page.get_by_text("An agent is writing")).to_be_visible()
    answer = "See https://shop.example.com/returns."
    await chat.answer(event, answer, "answer-1", reply_to=event["id"])
    await expect(page.locator(".quote")).to_have_text("My parcel is broken")
    link = page.get_by_role("link", name="https://shop.example.com/returns")
    await expect(link).to_have_attribute("href", "https://shop.example.com/returns")
    await expect(page.get_by_text("An agent is writing")).to_be_hidden()
    await chat.platform("typing", to=event["consumer"]["id"], on=True)
    await expect(page.get_by_text("An agent is writing")).to_be_visible()
    assert (await chat.event("receipt", 2))["status"] == "read"
    # The receipt changes the agent's message, but the agent still writes.
    line = page.locator(".line[data-own=false]")
    await expect(line).to_have_attribute("data-state", "read")
    await expect(page.get_by_text("An agent is writing")).to_be_visible()
    await chat.platform("closed", to=event["consumer"]["id"])
    await expect(page.get_by_text("The conversation was closed")).to_be_visible()
    await write(page, "One more thing")
    await expect(page.get_by_text("The conversation was closed")).to_be_hidden()


async def test_picked_photo_is_sent_with_its_outcome(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open()
    await pick(page, photo())
    await expect(page.get_by_role("dialog", name="Preview").get_by_role("img")).to_be_visible()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose another").click()
    await (await chooser.value).set_files(photo("second.jpg"))
    await page.get_by_label("Add a caption").fill("The second one")
    await page.keyboard.press("Enter")
    event = await chat.event("message")
    assert event["text"] == "The second one"
    assert [file["name"] for file in event["attachments"]] == ["second.jpg"]
    await expect(page.get_by_text("Being checked")).to_be_visible()
    await chat.outcome(event, renditions=["thumbnail", "preview"], grant="g1", kind="photo")
    await expect(page.get_by_text("Checked. The agent can see it.")).to_be_visible()
    thumbnail = page.get_by_role("button", name="Open photo")
    box = await thumbnail.bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (300, 300)
    await thumbnail.click()
    await expect(page.get_by_role("dialog").get_by_role("img")).to_have_js_property(
        "naturalWidth", 800
    )
    await page.keyboard.press("Escape")
    await expect(thumbnail).to_be_focused()
    await chat.outcome(event, state="rejected", reason="malware")
    await expect(page.get_by_text("malware was found in it")).to_be_visible()
    async with page.expect_file_chooser():
        await page.get_by_role("button", name="Choose another").click()


async def test_files_that_cannot_be_sent_are_refused_in_words(opener: Opener) -> None:
    page = await opener.open()
    wrong = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"MZ not a photo at all"}
    empty = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b""}
    large = {
        "name": "v.mp4",
        "mimeType": "video/mp4",
        "buffer": b"\0\0\0\x18ftypisom" + bytes(1_800_000),
    }
    for file, words in (
        (wrong, "This type of file cannot be sent."),
        (empty, "This file is empty."),
        (large, "This file is too large. At most 1.8 MB can be sent."),
    ):
        await pick(page, file)  # type: ignore[arg-type]
        await expect(page.get_by_role("alert").get_by_text(words)).to_be_visible()
    await page.get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_role("alert").get_by_text("too large")).to_be_hidden()


async def test_photo_that_the_browser_cannot_show_gets_a_tile(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open()
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)
    await pick(page, {"name": "IMG_1.HEIC", "mimeType": "image/heic", "buffer": heic})
    await expect(page.get_by_role("dialog").get_by_text("IMG_1.HEIC")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(".line")).to_have_count(0)


#: The clock of a recording shows each second only for a second, in which nobody may look.
_CLOCK, _A_SECOND_OR_MORE = re.compile(r"^0:\d\d$"), re.compile(r"^0:(0[1-9]|[1-9]\d)$")


async def test_video_is_recorded_by_press_and_by_hold(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open()
    await choose(page, "Record video")
    shutter = page.get_by_role("button", name="Record video")
    await expect(shutter).to_be_enabled()
    await page.keyboard.press("Enter")
    await expect(page.locator(".clock")).to_have_text(_CLOCK)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await until(lambda: _camera_is_off(page))
    await choose(page, "Record video")
    await expect(shutter).to_be_enabled()
    await shutter.hover()
    await page.mouse.down()
    await expect(page.locator(".clock")).to_have_text(_A_SECOND_OR_MORE)
    await page.mouse.up()
    player = page.get_by_role("dialog", name="Preview").locator("video")
    await expect(player).to_be_visible()
    await page.get_by_role("button", name="Retake").click()
    await expect(shutter).to_be_enabled()
    await shutter.click()
    await expect(page.locator(".clock")).to_have_text(_A_SECOND_OR_MORE)
    await page.get_by_role("button", name="Stop recording").click()
    await page.get_by_label("Add a caption").fill("It rattles")
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    event = await chat.event("message")
    (file,) = event["attachments"]
    assert (event["text"], file["kind"]) == ("It rattles", "video")
    # It is replayed in a closed conversation as well.
    await chat.platform("closed", to=event["consumer"]["id"])
    await expect(page.get_by_text("The conversation was closed")).to_be_visible()
    await expect(page.locator(".length")).to_have_text(re.compile(r"0:0\d"))
    await page.get_by_role("button", name="Play video").click()
    await expect(page.locator(".viewer video")).to_have_js_property("paused", False)
    await page.locator(".viewer video").evaluate("video => { video.currentTime = 0.5; }")
    await expect(page.locator(".viewer video")).to_have_js_property("seeking", False)


async def test_recording_survives_the_end_of_its_tab(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open()
    await choose(page, "Record video")
    shutter = page.get_by_role("button", name="Record video")
    await expect(shutter).to_be_enabled()
    await shutter.press("Enter")
    await until(lambda: _has_parts(page, 2))
    other = await page.context.new_page()
    await other.goto(chat.url())
    await expect(other.get_by_role("button", name="Attach")).to_be_visible()
    await loaded(other, "camera")
    # The other tab leaves it alone while it runs.
    await expect(other.get_by_role("dialog")).to_have_count(0)
    await page.close()
    # The browser ends the tab after it has answered.
    await until(
        lambda: other.evaluate(
            "navigator.locks.query().then(({ held }) => !held.some(({ name }) => name.startsWith('airlock-recording-')))"
        )
    )
    await other.reload()
    await expect(other.get_by_text("A recording was interrupted.")).to_be_visible()
    await other.get_by_role("button", name="Show it").click()
    player = other.get_by_role("dialog", name="Preview").locator("video")
    await expect(player).to_have_js_property("videoHeight", 720)
    await other.get_by_label("Add a caption").press("Enter")
    (file,) = (await chat.event("message"))["attachments"]
    assert file["kind"] == "video"
    await until(lambda: _has_parts(other, 0))
    await other.reload()
    await expect(other.get_by_role("button", name="Play video")).to_be_visible()
    await expect(other.get_by_role("dialog")).to_have_count(0)


async def _has_parts(page: Page, count: int) -> bool:
    found: int = await page.evaluate(_PARTS)
    return found >= count if count else found == 0


#: How many parts of recordings this device keeps.
_PARTS = """async () => {
    const settled = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
    const db = await settled(indexedDB.open("airlock-shop"));
    const count = await settled(db.transaction("parts").objectStore("parts").count());
    db.close();
    return count;
}"""


async def test_menu_offers_what_the_site_takes_once_it_does(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open(chat.url("asked"))
    await write(page, "May I send a photo?")
    event = await chat.event("message")
    attach = page.get_by_role("button", name="Attach")
    await expect(attach).to_be_hidden()
    await chat.answer(event, "Please do", "asked-1", site="asked")
    await attach.click()
    items = page.get_by_role("menuitem")
    await expect(items).to_have_text(["Take photo", "Send image"])
    await page.keyboard.press("Escape")
    await attach.click()
    await expect(items).to_have_count(2)
    await page.mouse.click(200, 200)
    await expect(items).to_have_count(0)


async def test_second_device_shows_sanitized_files_alone(opener: Opener, chat: RunningChat) -> None:
    token = chat.identity("ann")
    first = await opener.open(chat.url() + f"#identity={token}")
    await send_picked(first, photo())
    event = await chat.event("message")
    chat.gateway.files["g2", "thumbnail"] = ("image/jpeg", samples.jpeg(300, 300, (9, 9, 9)))
    chat.gateway.files["g2", "preview"] = ("image/jpeg", samples.jpeg(640, 480, (9, 9, 9)))
    await chat.outcome(event, renditions=["thumbnail", "preview"], grant="g2", kind="photo")
    second = await opener.open(chat.url() + f"#identity={token}")
    picture = second.locator(".media img")
    await expect(picture).to_have_js_property("naturalWidth", 300)
    await second.get_by_role("button", name="Open photo").click()
    await expect(second.get_by_role("dialog").get_by_role("img")).to_have_js_property(
        "naturalWidth", 640
    )
    assert "identity" not in second.url


async def _camera_is_off(page: Page) -> bool:
    return bool(
        await page.evaluate(
            "[...document.querySelectorAll('video')].every((one) => !one.srcObject)"
        )
    )


async def test_tab_follows_when_another_signs_somebody_else_in(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open(f"{chat.url()}#identity={chat.identity('ida')}")
    await write(page, "written by Ida")
    await chat.event("message")
    other = await page.context.new_page()
    opener.watch(other)
    await other.goto(f"{chat.url()}#identity={chat.identity('jon')}")
    await expect(other.get_by_text("Write to us")).to_be_visible()
    await write(other, "written by Jon")
    assert (await chat.event("message", 2))["text"] == "written by Jon"
    await expect(page.get_by_text("written by Jon")).to_be_visible()
    await expect(page.get_by_text("written by Ida")).to_have_count(0)
    await write(page, "from the first tab")
    third = await chat.event("message", 3)
    assert third["consumer"]["id"] == chat.gateway.of("message")[1]["consumer"]["id"]
