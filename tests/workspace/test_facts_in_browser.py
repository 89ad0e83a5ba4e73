"""Echoes, older messages, the platform's words, and the hint above the reply box, in a real browser."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages, until
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

HOSTILE = '<img src=x onerror="window.hacked=1">'


@pytest.fixture
async def mia(running: RunningWorkspace) -> RunningWorkspace:
    await running.deliver(samples.received("evt_1", samples.message(text="which one?")))
    return running


async def open_mia(page: Page) -> None:
    await page.locator(".entry", has_text="Mia").click()
    await expect(page.get_by_role("heading", name="Mia")).to_be_visible()


def data(**more: Any) -> dict[str, Any]:
    return {"conversation": samples.conversation(), **more}


def echo(text: str, attachments: list[Any]) -> dict[str, Any]:
    lines = "\n".join(f"[{attachment['kind']} message]" for attachment in attachments)
    message = samples.message(
        2, id="msg_e", text=text, transcript=lines, attachments=attachments, sender_app="2639"
    )
    del message["sequence"]
    return data(message=message)


async def test_echoed_photo_and_video_become_visible(mia: RunningWorkspace) -> None:
    small, large = samples.jpeg(320, 320, (90, 160, 200)), samples.jpeg(1600, 1200, (90, 160, 200))
    pending = [samples.photo("att_p", "pending"), samples.video("att_v", "pending")]
    async with pages(mia) as (page,):
        await open_mia(page)
        await mia.deliver(samples.event("evt_e", "message.echoed", echo("like this", pending)))
        ours = page.locator(".message[data-direction=out]")
        await expect(ours).to_contain_text("Sent from another app")
        await expect(ours.locator(".slot[data-state=pending]")).to_have_count(2)
        mia.gateway.add_media("conv_mia", "att_p", thumbnail=small, preview=large)
        mia.gateway.add_media(
            "conv_mia", "att_v", thumbnail=small, poster=small, video=samples.mp4(1.0)
        )
        for number, ready in enumerate([samples.photo("att_p"), samples.video("att_v")]):
            both = echo("like this", pending)
            both["message"]["attachments"] = [ready]
            await mia.deliver(samples.event(f"evt_u{number}", "attachment.updated", both))
        await expect(ours.locator(".photo img")).to_have_js_property("naturalWidth", 320)
        await expect(ours.locator("video")).to_have_attribute("poster", "attachments/att_v/poster")
        await expect(ours.locator(".transcript-line")).to_have_text(
            ["[photo message]", "[video message]"]
        )
        await ours.locator(".photo").click()
        dialog = page.get_by_role("dialog", name="Photo")
        await expect(dialog.locator("img")).to_have_js_property("naturalWidth", 1600)
        await expect(dialog).to_contain_text("like this")


async def test_platforms_words_are_shown_as_text(mia: RunningWorkspace) -> None:
    why = {"reason": "gone", "code": "131052", "detail": f"expired {HOSTILE}"}
    photo = samples.message(2, attachments=[samples.photo("att_f", "failed", **why)])
    await mia.deliver(samples.received("evt_2", photo))
    await mia.open_conversation()
    content = {"text": "hi", "key": "key-of-the-answer-1"}
    await mia.post("api/conversations/conv_mia/messages", content)
    sent = {"id": "msg_sent1", "platform_id": "SM1"}
    failed = {"status": "failed", "reason": "undeliverable", "code": "30005", "detail": HOSTILE}
    await mia.deliver(samples.event("evt_s", "message.status", data(message=sent, **failed)))
    async with pages(mia) as (page,):
        await open_mia(page)
        await expect(page.locator("[data-attachment=att_f]")).to_contain_text(
            f"“expired {HOSTILE}” (code 131052)"
        )
        await expect(page.locator(".ticks")).to_contain_text("the platform cannot reach")
        await expect(page.locator(".ticks")).to_contain_text(f"“{HOSTILE}” (code 30005)")
        assert await page.evaluate("window.hacked") is None


async def test_older_messages_and_quotes_are_marked(mia: RunningWorkspace) -> None:
    async with pages(mia) as (page,):
        await open_mia(page)
        old = samples.message(2, text="long ago", history=True, sent_at="2026-10-07T09:00:00Z")
        quoting = samples.message(3, text="the blue one", reply_to="other", reply_to_id="msg_1")
        await mia.deliver(samples.received("evt_2", old), samples.received("evt_3", quoting))
        await expect(page.locator(".message-text")).to_have_text(
            ["long ago", "which one?", "the blue one"]
        )
        await expect(page.locator(".origin-note")).to_have_text(["Older message"])
        await expect(page.locator(".quote")).to_have_text(["which one?"])


async def test_older_messages_do_not_move_what_is_read(mia: RunningWorkspace) -> None:
    for number in range(2, 42):
        message = samples.message(number, text=f"line {number}")
        await mia.deliver(samples.received(f"evt_{number}", message))
    async with pages(mia) as (page,):
        await open_mia(page)
        await expect(page.locator(".message")).to_have_count(41)
        await page.get_by_text("line 8", exact=True).evaluate("one => one.scrollIntoView()")
        line = page.get_by_text("line 9", exact=True)
        before = await line.bounding_box()
        for number in range(50, 56):
            at = {"sent_at": f"2026-10-{number - 40}T09:00:00Z"}
            old = samples.message(number, text=f"old {number}", history=True, **at)
            await mia.deliver(samples.received(f"evt_{number}", old))
        await expect(page.locator(".origin-note")).to_have_count(6)
        after = await line.bounding_box()
        assert before is not None
        assert after is not None
        # The browser rounds positions to whole pixels with each change.
        assert abs(before["y"] - after["y"]) < 10
        await expect(page.get_by_role("button", name="New messages")).to_be_hidden()


async def test_photos_stay_in_view_as_they_arrive_and_are_ready(mia: RunningWorkspace) -> None:
    async with pages(mia) as (page,):
        await open_mia(page)
        small = samples.jpeg(320, 320, (120, 200, 150))
        for number in range(2, 8):
            mia.gateway.add_media("conv_mia", f"att_{number}", thumbnail=small)
            for type, state in (("message.received", "pending"), ("attachment.updated", "ready")):
                attachments = [samples.photo(f"att_{number}", state)]
                message = samples.message(number, text=f"photo {number}", attachments=attachments)
                await mia.deliver(
                    samples.event(f"evt_{number}{state}", type, data(message=message))
                )
        await expect(page.locator(".message", has_text="photo 7")).to_be_in_viewport()
        newer = page.get_by_role("button", name="New messages")
        await expect(newer).to_be_hidden()
        await until(
            page,
            "((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 1)(document.querySelector('#scroll'))",
        )
        await page.locator("#scroll").evaluate("one => { one.scrollTop = 0; }")
        await mia.deliver(samples.received("evt_8", samples.message(8, text="and?")))
        await newer.click()
        await expect(page.locator(".message", has_text="and?")).to_be_in_viewport()
        await expect(newer).to_be_hidden()


async def test_new_name_and_address_reach_the_page(mia: RunningWorkspace) -> None:
    async with pages(mia) as (page,):
        await open_mia(page)
        where = samples.conversation(consumer={"id": "4915550000002", "name": "Mia Berg"})
        await mia.deliver(samples.event("evt_c", "conversation.updated", {"conversation": where}))
        await expect(page.locator("#head-name")).to_have_text("Mia Berg")
        await expect(page.locator("#head-detail")).to_contain_text("+4915550000002")
        await expect(page.locator(".entry-name")).to_have_text(["Mia Berg"])
        await expect(page.locator(".notice")).to_contain_text("+4915550000001 to +4915550000002")


# the hint above the reply box --------------------------------------------------------------------


def within(**time: float) -> str:
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("until", "hint"),
    [
        (None, ""),
        (within(hours=23), ""),
        (within(hours=4, minutes=30), ""),
        (within(hours=3), r"^You can reply until \d"),
        (within(minutes=-5), r"^The time to reply ended \(.*\d.*\)\. The platform may refuse"),
        (within(days=-3), r"^The time to reply ended \(\w+day, \d.*\)"),
    ],
    ids=["no end", "tomorrow", "soon", "in 3 hours", "just over", "days ago"],
)
async def test_reply_box_says_until_when(
    mia: RunningWorkspace, until: str | None, hint: str
) -> None:
    where = samples.conversation(reply_until=until)
    await mia.deliver(samples.event("evt_c", "conversation.updated", {"conversation": where}))
    async with pages(mia) as (page,):
        await open_mia(page)
        await expect(page.get_by_label("Your reply")).to_be_enabled()
        shown = page.locator("#composer-hint")
        if hint:
            await expect(shown).to_have_text(re.compile(hint))
        else:
            await expect(shown).to_be_hidden()


async def test_reply_box_says_that_the_consumer_opted_out(mia: RunningWorkspace) -> None:
    path = "/v1/conversations/conv_mia/messages"
    mia.gateway.refuse[path] = 409, {"detail": "opted out of texts", "reason": "opted_out"}
    async with pages(mia) as (page,):
        await open_mia(page)
        hint, box = page.locator("#composer-hint"), page.get_by_label("Your reply")
        await expect(hint).to_be_hidden()
        await box.fill("hi")
        await box.press("Enter")
        await expect(hint).to_contain_text("The customer opted out of messages.")
        mia.gateway.refuse.clear()
        await box.fill("hi again")
        await box.press("Enter")
        await expect(hint).to_be_hidden()
        mia.gateway.opted_out.add("conv_mia")
        notice = {"kind": "OptOutType", "text": "STOP", "details": {"opted_out": True}}
        await mia.deliver(samples.event("evt_n", "conversation.notice", data(notice=notice)))
        await expect(hint).to_be_visible()
        await expect(box).to_be_enabled()
