"""Make the screenshots of the web channel for the docs: on a brand's page, and on a phone."""

import asyncio
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from playwright.async_api import Browser, Page, async_playwright
from screenshots import AIRLOCK, ARGUMENTS, IMAGES

from simulator import photo

TOKEN = "a-token-for-screenshots-only"
SECRET = "whsec_c2NyZWVuc2hvdHMtYXJlLW5vdC1zZWNyZXQ="
WIDE, NARROW = (1280, 800), (390, 780)
#: Milliseconds until images are loaded and animations have ended.
SETTLING_MILLISECONDS = 1200

QUESTION = "Hello! My lamp came today, but the glass is broken."
CAPTION = "This is how it lay in the box."
ANSWER = "I am sorry, Mia. A new one leaves our store today. You do not have to send anything back."
THANKS = "That is quick, thank you!"

SHOP = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lumen</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body { margin: 0; background: #f7f4ee; color: #26211a; font: 17px/1.6 system-ui, sans-serif }
header { display: flex; gap: 32px; padding: 22px 48px; font-weight: 600 }
header b { flex: 1; font-size: 22px; letter-spacing: .04em }
main { display: grid; grid-template-columns: 380px 380px; gap: 48px; padding: 32px 48px }
figure { margin: 0; aspect-ratio: 4 / 5; border-radius: 20px;
  background: radial-gradient(circle at 50% 34%, #fff3cf 0 13%, #f3d9a0 30%, #d9b679 60%, #b9935a) }
h1 { margin: 24px 0 8px; font-size: 40px; line-height: 1.15 }
p { margin: 0 0 20px; max-width: 34ch; color: #5b5345 }
span { display: inline-block; padding: 12px 26px; border-radius: 26px; background: #26211a; color: #fff }
</style></head><body><header><b>LUMEN</b>Lamps &nbsp; Shades &nbsp; Stores</header>
<main><figure></figure><div><h1>Globe, the lamp of blown glass</h1><p>Warm light from a sphere that is blown by mouth,
on a foot of oak. Made in small numbers.</p><span>Into the basket</span></div></main>
<script src="{origin}/loader.js" data-site="shop"></script></body></html>"""


@dataclass
class Core:
    """The brand's page, and a conversation core that remembers the events it receives."""

    origin: str
    events: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.events.append(await request.json())
        return web.Response(status=204)

    async def page(self, _request: web.Request) -> web.Response:
        return web.Response(text=SHOP.replace("{origin}", self.origin), content_type="text/html")

    async def message(self, text: str) -> dict[str, Any]:
        """Wait for the event of a consumer's message."""
        async with asyncio.timeout(60):
            while True:
                for event in self.events:
                    if event["data"].get("message", {}).get("text") == text:
                        found: dict[str, Any] = event["data"]
                        return found
                await asyncio.sleep(0.1)


@dataclass(frozen=True)
class Running:
    core: Core
    shop: str
    chat: str
    gateway: str


async def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is missing: install Debian's package chromium")
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with _airlock() as running, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await _open(browser, running.shop, WIDE)
        await page.get_by_role("button", name="Open chat").click()
        await _talk(page, page.frame_locator("airlock-chat iframe"), running)
        await _save(page, "chat.png")
        running.core.events.clear()
        page = await _open(browser, f"{running.chat}/chat?site=shop", NARROW)
        await _talk(page, page, running)
        await _save(page, "chat-phone.png")
        await browser.close()


async def _talk(page: Page, chat: Any, running: Running) -> None:
    text = chat.get_by_label("Write a message")
    await text.fill(QUESTION)
    await text.press("Enter")
    async with page.expect_file_chooser() as chooser:
        await chat.get_by_role("button", name="Attach").click()
        await chat.get_by_role("menuitem", name="Send image or video").click()
    sample = photo("parcel", 1200, 1200, name="lamp.jpg")
    await (await chooser.value).set_files(
        {"name": "lamp.jpg", "mimeType": "image/jpeg", "buffer": sample.content}
    )
    await chat.get_by_label("Add a caption").fill(CAPTION)
    await chat.get_by_label("Add a caption").press("Enter")
    found = await running.core.message(CAPTION)
    await chat.get_by_text("Checked. The agent can see it.").wait_for()
    conversation = f"/v1/conversations/{found['conversation']['id']}"
    await _call(running, f"/v1/messages/{found['message']['id']}/read")
    await _call(running, f"{conversation}/messages", {"text": ANSWER, "agent": "anna"})
    await chat.get_by_text(ANSWER).wait_for()
    await text.fill(THANKS)
    await text.press("Enter")
    await running.core.message(THANKS)
    await _call(running, f"{conversation}/typing")
    await chat.get_by_text("An agent is writing").wait_for()


async def _call(running: Running, path: str, content: Any = None) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": secrets.token_hex(16)}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(running.gateway + path, json=content) as response,
    ):
        response.raise_for_status()


@asynccontextmanager
async def _airlock() -> AsyncIterator[Running]:
    gateway, chat = unused_port(), unused_port()
    core = Core(f"http://localhost:{chat}")
    app = web.Application()
    app.add_routes([web.post("/events", core.take), web.get("/", core.page)])
    server = TestServer(app, host="localhost")
    await server.start_server()
    with tempfile.TemporaryDirectory() as folder:
        shop = str(server.make_url("/"))
        settings = _settings(Path(folder), gateway, chat, shop.rstrip("/"))
        path = Path(folder, "connectors.yaml")
        path.write_text(json.dumps(settings))
        process = await asyncio.create_subprocess_exec(str(AIRLOCK), "serve", "-c", str(path))
        try:
            running = Running(core, shop, core.origin, f"http://localhost:{gateway}")
            await _wait(f"{running.chat}/healthz")
            yield running
        finally:
            process.terminate()
            await process.wait()
            await server.close()


def _settings(folder: Path, gateway: int, chat: int, shop: str) -> dict[str, Any]:
    origin = f"http://localhost:{chat}"
    return {
        "gateway": {
            "listen": f"127.0.0.1:{gateway}",
            "public_url": f"http://localhost:{gateway}",
            "data": str(folder / "data"),
            "api_tokens": [TOKEN],
        },
        "core": {"url": f"{shop}/events", "secrets": [SECRET]},
        "fetch": {"own_origins": [f"http://127.0.0.1:{chat}"]},
        "webchat": {
            "listen": f"127.0.0.1:{chat}",
            "public_url": origin,
            "deliver_to": f"http://127.0.0.1:{gateway}/webhooks/support-web",
            "secrets": [SECRET],
            "access_tokens": [TOKEN],
            "sites": {"shop": {"origins": [shop]}},
        },
        "connectors": {
            "support-web": {
                "type": "web",
                "api_url": f"http://127.0.0.1:{chat}",
                "secrets": [SECRET],
                "access_token": TOKEN,
            }
        },
    }


async def _wait(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            try:
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)


async def _open(browser: Browser, address: str, size: tuple[int, int]) -> Page:
    page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
    await page.goto(address)
    return page


async def _save(page: Page, name: str) -> None:
    await page.mouse.move(1, 1)
    await page.wait_for_timeout(SETTLING_MILLISECONDS)
    await page.screenshot(path=IMAGES / name)
    await page.close()
    print(f"docs/images/{name}")


if __name__ == "__main__":
    asyncio.run(main())
