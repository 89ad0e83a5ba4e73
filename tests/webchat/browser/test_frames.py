"""The chat in a frame on a brand's page: on the chat's own site, on another one, and where it may not be."""

import pytest
from playwright.async_api import FrameLocator, Page, expect

from tests.webchat.browser.hosts import HostPage
from tests.webchat.browser.opening import Opener, drop_cookie, photo, write
from tests.webchat.browser.running import RunningChat, until

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
#: A strict policy of a brand: no inline script or style, frames and scripts of the chat alone.
STRICT = (
    "default-src 'none'; style-src 'none'; script-src http://localhost:{0}; "
    "frame-src http://localhost:{0}; require-trusted-types-for 'script'"
)


def chat_in(page: Page) -> FrameLocator:
    return page.frame_locator("airlock-chat iframe")


async def test_chat_opens_in_a_frame_under_a_strict_policy(
    opener: Opener, chat: RunningChat, host: HostPage
) -> None:
    policy = STRICT.format(chat.port)
    page = await opener.open(host.url(chat.port, Content_Security_Policy=policy), **DESKTOP)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert asked == []
    button = page.get_by_role("button", name="Open chat")
    box = await button.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (60, 60)
    assert box["x"] + box["width"] == 1260
    await button.click()
    text = chat_in(page).get_by_label("Write a message")
    await expect(text).to_be_focused()
    await page.keyboard.type("from the shop")
    await page.keyboard.press("Enter")
    event = await chat.event("message")
    await expect(chat_in(page).locator("#unkept")).to_be_hidden()
    await text.press("Escape")
    await expect(page.get_by_role("button", name="Open chat")).to_be_focused()
    await chat.answer(event, "Hello from us", "unread-1")
    await expect(page.get_by_role("button", name="Open chat (1)")).to_be_visible()
    assert [one["status"] for one in chat.gateway.of("receipt")] in ([], ["delivered"])
    await page.get_by_role("button", name="Open chat (1)").click()
    await expect(page.get_by_role("button", name="Close chat")).to_have_attribute(
        "aria-label", "Close chat"
    )
    await chat.event("receipt", 2)
    assert chat.gateway.of("receipt")[-1]["status"] == "read"


async def test_nothing_of_the_page_covers_the_chat_on_a_phone(
    opener: Opener, chat: RunningChat, host: HostPage
) -> None:
    page = await opener.open(host.url(chat.port), viewport={"width": 320, "height": 640})
    await page.get_by_role("button", name="Open chat").press("Enter")
    send = chat_in(page).get_by_role("button", name="Send")
    await expect(send).to_be_visible()
    # Neither a finger nor the Tab key reaches the button that the chat covers.
    await expect(page.get_by_role("button", name="Close chat")).to_be_hidden()
    await send.press("Tab")
    assert await page.evaluate(_FOCUSED) is None
    assert await page.evaluate(_ABOVE) == []
    await send.press("Escape")
    await expect(page.get_by_role("button", name="Open chat")).to_be_focused()


async def test_frame_on_another_site_keeps_its_session(
    opener: Opener, chat: RunningChat, host: HostPage
) -> None:
    page = await opener.open(host.url(chat.port, host="127.0.0.1"), **DESKTOP)
    await page.get_by_role("button", name="Open chat").click()
    frame = chat_in(page)
    await frame.get_by_label("Write a message").fill("from elsewhere")
    await frame.get_by_label("Write a message").press("Enter")
    await expect(frame.locator(".line[data-state=received]")).to_have_count(1)
    await expect(frame.locator("#unkept")).to_have_text(
        "This browser keeps nothing for this page. Leave the page open until your messages are sent."
    )
    async with page.expect_file_chooser() as chooser:
        await frame.get_by_role("button", name="Attach").click()
        await frame.get_by_role("menuitem", name="Send image or video").click()
    await (await chooser.value).set_files(photo())
    await frame.get_by_label("Add a caption").press("Enter")
    await chat.event("message", 2)
    await page.reload()
    await page.get_by_role("button", name="Open chat").click()
    await expect(frame.get_by_text("from elsewhere")).to_be_visible()


async def test_page_keeps_the_conversation_of_a_frame_without_cookies(
    opener: Opener, chat: RunningChat, host: HostPage
) -> None:
    page = await opener.open("about:blank", **DESKTOP)
    await page.route("**/v1/sessions", drop_cookie)
    await page.goto(host.url(chat.port, host="127.0.0.1", site="kept"))
    await page.get_by_role("button", name="Open chat").click()
    frame = chat_in(page)
    await frame.get_by_label("Write a message").fill("kept by the page")
    await frame.get_by_label("Write a message").press("Enter")
    await chat.event("message")
    before = await page.evaluate(_KEPT)
    await page.reload()
    await page.get_by_role("button", name="Open chat").click()
    await expect(frame.get_by_text("kept by the page")).to_be_visible()
    await until(lambda: _has_changed(page, before))
    async with page.expect_popup() as opened:
        await frame.get_by_role("button", name="More").click()
        await frame.get_by_role("menuitem", name="Open in a window").click()
    window = await opened.value
    await expect(window.get_by_text("kept by the page")).to_be_visible()
    assert window.url == chat.url("kept") + "&language=en"
    await write(window, "from the window")
    await expect(frame.get_by_text("from the window")).to_be_visible()
    await window.reload()
    await expect(window.get_by_text("from the window")).to_be_visible()
    await page.evaluate("window.airlockChat.reset()")
    await expect(frame.get_by_text("You are signed out.")).to_be_visible()
    await until(lambda: page.evaluate(f"{_KEPT} === null"))


async def _has_changed(page: Page, before: str | None) -> bool:
    return await page.evaluate(_KEPT) not in {None, before}


async def test_camera_that_the_page_forbids_is_replaced_by_a_file(
    opener: Opener, chat: RunningChat, host: HostPage
) -> None:
    page = await opener.open(host.url(chat.port, Permissions_Policy="camera=()"), **DESKTOP)
    await page.get_by_role("button", name="Open chat").click()
    frame = chat_in(page)
    await frame.get_by_role("button", name="Attach").click()
    await frame.get_by_role("menuitem", name="Record video").click()
    await expect(frame.get_by_text("This page may not use the camera.")).to_be_visible()
    async with page.expect_popup() as opened:
        await frame.get_by_role("button", name="Open in a window").click()
    await expect((await opened.value).get_by_label("Write a message")).to_be_visible()
    await frame.get_by_role("button", name="Attach").click()
    await frame.get_by_role("menuitem", name="Record video").click()
    async with page.expect_file_chooser() as chooser:
        await frame.get_by_role("button", name="Choose a file instead").click()
    assert await (await chooser.value).element.get_attribute("accept") == "video/*"
    opener.errors.clear()


async def test_page_outside_of_origins_gets_a_link_instead(
    opener: Opener, chat: RunningChat, host: HostPage
) -> None:
    page = await opener.open("about:blank", **DESKTOP)
    await page.clock.install()
    await page.goto(host.url(chat.port, host="127.0.0.2"))
    await page.get_by_role("button", name="Open chat").click()
    await page.clock.run_for(5100)
    await expect(page.get_by_role("alert")).to_contain_text("This page cannot show the chat.")
    link = page.get_by_role("link", name="Open it in a window")
    address = await link.get_attribute("href")
    assert address is not None
    assert address.startswith(chat.url())
    # The browser says why the frame is blocked.
    assert any("frame-ancestors" in error for error in opener.errors)
    opener.errors.clear()


async def test_sign_in_and_sign_out_come_from_the_page(
    opener: Opener, chat: RunningChat, host: HostPage
) -> None:
    page = await opener.open(host.url(chat.port), **DESKTOP)
    token = chat.identity("ben", name="Ben")
    await page.evaluate("token => window.airlockChat.identify(token)", token)
    await page.get_by_role("button", name="Open chat").click()
    frame = chat_in(page)
    await frame.get_by_label("Write a message").fill("signed in")
    await frame.get_by_label("Write a message").press("Enter")
    consumer = (await chat.event("message"))["consumer"]
    assert (consumer["name"], consumer["verified"]) == ("Ben", True)
    async with page.expect_file_chooser() as chooser:
        await frame.get_by_role("button", name="Attach").click()
        await frame.get_by_role("menuitem", name="Send image or video").click()
    await (await chooser.value).set_files(photo())
    await frame.get_by_label("Add a caption").press("Enter")
    picture = frame.locator(".media img")
    await expect(picture).to_have_js_property("naturalWidth", 800)
    address = await picture.get_attribute("src")
    await chat.event("message", 2)
    await page.evaluate("window.airlockChat.reset()")
    await expect(frame.get_by_text("You are signed out.")).to_be_visible()
    await expect(frame.locator(".line")).to_have_count(0)
    await until(lambda: page.frames[-1].evaluate(_NOTHING_LEFT, address))
    await until(lambda: _has_no_cookies(page))
    await frame.get_by_role("button", name="Start a new chat").click()
    await expect(frame.get_by_text("Write to us, or send a photo or a video.")).to_be_visible()
    opener.errors.clear()


async def test_site_for_members_asks_to_sign_in(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open(chat.url("member"))
    await expect(page.get_by_text("Please sign in to chat with us.")).to_be_visible()
    wrong = chat.identity("eve", aud="another")
    page = await opener.open(chat.url() + f"#identity={wrong}")
    await expect(page.get_by_text("You could not be signed in.")).to_be_visible()


async def _has_no_cookies(page: Page) -> bool:
    return not await page.context.cookies()


#: The ticket in the storage of the brand's page.
_KEPT = "localStorage.getItem('airlock-chat-kept')"
#: Whether a frame keeps neither a database nor words nor a file.
_NOTHING_LEFT = """async (address) =>
    (await indexedDB.databases()).length === 0 && localStorage.length + sessionStorage.length === 0
        && await fetch(address).then(() => false, () => true)"""
#: What has the focus in the part of the page that the script made.
_FOCUSED = """() => {
    const { activeElement } = document.querySelector("airlock-chat").shadowRoot;
    return activeElement && activeElement.localName === "button" ? "button" : null;
}"""
#: What is above the frame at the places of a grid.
_ABOVE = """() => {
    const root = document.querySelector("airlock-chat").shadowRoot;
    const found = new Set();
    for (let x = 2; x < innerWidth; x += 6)
        for (let y = 2; y < innerHeight; y += 6) found.add(root.elementFromPoint(x, y)?.localName);
    return [...found].filter((name) => name !== "iframe");
}"""
