"""A real browser for tests: Debian's Chromium, driven by Playwright."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.workspace.running import RunningWorkspace

# Generous, because other work may slow the machine down.
expect.set_options(timeout=20_000)

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Return the path of Chromium. Without it, a test is skipped; on CI it fails."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("needs Debian's package chromium, which is not installed")
    return found


@asynccontextmanager
async def pages(*workspaces: RunningWorkspace, **context: Any) -> AsyncIterator[list[Page]]:
    """Open each workspace in a browser context of its own. Errors in the console fail the test."""
    async with pages_at(*(workspace.url("") for workspace in workspaces), **context) as opened:
        yield opened


@asynccontextmanager
async def pages_at(*addresses: str, **context: Any) -> AsyncIterator[list[Page]]:
    """Open pages like `pages`, at any addresses."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=list(_ARGUMENTS)
        )
        errors: list[str] = []
        opened = []
        for address in addresses:
            page = await (await browser.new_context(**context)).new_page()
            page.on("pageerror", lambda exc: errors.append(str(exc)))
            page.on("console", lambda message: _note_error(errors, message))
            await page.goto(address)
            opened.append(page)
        yield opened
        await browser.close()
    assert errors == []


async def sign_in(browser: Browser, workspace: str, name: str, password: str) -> Page:
    """Open a workspace with accounts of its own, by its address, in a browser context of its own."""
    page = await (await browser.new_context()).new_page()
    await page.goto(workspace)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    return page


async def end_session(page: Page) -> None:
    """Forget the session. The page is left first: a request that it still sends would lead it to the form."""
    await page.goto("about:blank")
    await page.context.clear_cookies()


async def until(page: Page, expression: str) -> None:
    """Wait until an expression is true. Playwright's own wait needs eval, which our pages forbid."""
    async with asyncio.timeout(60):
        while not await page.evaluate(expression):
            await asyncio.sleep(0.05)


async def settle(page: Page) -> None:
    """Wait until the page has laid out what it shows: it does so when a picture has come, and in the frame after a change."""
    await page.evaluate(
        """async () => {
            const shown = [...document.images].filter((one) => one.src && one.checkVisibility());
            await Promise.allSettled(shown.filter((one) => one.loading !== "lazy").map((one) => one.decode()));
            for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
        }"""
    )


async def animated(page: Page) -> None:
    """Wait for animations: axe would judge the colours of half-faded elements.

    An animation whose element is redrawn ends with an error, and that is its end as well.
    """
    await page.evaluate(
        """async () => {
            const ends = (one) => one.playState === "running" && one.effect.getTiming().iterations !== Infinity;
            for (let some; (some = document.getAnimations().filter(ends)).length;)
                await Promise.allSettled(some.map((one) => one.finished));
        }"""
    )


def _note_error(errors: list[str], message: Any) -> None:
    # A refused picture is logged as an error too. Tests check such cases themselves.
    if message.type == "error" and "Failed to load resource" not in message.text:
        errors.append(message.text)
