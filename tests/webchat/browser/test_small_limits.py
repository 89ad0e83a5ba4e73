"""A server with small limits: recordings that end by themselves, photos made smaller, puzzles, frames without cookies."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.webchat.browser.opening import Opener, choose, drop_cookie, photo, send_picked, write
from tests.webchat.browser.running import RunningChat, run_chat
from tests.workspace import samples
from webchat.settings import Limits

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

FILE_BYTES = 400_000


@pytest_asyncio.fixture(loop_scope="session")
async def small(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningChat]:
    limits = Limits(file_bytes=FILE_BYTES, sessions_an_hour_for_address=2)
    async with run_chat(tmp_path_factory.mktemp("small"), limits=limits) as running:
        yield running


async def test_recordings_and_photos_are_kept_below_the_limit(
    opener: Opener, small: RunningChat
) -> None:
    page = await opener.open(small.url())
    await choose(page, "Record video")
    await expect(page.get_by_role("button", name="Record video")).to_be_enabled()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").get_by_text("Recording ends in 10 s")).to_be_attached()
    await expect(page.get_by_label("Add a caption")).to_be_focused(timeout=20_000)
    await page.keyboard.press("Enter")
    (video,) = (await small.event("message"))["attachments"]
    assert FILE_BYTES / 20 < video["bytes"] <= FILE_BYTES
    large = photo(width=900, height=700)
    large["buffer"] += bytes(FILE_BYTES)
    await send_picked(page, large)
    (smaller,) = (await small.event("message", 2))["attachments"]
    assert smaller["bytes"] < FILE_BYTES
    # The second session of this network costs a proof of work.
    second = await opener.open(small.url())
    await write(second, "after some work")
    assert (await small.event("message", 3))["text"] == "after some work"


async def test_frame_without_any_cookie_shows_sanitized_files(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open("about:blank")
    await page.route("**/v1/sessions", drop_cookie)
    token = chat.identity("carla")
    await page.goto(chat.url() + f"#identity={token}")
    await send_picked(page, photo(), "no cookies here")
    event = await chat.event("message")
    chat.gateway.files["g3", "thumbnail"] = ("image/jpeg", samples.jpeg(300, 300, (9, 9, 9)))
    await chat.outcome(event, renditions=["thumbnail"], grant="g3", kind="photo")
    await expect(page.get_by_text("Checked.")).to_be_visible()
    other = await opener.open("about:blank")
    await other.route("**/v1/sessions", drop_cookie)
    await other.goto(chat.url() + f"#identity={token}")
    await expect(other.locator(".media img")).to_have_js_property("naturalWidth", 300)
    assert await other.context.cookies() == []
