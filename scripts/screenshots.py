"""Makes the pictures of the workspace that README and docs show, from a running demo, in Chromium."""

import asyncio
import re
import shutil
import socket
import sys
from pathlib import Path

from playwright.async_api import Browser, async_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
AIRLOCK = Path(sys.executable).with_name("airlock")

#: Everything the browser would otherwise do on its own, and does not have to here.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Until the story has been told and the last video is ready.
STORY_SECONDS = 40


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
            await _picture(browser, address, "workspace.png", (1280, 860), "light")
            await _picture(browser, address, "workspace-dark.png", (1280, 860), "dark")
            await _picture(browser, address, "workspace-phone.png", (390, 844), "light")
            await browser.close()
    finally:
        demo.terminate()
        await demo.wait()


async def _picture(
    browser: Browser, address: str, name: str, size: tuple[int, int], colours: str
) -> None:
    page = await browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if colours == "dark" else "light",
    )
    await page.goto(address)
    await page.get_by_text("Ben Okafor").or_(page.get_by_text("Ann Berger")).first.click()
    await page.wait_for_timeout(3000)
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
    raise RuntimeError("the demo ended before it told its address")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())
