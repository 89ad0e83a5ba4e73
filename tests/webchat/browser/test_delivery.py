"""What is written or picked arrives once, whatever happens to the network, the server or the tab."""

import asyncio

import pytest
from playwright.async_api import FilePayload, Route, expect

from tests.webchat.browser.opening import Opener, loaded, photo, send_picked, write
from tests.webchat.browser.running import RunningChat, until

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

UPLOADS, MESSAGES = "**/v1/uploads**", "**/v1/messages/**"


async def test_failed_message_is_sent_again_under_the_same_ids(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open()
    asked: list[str] = []
    pressed = False

    async def lose(route: Route) -> None:
        """First the request is lost, later the answer."""
        asked.append(route.request.url)
        if pressed:
            await route.fetch()
        await route.abort()

    await page.route(MESSAGES, lose)
    await write(page, "Is anybody there?")
    bubble = page.get_by_role("button", name="Not sent yet. It will be tried again, or press")
    await expect(bubble).to_be_visible()
    alert = page.get_by_role("alert").get_by_text("A message has not been sent yet.")
    await expect(alert).to_be_attached()
    pressed = True
    await bubble.click()
    await expect(page.locator(".line[data-own=true]")).to_have_attribute("data-state", "received")
    assert len(set(asked)) == 1
    assert len(chat.gateway.of("message")) == 1


async def test_upload_goes_on_where_the_connection_broke(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open()
    parts: list[str] = []

    async def break_second(route: Route) -> None:
        request = route.request
        if request.method == "PATCH":
            parts.append(request.headers["upload-offset"])
            if len(parts) == 2:
                await route.abort()
                return
        await route.continue_()

    await page.route(UPLOADS, break_second)
    await send_picked(page, padded(1_700_000), "large")
    event = await chat.event("message")
    assert event["attachments"][0]["bytes"] == 1_700_000
    assert parts == ["0", "1000000", "1000000"]


async def test_offline_message_goes_out_when_the_network_returns(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open()
    # Everything else is loaded after the first view, so that it opens without a network.
    for module in ("attaching", "viewer", "recorder", "uploading"):
        await loaded(page, module)
    await page.context.set_offline(True)
    await send_picked(page, photo(), "from a train")
    await write(page, "and a text")
    # Nobody has to press anything, and so nothing can be pressed.
    waiting = page.locator(".line", has_text="Waiting for a connection. It will be sent auto")
    await expect(waiting).to_have_count(2)
    await expect(page.get_by_text("Not sent")).to_have_count(0)
    alert = page.get_by_role("alert").get_by_text("A message is waiting and will be sent auto")
    await expect(alert).to_be_attached()
    await expect(page.get_by_text("No connection. Trying again")).to_be_visible()
    await page.context.set_offline(False)
    await chat.event("message", 2)
    await expect(page.locator(".line[data-state=received]")).to_have_count(2)
    assert len(chat.gateway.of("message")) == 2


async def test_closed_tab_sends_the_rest_when_opened_again(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open()
    await page.route("**/v1/uploads/*", lambda route: route.abort())
    await page.route(MESSAGES, lambda route: route.abort())
    await send_picked(page, padded(1_700_000), "kept")
    await expect(page.locator(".line[data-state=failed]")).to_have_count(1)
    await page.close()
    again, other = await page.context.new_page(), await page.context.new_page()
    for one in (again, other):
        opener.watch(one)
    await asyncio.gather(again.goto(chat.url()), other.goto(chat.url()))
    event = await chat.event("message")
    assert (event["text"], event["attachments"][0]["bytes"]) == ("kept", 1_700_000)
    for one in (again, other):
        await expect(one.locator(".line[data-state=received]")).to_have_count(1)
        await expect(one.locator(".media img")).to_have_js_property("naturalWidth", 640)
    await write(other, "from the other tab")
    await expect(again.get_by_text("from the other tab")).to_be_visible()
    await chat.event("message", 2)
    assert len(chat.gateway.of("message")) == 2


async def test_sending_can_be_cancelled_while_it_runs(opener: Opener, chat: RunningChat) -> None:
    page = await opener.open()
    deleted: list[str] = []
    page.on(
        "request",
        lambda request: deleted.append(request.url) if request.method == "DELETE" else None,
    )
    await page.route(UPLOADS, _hold_parts)
    await send_picked(page, padded(1_700_000), "never")
    ring = page.get_by_role("progressbar", name="Sending")
    await expect(ring).to_be_visible()
    await expect(page.get_by_text("Sending 0%")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".line")).to_have_count(0)
    await until(lambda: deleted)
    assert chat.gateway.of("message") == []


async def test_refused_messages_say_why_and_offer_a_way_out(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open()
    await page.route(MESSAGES, lambda route: _refuse(route, 413, "text_too_long"))
    await write(page, "too long for this server")
    await expect(page.get_by_text("Not sent: the text is too long.")).to_be_visible()
    await page.get_by_role("button", name="Edit").click()
    await expect(page.get_by_label("Write a message")).to_have_value("too long for this server")
    await expect(page.locator(".line")).to_have_count(0)
    await page.route(UPLOADS, lambda route: _refuse(route, 415, "unsupported_type"))
    await send_picked(page, photo())
    await expect(page.get_by_text("this type of file is not accepted")).to_be_visible()
    async with page.expect_file_chooser():
        await page.get_by_role("button", name="Choose another").click()
    await expect(page.locator(".line")).to_have_count(0)
    await page.unroute(UPLOADS)
    await page.route(UPLOADS, lambda route: _refuse(route, 429, "too_many", retry=3600))
    await send_picked(page, photo())
    await expect(page.get_by_text("too much was sent in a short time")).to_be_visible()


async def test_long_poll_replaces_a_stream_that_a_proxy_holds_back(
    opener: Opener, chat: RunningChat
) -> None:
    page = await opener.open("about:blank")
    polls: list[str] = []

    async def hold_streams(route: Route) -> None:
        if "wait=" in route.request.url:
            polls.append(route.request.url)
            await route.continue_()
        else:
            await route.fulfill(status=200, content_type="text/event-stream", body="")

    await page.route("**/v1/changes**", hold_streams)
    await page.goto(chat.url())
    await write(page, "hello")
    event = await chat.event("message")
    await until(lambda: polls)
    await chat.answer(event, "Here we are", "poll-answer")
    await expect(page.get_by_text("Here we are")).to_be_visible()


def padded(size: int) -> FilePayload:
    """A photo with bytes after its end, as large as the test needs."""
    file = photo(width=640, height=480)
    return {**file, "buffer": file["buffer"] + bytes(size - len(file["buffer"]))}


async def _hold_parts(route: Route) -> None:
    if route.request.method != "PATCH":
        await route.continue_()


async def _refuse(route: Route, status: int, code: str, retry: int = 0) -> None:
    headers = {"Retry-After": str(retry)} if retry else {}
    await route.fulfill(status=status, headers=headers, json={"code": code})
