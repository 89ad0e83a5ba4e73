"""Pages of the chat in a browser, with a camera that shows a test picture."""

from typing import Any

from playwright.async_api import Browser, BrowserContext, FilePayload, Page, Route, ViewportSize

from tests.webchat.browser.running import RunningChat, until
from tests.workspace import samples

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
PHONE: ViewportSize = {"width": 390, "height": 780}


class Opener:
    """Opens pages, each in a context of its own, and keeps the errors of their consoles."""

    def __init__(self, browser: Browser, chat: RunningChat) -> None:
        self.errors: list[str] = []
        self._browser, self._chat = browser, chat
        self._contexts: list[BrowserContext] = []

    async def open(self, url: str | None = None, **context: Any) -> Page:
        options = {"viewport": PHONE, **context}
        made = await self._browser.new_context(**options)
        self._contexts.append(made)
        page = await made.new_page()
        self.watch(page)
        await page.goto(url or self._chat.url())
        return page

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda exc: self.errors.append(str(exc)))
        page.on("console", self._note)

    async def close(self) -> None:
        for context in self._contexts:
            # A request that a test still holds would fail in the next test.
            for page in context.pages:
                await page.unroute_all(behavior="ignoreErrors")
            await context.close()

    def _note(self, message: Any) -> None:
        # A refused request is logged as an error too. Tests check such cases themselves.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)


def photo(name: str = "parcel.jpg", width: int = 800, height: int = 600) -> FilePayload:
    content = samples.jpeg(width, height, (180, 120, 80))
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


async def loaded(page: Page, module: str) -> None:
    script = f"performance.getEntriesByType('resource').some(({{ name, responseEnd }}) => responseEnd && name.endsWith('/{module}.js'))"
    await until(lambda: page.evaluate(script))


async def choose(page: Page, entry: str) -> None:
    await page.get_by_role("button", name="Attach").click()
    await page.get_by_role("menuitem", name=entry).click()


async def pick(page: Page, file: FilePayload) -> None:
    """Pick a file from the library; its preview opens."""
    async with page.expect_file_chooser() as chooser:
        await choose(page, "Send image or video")
    await (await chooser.value).set_files(file)


async def send_picked(page: Page, file: FilePayload, caption: str = "") -> None:
    await pick(page, file)
    await page.get_by_label("Add a caption").fill(caption)
    await page.keyboard.press("Enter")


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Write a message").fill(text)
    await page.keyboard.press("Enter")


async def drop_cookie(route: Route) -> None:
    """Answer as for a browser that keeps no cookie of the chat."""
    answer = await route.fetch()
    kept = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
    await route.request.frame.page.context.clear_cookies()
    await route.fulfill(response=answer, headers=kept)
