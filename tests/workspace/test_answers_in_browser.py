"""Failed answers and who wrote what, as agents see them and screen readers speak them in a real browser."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

PATH = "api/conversations/conv_mia/messages"
TOM = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})


@pytest.fixture
async def answered(running: RunningWorkspace) -> RunningWorkspace:
    """Mia has an answer on its way; Tom has written, too."""
    photo = {"transcript": "[photo message]", "attachments": [samples.photo("att_p", "pending")]}
    await running.deliver(
        samples.received("evt_1", samples.message(text="which one?")),
        samples.received("evt_2", samples.message(2, text=None, **photo)),
        samples.received("evt_3", {**samples.message(), "id": "msg_tom"}, TOM),
    )
    await running.open_conversation()
    await running.post(PATH, {"text": "The blue one", "key": "key-of-the-answer-1"})
    return running


async def fail(running: RunningWorkspace, id: str = "msg_sent1") -> None:
    data: dict[str, Any] = {
        "conversation": samples.conversation(),
        "message": {"id": id, "platform_id": None},
        "status": "failed",
        "reason": "blocked",
    }
    await running.deliver(samples.event(f"evt_f_{id}", "message.status", data))


async def choose(page: Page, name: str) -> None:
    await page.locator(".entry", has=page.get_by_text(name, exact=True)).click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()


async def test_failed_answer_is_sent_again_once_from_two_pages(answered: RunningWorkspace) -> None:
    await fail(answered)
    async with pages(answered, answered) as (first, second):
        for page in (first, second):
            await choose(page, "Mia")
            await expect(page.get_by_role("button", name="Send again")).to_be_visible()
        # The second page does not learn of the first one's press.
        await second.route("**/lines?*", lambda route: route.abort())
        for page in (first, second):
            async with page.expect_response("**/again") as answer:
                await page.get_by_role("button", name="Send again").click()
            assert (await answer.value).status == 202
        await first.reload()
        line = first.locator(".message[data-direction=out]")
        await expect(line).to_have_count(1)
        await expect(line.locator(".ticks")).to_have_attribute("data-status", "accepted")
        await expect(line).to_contain_text(re.compile(r"Sent again at \d"))
        await expect(first.get_by_role("button", name="Send again")).to_have_count(0)
    assert len(answered.gateway.sent) == 2


async def test_pressed_button_leaves_the_focus_on_its_line(answered: RunningWorkspace) -> None:
    await fail(answered)
    async with pages(answered) as (page,):
        await choose(page, "Mia")
        await page.get_by_role("button", name="Send again").press("Enter")
        answer = page.locator(".message[data-direction=out]")
        await expect(answer.locator(".resent")).to_be_visible()
        await expect(answer).to_be_focused()


async def test_later_failure_is_shown_wherever_the_agent_is(answered: RunningWorkspace) -> None:
    async with pages(answered, viewport={"width": 390, "height": 844}) as (page,):
        await choose(page, "Tom")
        bar = page.locator("#undelivered")
        await expect(bar).to_be_hidden()
        await fail(answered)
        await expect(bar).to_have_text("Answers that did not arrive: Mia")
        await expect(page.get_by_role("status").filter(has_text="did not arrive")).to_have_text(
            "An answer did not arrive: Mia"
        )
        await expect(page).to_have_title(re.compile("^1 answer failed · "))
        await page.get_by_role("link", name="Back to all conversations").click()
        entry = page.locator(".entry", has=page.get_by_text("Mia", exact=True))
        await expect(entry.locator(".entry-failed")).to_have_text("Answer failed")
        await page.reload()
        await bar.get_by_role("link", name="Mia").click()
        await expect(page.get_by_role("button", name="Send again")).to_be_visible()
        await expect(bar).to_be_hidden()
        await expect(page).not_to_have_title(re.compile("failed"))
        await expect(page.locator(".entry-failed")).to_have_count(0)


async def test_lines_tell_a_screen_reader_who_wrote_them(answered: RunningWorkspace) -> None:
    echo = samples.message(3, id="msg_e", text="From the till", sender_app="2639")
    del echo["sequence"]
    data = {"conversation": samples.conversation(), "message": echo}
    await answered.deliver(samples.event("evt_e", "message.echoed", data))
    await answered.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
    sam = answered.new_browser()
    async with sam.session:
        await sam.sign_in("sam")
        await sam.post(PATH, {"text": "Also in red", "key": "key-of-the-answer-2"})
    async with pages(answered) as (page,):
        await choose(page, "Mia")
        lines = page.locator("#lines > .message, #lines > .notice")
        await expect(lines).to_have_count(6)
        tree = await page.locator("#lines").aria_snapshot()
        spoken = re.findall(r"(Mia|You|sam|Sent from another app|Note): ?(\S+)?", tree)
        assert [who for who, _ in spoken] == [
            *("Mia", "Mia", "You", "Sent from another app", "Note", "sam"),
        ], tree
        renamed = samples.conversation(consumer={"id": "4915550000001", "name": "Mia Berg"})
        updated = samples.event("evt_u", "conversation.updated", {"conversation": renamed})
        await answered.deliver(updated)
        await expect(lines.filter(has_text="which one?")).to_contain_text("Mia Berg: which one?")


async def test_retry_of_a_file_keeps_the_focus_and_is_announced(
    running: RunningWorkspace,
) -> None:
    failed = samples.message(
        2, text=None, attachments=[samples.photo("att_f", "failed", reason="gone")]
    )
    await running.deliver(samples.received("evt_1", samples.message(text="look")))
    await running.deliver(samples.received("evt_2", failed))
    async with pages(running) as (page,):
        await choose(page, "Mia")
        await page.get_by_role("button", name="Try again").press("Enter")
        await expect(page.locator("#announcer")).to_have_text("The file is being fetched again")
        pending = {**failed, "attachments": [samples.photo("att_f", "pending")]}
        data = {"conversation": samples.conversation(), "message": pending}
        await running.deliver(samples.event("evt_u", "attachment.updated", data))
        await expect(page.locator(".message").last.locator(".slot")).to_have_attribute(
            "data-state", "pending"
        )
        await expect(page.locator(".message").last).to_be_focused()


#: Paste or drop a picture, or a text of which there is a picture, and return whether the page took it.
HAND_OVER = """([type, text]) => {
    const data = new DataTransfer();
    data.items.add(new File(["x"], "photo.png", { type: "image/png" }));
    if (text) data.setData("text/plain", text);
    const options = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
    const event = type === "paste" ? new ClipboardEvent(type, options) : new DragEvent(type, options);
    return !document.getElementById("text").dispatchEvent(event);
}"""


async def test_pasted_or_dropped_picture_is_answered_in_words(answered: RunningWorkspace) -> None:
    async with pages(answered) as (page,):
        await choose(page, "Mia")
        assert not await page.evaluate(HAND_OVER, ["paste", "a text"])
        await expect(page.locator("#error")).to_be_hidden()
        for type in ("paste", "dragover", "drop"):
            assert await page.evaluate(HAND_OVER, [type, ""]), type
        await expect(page.get_by_role("alert")).to_contain_text("cannot be sent from here")
        await page.get_by_label("Your reply").fill("Please send a photo")
        await expect(page.locator("#error")).to_be_hidden()
