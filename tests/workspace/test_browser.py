"""The pages in a real browser, from an event to visible pixels, and the actions of agents."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.workspace import samples
from tests.workspace.browser import pages, settle, until
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

#: Generous, because other work may slow the machine down.
expect.set_options(timeout=20_000)

ALBUM = "[photo message]\n[photo message]"


@pytest.fixture(scope="module")
def long_video() -> bytes:
    return samples.mp4(seconds=20)


@pytest.fixture
async def with_media(running: RunningWorkspace, long_video: bytes) -> RunningWorkspace:
    """Two photos in one message, and a video with a caption."""
    for number, tint in enumerate([(250, 170, 120), (150, 190, 240)]):
        small, large = samples.jpeg(320, 320, tint), samples.jpeg(1600, 1200, tint)
        running.gateway.add_media("conv_mia", f"att_{number}", thumbnail=small, preview=large)
    still = samples.jpeg(270, 480, (120, 150, 200))
    small = samples.jpeg(320, 320, (120, 150, 200))
    running.gateway.add_media(
        "conv_mia", "att_video", thumbnail=small, poster=still, video=long_video
    )
    album = [samples.photo(f"att_{number}", name=f"IMG_{number}.JPG") for number in (0, 1)]
    clip = samples.video(name="IMG_2.MOV", duration_seconds=20.0)
    await running.deliver(
        samples.received(
            "evt_1",
            samples.message(1, text="both sides", transcript=ALBUM, attachments=album),
        ),
        samples.received(
            "evt_2",
            samples.message(
                2, text="it does this all day", transcript="[video message]", attachments=[clip]
            ),
        ),
    )
    return running


async def open_mia(page: Page) -> None:
    await page.get_by_role("link", name=re.compile("Mia")).click()
    await expect(page.get_by_role("heading", name="Mia")).to_be_visible()


async def test_thumbnails_placeholders_and_captions_are_visible(
    with_media: RunningWorkspace,
) -> None:
    async with pages(with_media) as (page,):
        await expect(page.locator(".entry")).to_contain_text("[video message] it does this all day")
        await open_mia(page)
        lines = page.locator(".transcript-line")
        await expect(lines).to_have_text(["[photo message]", "[photo message]", "[video message]"])
        await expect(page.get_by_text("both sides", exact=True)).to_be_visible()
        for thumbnail in await page.locator(".photo img").all():
            await thumbnail.scroll_into_view_if_needed()
            await expect(thumbnail).to_have_js_property("naturalWidth", 320)
            box = await thumbnail.bounding_box()
            assert box is not None
            assert box["width"] == box["height"]


async def test_conversation_clicked_before_the_start_opens_after_it(
    with_media: RunningWorkspace,
) -> None:
    clicked = asyncio.Event()
    answers: list[int] = []

    async def hold(route: Route) -> None:
        await clicked.wait()
        await route.continue_()

    async with pages(with_media) as (page,):
        page.on(
            "response", lambda one: answers.append(one.status) if "/opened" in one.url else None
        )
        await page.route("**/api/me", hold, times=1)
        await page.reload()
        await page.get_by_role("link", name=re.compile("Mia")).click()
        await expect(page).to_have_url(re.compile("conversation=conv_mia"))
        clicked.set()
        await expect(page.locator(".photo")).to_have_count(2)
    assert answers == [200]


@pytest.mark.parametrize(
    ("path", "failing"),
    [
        ("", "**/api/me"),
        ("", "**/api/conversations?*"),
        ("audit", "**/api/me"),
        ("operations", "**/api/me"),
    ],
)
async def test_failed_start_is_reported_and_can_be_retried(
    with_media: RunningWorkspace, path: str, failing: str
) -> None:
    async def fail(route: Route) -> None:
        await route.abort()

    async with pages(with_media, viewport={"width": 390, "height": 844}) as (page,):
        await page.route(failing, fail)
        await page.goto(with_media.url(path))
        error = page.get_by_role("alert")
        await expect(error).to_contain_text("cannot be reached")
        again = error.get_by_role("button", name="Try again")
        await again.click()
        await expect(again).to_be_visible()
        await page.unroute(failing)
        await again.click()
        await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        await expect(error).to_be_hidden()
        if not path:
            await open_mia(page)


async def test_photo_viewer_works_with_the_keyboard(
    with_media: RunningWorkspace,
) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.get_by_role("button", name="Photo IMG_0.JPG").click()
        dialog = page.get_by_role("dialog", name="Photo")
        shown = dialog.locator("img")
        await expect(shown).to_have_js_property("naturalWidth", 1600)
        await expect(dialog).to_contain_text("1 of 3")
        await expect(dialog).to_contain_text("both sides")
        await page.keyboard.press("ArrowRight")
        await expect(dialog).to_contain_text("2 of 3")
        await expect(shown).to_have_attribute("src", "attachments/att_1/preview")
        await expect(shown).to_have_js_property("naturalWidth", 1600)
        await settle(page)
        fitted = await shown.bounding_box()
        await page.keyboard.press("+")
        await expect(dialog.locator("#viewer-scale")).to_contain_text("%")
        zoomed = await shown.bounding_box()
        assert fitted is not None
        assert zoomed is not None
        assert zoomed["width"] > fitted["width"]
        await page.keyboard.press("0")
        await expect(dialog.locator("#viewer-scale")).to_have_text("Fit")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(page.get_by_role("button", name="Photo IMG_1.JPG")).to_be_focused()


async def test_video_shows_poster_and_length_then_plays_and_seeks(
    with_media: RunningWorkspace,
) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        player = page.locator(".player")
        await player.scroll_into_view_if_needed()
        await expect(player.locator("video")).to_have_attribute(
            "poster", "attachments/att_video/poster"
        )
        await expect(player).to_contain_text("0:20")
        assert ("/media/att_video/video", 206) not in with_media.gateway.served
        await page.get_by_role("button", name=re.compile(r"Play .*0:20")).click()
        await until(page, "document.querySelector('video').currentTime > 0.2")
        await page.evaluate("document.querySelector('video').currentTime = 15")
        await until(
            page, "(v => !v.seeking && v.currentTime >= 15)(document.querySelector('video'))"
        )
    assert ("/media/att_video/video", 206) in with_media.gateway.served


async def test_video_continues_after_its_link_has_expired(with_media: RunningWorkspace) -> None:
    with_media.gateway.link_seconds = 1
    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.get_by_role("button", name=re.compile("Play")).click()
        await until(page, "document.querySelector('video').currentTime > 0.2")
        with_media.gateway.revoke_links()
        await page.evaluate("document.querySelector('video').dispatchEvent(new Event('error'))")
        await until(page, "document.querySelector('video').src.includes('again')")
        await until(page, "document.querySelector('video').currentTime > 0.5")


async def test_new_attachment_and_its_state_appear_without_reloading(
    with_media: RunningWorkspace,
) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        pending = samples.photo("att_new", "pending")
        message = samples.message(
            3, text="and this", transcript="[photo message]", attachments=[pending]
        )
        await with_media.deliver(samples.received("evt_3", message))
        figure = page.locator("[data-attachment=att_new]")
        await expect(figure).to_contain_text("Downloading")
        small = samples.jpeg(320, 320, (120, 200, 150))
        with_media.gateway.add_media("conv_mia", "att_new", thumbnail=small, preview=small)
        ready = {**message, "attachments": [samples.photo("att_new")]}
        data = {"conversation": samples.conversation(), "message": ready}
        await with_media.deliver(samples.event("evt_4", "attachment.updated", data))
        await expect(figure.locator("img")).to_have_js_property("naturalWidth", 320)


async def test_playing_video_continues_while_its_line_changes(
    with_media: RunningWorkspace,
) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.get_by_role("button", name=re.compile("Play")).click()
        await until(page, "document.querySelector('video').currentTime > 0.1")
        # However slow the machine is, the video does not end meanwhile.
        await page.evaluate("(window.before = document.querySelector('video')).loop = true")
        target = {"id": "msg_2", "platform_id": "x"}
        data = {"conversation": samples.conversation(), "message": target, "emoji": "👍"}
        await with_media.deliver(samples.event("evt_3", "reaction.changed", data))
        await expect(page.locator(".reaction")).to_have_text("👍")
        await until(
            page,
            "window.before === document.querySelector('video') && !window.before.paused",
        )


async def test_rejected_file_shows_reason_and_failed_file_can_be_retried(
    running: RunningWorkspace,
) -> None:
    refused = samples.photo("att_r", "rejected", reason="malware", name="bill.jpg")
    failed = samples.video("att_f", "failed", reason="expired")
    message = samples.message(
        transcript="[photo message]\n[video message]", attachments=[refused, failed]
    )
    await running.deliver(samples.received("evt_1", message))
    async with pages(running) as (page,):
        await open_mia(page)
        await expect(page.locator("[data-attachment=att_r]")).to_contain_text(
            "Not accepted: malware was found in the file"
        )
        figure = page.locator("[data-attachment=att_f]")
        await expect(figure).to_contain_text("Could not be downloaded")
        await figure.get_by_role("button", name="Try again").click()
        await expect(figure).to_contain_text("Downloading")
    assert running.gateway.calls_to("POST", "/v1/attachments/att_f/retry") == [None]


HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'"&lt;'


async def test_markup_in_texts_and_names_is_shown_as_text(running: RunningWorkspace) -> None:
    running.gateway.add_media("conv_mia", "att_x", thumbnail=samples.jpeg(320, 320, (9, 99, 99)))
    await running.deliver(
        samples.received("evt_0", samples.message(1, text=HOSTILE)),
        samples.received(
            "evt_1",
            samples.message(
                2,
                text=HOSTILE,
                reply_to="wamid.1",
                transcript="[photo message]\n[location]\n[contact]\n[document]",
                attachments=[
                    samples.photo("att_x", name=HOSTILE),
                    samples.attachment(
                        "att_l", "location", "ready", location={"name": HOSTILE, "latitude": 1}
                    ),
                    samples.attachment("att_c", "contact", "ready", contacts=[{"name": HOSTILE}]),
                    samples.attachment("att_d", "document", "rejected", reason=HOSTILE),
                ],
            ),
            samples.conversation(consumer={"id": HOSTILE, "name": HOSTILE}),
        ),
    )
    async with pages(running) as (page,):
        await page.locator(".entry").click()
        await expect(page.locator("#head-name")).to_have_text(HOSTILE)
        await expect(page.locator(".message-text").last).to_have_text(HOSTILE)
        await page.locator(".photo").click()
        await expect(page.locator("#viewer-caption")).to_have_text(HOSTILE)
        await page.goto(running.url("audit"))
        await expect(page.locator("#entries")).to_contain_text(HOSTILE)
        assert await page.evaluate("window.hacked") is None


async def test_reply_is_sent_and_its_status_shown(with_media: RunningWorkspace) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.get_by_label("Your reply").fill("Thank you")
        await page.get_by_label("Your reply").press("Enter")
        answer = page.locator(".message[data-direction=out]")
        await expect(answer).to_contain_text("Thank you")
        await expect(answer.locator(".ticks")).to_have_attribute("data-status", "accepted")
        for word in ("delivered", "read"):
            data = {
                "conversation": samples.conversation(),
                "message": {"id": "msg_sent1", "platform_id": "wamid.A"},
                "status": word,
                "reason": None,
            }
            await with_media.deliver(samples.event(f"evt_{word}", "message.status", data))
            await expect(answer.locator(".ticks")).to_have_attribute("data-status", word)
    assert with_media.gateway.calls_to("POST", "/v1/conversations/conv_mia/messages") == [
        {"text": "Thank you", "agent": "agent"}
    ]


async def test_message_can_be_quoted_and_the_quote_removed(with_media: RunningWorkspace) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        await expect(page.locator(".composer-send svg")).to_have_count(1)
        await page.locator(".message").last.hover()
        await page.get_by_role("button", name="Quote: it does this all day").click()
        await expect(page.get_by_label("Your reply")).to_be_focused()
        await expect(page.locator("#composer-quoted")).to_have_text("it does this all day")
        await page.keyboard.press("Escape")
        await expect(page.locator("#composer-quote")).to_be_hidden()
        await page.locator(".message").last.hover()
        await page.get_by_role("button", name="Quote: it does this all day").click()
        await page.get_by_label("Your reply").fill("We see")
        await page.keyboard.press("Enter")
        answer = page.locator(".message[data-direction=out]")
        await expect(answer.locator(".quote")).to_have_text("it does this all day")
        await expect(page.locator("#composer-quote")).to_be_hidden()
    assert with_media.gateway.calls_to("POST", "/v1/conversations/conv_mia/messages") == [
        {"text": "We see", "agent": "agent", "reply_to": "msg_2"}
    ]


async def test_refused_reply_can_be_sent_again(with_media: RunningWorkspace) -> None:
    path = "/v1/conversations/conv_mia/messages"
    with_media.gateway.refuse[path] = 422, {"detail": "The 24 hours are over."}
    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.get_by_label("Your reply").fill("Thank you")
        await page.get_by_role("button", name="Send", exact=True).click()
        answer = page.locator(".message[data-direction=out]")
        await expect(answer).to_contain_text("Not sent: The 24 hours are over.")
        with_media.gateway.refuse.clear()
        await answer.get_by_role("button", name="Send again").click()
        await expect(answer.locator(".ticks")).to_have_attribute("data-status", "accepted")
    assert len(with_media.gateway.sent) == 1


async def test_reply_with_a_lost_response_is_kept_and_sent_once(
    with_media: RunningWorkspace,
) -> None:
    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.route("**/messages", lose_the_answer, times=1)
        box = page.get_by_label("Your reply")
        await box.fill("Thank you")
        await box.press("Enter")
        await expect(page.locator("#error")).to_contain_text("cannot be reached")
        await expect(box).to_have_value("Thank you")
        await box.press("Enter")
        await expect(box).to_have_value("")
        await expect(page.locator("#error")).to_be_hidden()
        await expect(page.locator(".message[data-direction=out]")).to_have_count(1)
    assert len(with_media.gateway.sent) == 1


async def test_reply_with_unknown_result_is_resent_only_on_request(
    with_media: RunningWorkspace,
) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.get_by_label("Your reply").fill("Thank you")
        await page.get_by_label("Your reply").press("Enter")
        answers = page.locator(".message[data-direction=out]")
        await expect(answers.locator(".ticks")).to_have_attribute("data-status", "accepted")
        data = {
            "conversation": samples.conversation(),
            "message": {"id": "msg_sent1", "platform_id": None},
            "status": "failed",
            "reason": "unknown",
        }
        await with_media.deliver(samples.event("evt_u", "message.status", data))
        await expect(answers).to_contain_text("May not have been sent")
        await answers.get_by_role("button", name="Send again").click()
        await expect(answers).to_contain_text("Sent again at")
        await expect(answers.locator(".ticks")).to_have_attribute("data-status", "accepted")
        await expect(answers).to_have_count(1)
    assert len(with_media.gateway.sent) == 2


async def test_deleted_reply_cannot_be_sent_again(with_media: RunningWorkspace) -> None:
    async with pages(with_media) as (page,):
        await open_mia(page)
        await page.get_by_label("Your reply").fill("Thank you")
        await page.get_by_label("Your reply").press("Enter")
        answer = page.locator(".message[data-direction=out]")
        await expect(answer.locator(".ticks")).to_have_attribute("data-status", "accepted")
        data = {
            "conversation": samples.conversation(),
            "message": {"id": "msg_sent1", "platform_id": None},
            "status": "failed",
            "reason": "blocked",
        }
        await with_media.deliver(samples.event("evt_f", "message.status", data))
        await expect(answer.get_by_role("button", name="Send again")).to_be_visible()
        await with_media.deliver(samples.event("evt_d", "message.deleted", data))
        await expect(answer).to_contain_text("This message was deleted")
        await expect(answer.get_by_role("button", name="Send again")).to_have_count(0)


async def test_hand_over_moves_access_to_media(with_media: RunningWorkspace) -> None:
    other = with_media.new_browser()
    async with other.session:
        async with pages(with_media, with_media) as (mine, theirs):
            await theirs.get_by_role("button", name="Sign out").click()
            await theirs.get_by_role("button", name="Continue as sam").click()
            await open_mia(mine)
            await expect(mine.locator(".photo")).to_have_count(2)
            await open_mia(theirs)
            await expect(theirs.locator(".slot")).to_have_count(3)
            await expect(theirs.locator("#composer-note")).to_contain_text("with agent")
            await mine.get_by_role("button", name="Hand over").click()
            await mine.get_by_label("Hand over to").select_option("sam")
            dialog = mine.get_by_role("dialog", name="Hand over")
            await dialog.get_by_role("button", name="Hand over").click()
            await expect(mine.locator(".photo")).to_have_count(0)
            await expect(mine.locator(".slot")).to_have_count(3)
            await expect(theirs.locator(".photo")).to_have_count(2)
            await expect(theirs.locator(".photo img").first).to_have_js_property(
                "naturalWidth", 320
            )
            await expect(theirs.get_by_label("Your reply")).to_be_visible()


async def test_dialog_closes_when_another_conversation_opens(
    with_media: RunningWorkspace,
) -> None:
    other = samples.conversation("conv_other", consumer={"id": "4917", "name": "Noor"})
    await with_media.deliver(samples.received("evt_o", samples.message(9, text="hello"), other))
    async with pages(with_media) as (page,):
        await page.get_by_role("link", name=re.compile("Noor")).click()
        await open_mia(page)
        await page.get_by_role("button", name="Hand over").click()
        dialog = page.get_by_role("dialog", name="Hand over")
        await expect(dialog).to_be_visible()
        await page.evaluate("history.back()")
        await expect(page.get_by_role("heading", name="Noor")).to_be_visible()
        await expect(dialog).to_be_hidden()


async def test_whole_page_works_with_the_keyboard_alone(with_media: RunningWorkspace) -> None:
    async with pages(with_media) as (page,):
        await expect(page.locator(".entry")).to_have_count(1)
        await press_until(page, "Tab", "document.activeElement.matches('.entry')")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message")).to_have_count(2)
        await press_until(page, "Tab", "document.activeElement.matches('.photo')")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog", name="Photo")).to_be_visible()
        await page.keyboard.press("Escape")
        await press_until(page, "Tab", "document.activeElement.matches('.play')")
        await page.keyboard.press("Enter")
        await until(page, "document.querySelector('video').currentTime > 0.1")
        await press_until(page, "Tab", "document.activeElement.matches('#text')")
        await page.keyboard.type("Done")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message[data-direction=out]")).to_contain_text("Done")


async def press_until(page: Page, key: str, condition: str) -> None:
    for _ in range(60):
        await page.keyboard.press(key)
        if await page.evaluate(condition):
            return
    raise AssertionError(f"{condition} was not reached")


async def test_list_can_be_searched_and_filtered(with_media: RunningWorkspace) -> None:
    who = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})
    message = {**samples.message(1, text="a broken strap"), "id": "msg_tom"}
    await with_media.deliver(samples.received("evt_3", message, who))
    async with pages(with_media) as (page,):
        entries = page.locator(".entry-name")
        await expect(entries).to_have_text(["Mia", "Tom"])
        await page.get_by_label("Search names and messages").fill("strap")
        await expect(entries).to_have_text(["Tom"])
        await page.get_by_label("Search names and messages").fill("nonsense")
        await expect(page.get_by_text("No conversations found.")).to_be_visible()
        await page.get_by_label("Search names and messages").fill("")
        await expect(entries).to_have_text(["Mia", "Tom"])
        await page.get_by_role("button", name="Closed").click()
        await expect(page.get_by_text("No closed conversations.")).to_be_visible()
        await page.get_by_role("button", name="Open", exact=True).click()
        await open_mia(page)
        await page.get_by_role("button", name="Close", exact=True).click()
        await expect(page.get_by_text("This conversation is closed.")).to_be_visible()
        await expect(entries).to_have_text(["Tom"])


async def test_long_conversation_loads_only_visible_media(
    running: RunningWorkspace, long_video: bytes
) -> None:
    """With 1,000 messages and 200 photos and videos, the page requests about one screen of them."""
    small = samples.jpeg(320, 320, (90, 120, 150))
    for number in range(1, 1001):
        more: dict[str, Any] = {}
        id = f"att_{number}"
        if number % 10 == 0:
            running.gateway.add_media(
                "conv_mia", id, thumbnail=small, poster=small, video=long_video
            )
            more = {"transcript": "[video message]", "attachments": [samples.video(id)]}
        elif number % 5 == 0:
            running.gateway.add_media("conv_mia", id, thumbnail=small, preview=small)
            more = {"transcript": "[photo message]", "attachments": [samples.photo(id)]}
        await running.deliver(samples.received(f"evt_{number}", samples.message(number, **more)))
    async with pages(running) as (page,):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await open_mia(page)
        await expect(page.locator(".photo img").last).to_have_js_property("naturalWidth", 320)
        assert await page.locator(".message").count() == 60
        assert len([url for url in asked if "/lines" in url]) <= 1, "one page is enough at first"
        assert len(running.gateway.served) < 20
        assert {path.rpartition("/")[2] for path, _ in running.gateway.served} <= {
            "thumbnail",
            "poster",
        }, "neither previews nor videos load before they are opened"
        await until(
            page,
            """() => {
                document.getElementById('scroll').scrollTop = 0;
                return document.querySelectorAll('.message').length === 1000;
            }""",
        )
        numbers = await page.locator(".message").evaluate_all("all => all.map((one) => one.id)")
        assert numbers == [f"line-{number}" for number in range(1, 1001)]


@pytest.mark.parametrize("path", ["audit", "operations"])
async def test_admin_pages_fit_a_phone(with_media: RunningWorkspace, path: str) -> None:
    async with pages(with_media, viewport={"width": 390, "height": 844}) as (page,):
        await page.goto(with_media.url(path))
        await expect(page.locator("#links")).to_contain_text("Sign out")
        await expect(page.locator(".dot, td").first).to_be_visible()
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(wide)


async def test_phone_shows_either_the_list_or_the_conversation(
    with_media: RunningWorkspace,
) -> None:
    async with pages(with_media, viewport={"width": 390, "height": 844}) as (page,):
        await open_mia(page)
        await expect(page.locator(".side")).to_be_hidden()
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(wide)
        await page.get_by_role("link", name="Back to all conversations").click()
        await expect(page.locator(".side")).to_be_visible()
        await expect(page.locator("#conversation")).to_be_hidden()
