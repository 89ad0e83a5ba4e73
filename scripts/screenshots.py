"""Make the screenshots of the workspace for README and docs, from a running demo in Chromium."""

import asyncio
import re
import shutil
import socket
import sys
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
AIRLOCK = Path(sys.executable).with_name("airlock")

#: Switch off what the browser does in the background.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Seconds until the story has ended and its last video is ready. The story begins again a minute later.
STORY_SECONDS = 29
#: Milliseconds until images are loaded and animations have ended.
SETTLING_MILLISECONDS = 1500

Size = tuple[int, int]
Colours = Literal["light", "dark"]
WIDE: Size = (1280, 860)
NARROW: Size = (390, 844)

CONSUMER = "Ann Berger"
ANSWER = "I am sorry, Ann. A new one is on its way to you; it arrives on Tuesday."


async def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is missing: install Debian's package chromium")
    IMAGES.mkdir(parents=True, exist_ok=True)
    demo = await asyncio.create_subprocess_exec(
        str(AIRLOCK), "demo", "--port", str(_free_port()), stdout=asyncio.subprocess.PIPE
    )
    try:
        address = await _address(demo)
        await asyncio.sleep(STORY_SECONDS)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            await _conversation(browser, address, "workspace.png", WIDE, "light", ANSWER)
            await _conversation(browser, address, "workspace-dark.png", WIDE, "dark")
            await _conversation(browser, address, "workspace-phone.png", NARROW, "light")
            await _operations(browser, address, "operations.png")
            await browser.close()
    finally:
        demo.terminate()
        await demo.wait()


async def _conversation(
    browser: Browser, address: str, name: str, size: Size, colours: Colours, answer: str = ""
) -> None:
    page = await _open(browser, address, size, colours)
    await page.get_by_role("link", name=re.compile(CONSUMER)).click()
    await page.wait_for_selector(".player")
    if answer:
        last = page.locator(".message").last
        await last.hover()
        await last.get_by_role("button", name=re.compile("Quote")).click()
        await page.get_by_label("Your reply").fill(answer)
        await page.get_by_label("Your reply").press("Enter")
        await page.wait_for_selector(".ticks[data-status=read]")
    await _save(page, name)


async def _operations(browser: Browser, address: str, name: str) -> None:
    page = await _open(browser, address, WIDE, "light")
    await page.goto(f"{address}operations")
    await page.wait_for_selector("[data-channel] .dot[data-state=ok]")
    await _save(page, name)


async def _open(browser: Browser, address: str, size: Size, colours: Colours) -> Page:
    page = await browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme=colours
    )
    await page.goto(address)
    return page


async def _save(page: Page, name: str) -> None:
    await page.mouse.move(1, 1)
    await page.wait_for_timeout(SETTLING_MILLISECONDS)
    await page.screenshot(path=IMAGES / name)
    await page.close()
    print(f"docs/images/{name}")


async def _address(demo: asyncio.subprocess.Process) -> str:
    assert demo.stdout is not None
    async with asyncio.timeout(60):
        while line := await demo.stdout.readline():
            found = re.search(r"http://\S+", line.decode())
            if found:
                return found[0]
    raise RuntimeError(
        "the demo ended before it printed its address; run `airlock demo` to see why"
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
