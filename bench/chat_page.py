"""How soon a visitor can write, and how soon an agent sees a visitor's photo.

    python -m bench.chat_page [--openings N] [--photos N] [--publish]

Opening: from the press (of the link, or of the button on the brand's page) until the message box and the menu of files
work, in Chromium with its processor slowed down four times. Photo: 3 MB, from the answer to its last byte until its
thumbnail is painted on the page of an agent who looks at the conversation.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image
from playwright.async_api import Browser, Frame, Page, async_playwright, expect

from bench.report import machine, options, publish, table
from simulator import photo
from tests.system.running import free_port, site
from tests.system.web_channel import Channel, section
from tests.webchat.browser.hosts import HostPage, run_host
from tests.webchat.browser.opening import ARGUMENTS, PHONE
from tests.webchat.running import Server, new_id
from tests.workspace.browser import chromium, sign_in
from workspace.auth import accounts

#: Goals, in milliseconds: webchat's opening, and a photo's median and 95th percentile.
OPENING, PHOTO_P50, PHOTO_P95 = 300, 500, 1_500
_SLOWER = 4
_PASSWORD = "correct horse battery"

#: Run before each document; keeps the moment (ms since 1970) at which the visitor can write and send files.
_WATCH = """(() => {
    const isUsable = () => ["#text[placeholder]", "#attach:not([hidden])"].every((one) => document.querySelector(one));
    const note = () => {
        if (window.usable_at || !isUsable()) return;
        window.usable_at = performance.timeOrigin + performance.now();
    };
    new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true });
})()"""
#: Waits for the thumbnail of a message with these words to be painted; returns the moment (ms since 1970).
_PAINTED = """async (words) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    for (;;) {
        const line = [...document.querySelectorAll(".message")].find((one) => one.textContent.includes(words));
        const picture = line?.querySelector(".photo img");
        if (picture?.complete && picture.naturalWidth) break;
        await frame();
    }
    await frame();
    return performance.timeOrigin + performance.now();
}"""


@dataclass(frozen=True)
class Times:
    name: str
    goal: str
    milliseconds: Sequence[float]

    @property
    def row(self) -> tuple[str, ...]:
        ordered = sorted(self.milliseconds)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
        return (
            self.name,
            str(len(ordered)),
            f"{statistics.median(ordered):.0f} ms",
            f"{p95:.0f} ms",
            self.goal,
        )


async def slowed(browser: Browser) -> Page:
    """Open an empty page of a phone, without anything in its cache."""
    context = await browser.new_context(viewport=PHONE)
    await context.add_init_script(_WATCH)
    page = await context.new_page()
    client = await context.new_cdp_session(page)
    await client.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
    return page


async def usable(frame: Frame) -> float:
    async with asyncio.timeout(30):
        while not (at := await frame.evaluate("window.usable_at ?? 0")):
            await asyncio.sleep(0.02)
    return float(at)


async def open_page(page: Page, url: str) -> float:
    """Return the milliseconds from the navigation until the page is usable."""
    await page.goto("about:blank")
    await page.goto(url, wait_until="commit")
    began = await page.evaluate("performance.timeOrigin")
    return await usable(page.main_frame) - float(began)


async def open_frame(page: Page, url: str) -> float:
    """Return the milliseconds from the press of the button on the brand's page until its frame is usable."""
    await page.goto(url)
    button = page.get_by_role("button", name="Chat")
    await expect(button).to_be_visible()
    await page.evaluate(
        """addEventListener("click", ({ timeStamp }) => { window.pressed_at = performance.timeOrigin + timeStamp; },
            { capture: true })"""
    )
    await button.click()
    handle = await page.locator("iframe").element_handle()
    frame = await handle.content_frame()
    assert frame is not None
    return await usable(frame) - float(await page.evaluate("window.pressed_at"))


async def openings(browser: Browser, port: int, host: HostPage, times: int) -> list[Times]:
    address = f"http://localhost:{port}/chat?site=shop"
    first, again, pressed = [], [], []
    for _ in range(times):
        page = await slowed(browser)
        first.append(await open_page(page, address))
        again.append(await open_page(page, address))
        await page.context.close()
        page = await slowed(browser)
        pressed.append(await open_frame(page, host.url(port)))
        await page.context.close()
    goal = f"≤ {OPENING} ms"
    return [
        Times("chat opened for the first time", goal, first),
        Times("opened again", goal, again),
        Times("opened by the button on the brand's page", goal, pressed),
    ]


def camera_photo(seed: int) -> bytes:
    """Return a JPEG of 12 megapixels and about 3 MB, with the noise of a camera."""
    picture = Image.open(BytesIO(photo("bicycle", 4_000, 3_000, seed=seed).content))
    noise = Image.effect_noise(picture.size, 40).convert("RGB")
    content = BytesIO()
    Image.blend(picture, noise, 0.2).save(content, "JPEG", quality=85)
    return content.getvalue()


def settings(port: int, gateway: int, origin: str) -> dict[str, Any]:
    """Return what `section` says, with the name of the brand's page as the host, and let that page show the chat."""
    content = section(port, gateway)
    url = f"http://localhost:{port}"
    content["webchat"]["public_url"] = url
    shop = content["webchat"]["sites"]["shop"]
    shop["origins"] = [origin]
    shop["limits"]["messages_per_minute"] = 1_000
    content["fetch"]["own_origins"].append(url)
    return content


async def photos(browser: Browser, channel: Channel, times: int) -> Times:
    mia = await channel.server.consumer()
    await mia.write("Good morning")
    running = channel.site
    accounts.add(running.folder / "data" / "workspace.db", "anna", _PASSWORD, ["agent"])
    agent = await sign_in(browser, f"{running.url}/workspace/", "anna", _PASSWORD)
    await agent.locator(".entry", has_text="Good morning").click()
    await agent.locator("#actions").get_by_role("button", name="Take").click()
    await expect(agent.get_by_label("Your reply")).to_be_visible()
    measured = []
    for number in range(times):
        words = f"photo {number}."
        content = camera_photo(number)
        upload = await mia.upload(content)
        answered = time.time()
        answer = await mia.write(words, new_id(), uploads=[upload])
        assert answer.status == 201, answer.body
        async with asyncio.timeout(60):
            painted = await agent.evaluate(_PAINTED, words)
        measured.append(float(painted) - 1000 * answered)
        await asyncio.sleep(0.5)
    return Times(
        "photo of 3 MB on the agent's screen",
        f"p50 ≤ {PHOTO_P50} ms, p95 ≤ {PHOTO_P95} ms",
        measured,
    )


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        await browser.close()


async def measure(folder: Path, opened: int, sent: int) -> list[Times]:
    port = free_port()
    async with (
        started() as browser,
        run_host() as host,
        site(
            folder,
            settings=lambda gateway: settings(port, gateway, host.origin("localhost")),
            workspace=True,
        ) as running,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        channel = Channel(running, Server.remote(f"http://127.0.0.1:{port}", http))
        return [*await openings(browser, port, host, opened), await photos(browser, channel, sent)]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--openings", type=int, default=20)
    parser.add_argument("--photos", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), asked.openings, asked.photos))
    text = f"{machine()} `python -m bench.chat_page`\n\n" + table(
        ("", "times", "p50", "p95", "goal"), [times.row for times in found]
    )
    print(text)
    if asked.publish:
        publish("chat_page", text)


if __name__ == "__main__":
    main()
