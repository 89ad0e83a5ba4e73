"""The whole way, in two browsers: the chat's page, the gateway, the sanitizer, the workspace, and back."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.system.running import Site, free_port, site
from tests.system.web_channel import section
from tests.webchat.browser.opening import PHONE, choose, photo, send_picked
from tests.webchat.browser.running import until
from tests.workspace.browser import sign_in
from workspace.auth import accounts

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

PASSWORD = "correct horse battery"
#: For other work that slows the machine.
PATIENCE = 30_000


async def test_photo_and_recording_reach_the_agent_and_answers_return(
    browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    async with site(
        tmp_path, settings=lambda gateway: section(port, gateway), workspace=True
    ) as running:
        accounts.add(running.folder / "data" / "workspace.db", "anna", PASSWORD, ["agent"])
        consumer = await (await browser.new_context(viewport=PHONE)).new_page()
        await consumer.goto(f"http://127.0.0.1:{port}/chat?site=shop")
        await send_picked(consumer, photo(), "My parcel is broken")
        agent = await sign_in(browser, f"{running.url}/workspace/", "anna", PASSWORD)
        await agent.locator(".entry", has_text="My parcel is broken").click(timeout=PATIENCE)
        await agent.locator("#actions").get_by_role("button", name="Take").click()
        line = agent.locator(".message", has_text="My parcel is broken")
        await expect(line.locator(".photo img")).to_have_js_property(
            "naturalWidth", 320, timeout=PATIENCE
        )
        own = consumer.locator(".line", has_text="My parcel is broken")
        await expect(own.get_by_text("Checked. The agent can see it.")).to_be_visible()
        await expect(own).to_have_attribute("data-state", "read")

        await choose(consumer, "Record video")
        await expect(consumer.get_by_role("button", name="Record video")).to_be_enabled()
        await consumer.keyboard.press("Enter")
        await expect(consumer.locator(".clock")).to_have_text(re.compile(r"^0:(0[2-9]|[1-9]\d)$"))
        await consumer.keyboard.press("Enter")
        player = consumer.get_by_role("dialog", name="Preview").locator("video")
        await expect(player).to_be_visible()
        length = await player.evaluate(_LENGTH)
        await consumer.keyboard.press("Enter")
        await expect(agent.locator(".player")).to_be_visible(timeout=PATIENCE)
        await expect(consumer.get_by_text("Checked. The agent can see it.")).to_have_count(2)
        seconds = await consumer.evaluate(_SECONDS)
        assert abs(seconds - length) <= 0.2

        await agent.get_by_label("Your reply").press_sequentially("A new one")
        await expect(consumer.get_by_text("An agent is writing")).to_be_visible(timeout=PATIENCE)
        await agent.get_by_label("Your reply").press("Enter")
        await expect(consumer.get_by_text("A new one")).to_be_visible()
        await expect(consumer.get_by_text("An agent is writing")).to_be_hidden()
        await expect(agent.locator(".ticks[data-status=read]")).to_be_visible(timeout=PATIENCE)
        await consumer.get_by_label("Write a message").press_sequentially("Thanks")
        await expect(agent.locator("#typing")).to_be_visible(timeout=PATIENCE)

        await agent.locator("#actions").get_by_role("button", name="Close").click()
        await expect(consumer.get_by_text("The conversation was closed")).to_be_visible(
            timeout=PATIENCE
        )
        await agent.locator("#actions").get_by_role("button", name="Reopen").click()
        await agent.get_by_label("Your reply").fill("We forgot something")
        await agent.get_by_label("Your reply").press("Enter")
        await expect(consumer.get_by_text("We forgot something")).to_be_visible(timeout=PATIENCE)
        await expect(consumer.get_by_text("The conversation was closed")).to_be_hidden()
        assert _is_stored(running, b"My parcel is broken")
        await consumer.get_by_role("button", name="More").click()
        await consumer.get_by_role("menuitem", name="Delete my data").click()
        await consumer.get_by_role("dialog").get_by_role("button", name="Delete my data").click()
        await expect(agent.locator(".entry")).to_have_count(0, timeout=PATIENCE)
        await until(lambda: not _is_stored(running, b"My parcel is broken"))
        await until(lambda: not _is_stored(running, b"We forgot something"))
        await agent.context.close()
        await consumer.context.close()


def _is_stored(running: Site, text: bytes) -> bool:
    """Whether a text is anywhere in the databases: those of the workspace, the gateway and the web channel."""
    files = [path for path in (running.folder / "data").rglob("*.db*") if path.is_file()]
    assert any(path.name == "workspace.db" for path in files)
    return any(text in path.read_bytes() for path in files)


#: A recording without its length in the file has one once the player has been at its end.
_LENGTH = """async (video) => {
    video.currentTime = 1e6;
    while (video.seeking || !Number.isFinite(video.duration)) await new Promise((done) => setTimeout(done, 20));
    return video.duration;
}"""
_SECONDS = """async () => {
    const { messages } = await (await fetch("/v1/history?limit=50")).json();
    return messages.flatMap(({ attachments }) => attachments).find(({ kind }) => kind === "video").seconds;
}"""
