"""One browser and one web channel for all tests here. Each test has contexts, and so consumers, of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.webchat.browser.hosts import HostPage, run_host
from tests.webchat.browser.opening import ARGUMENTS, Opener
from tests.webchat.browser.running import RunningChat, free_port, run_chat
from tests.workspace.browser import chromium
from webchat.settings import Limits

# A generous timeout, because other work may slow the machine.
expect.set_options(timeout=20_000)

#: Small, so that a test reaches it soon.
FILE_BYTES = 1_800_000


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def host() -> AsyncIterator[HostPage]:
    async with run_host() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chat(
    host: HostPage, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningChat]:
    limits = Limits(
        sessions_an_hour_for_address=1000, messages_a_minute=1000, file_bytes=FILE_BYTES
    )
    origins = (host.origin("localhost"), host.origin("127.0.0.1"))
    folder = tmp_path_factory.mktemp("webchat")
    async with run_chat(folder, *origins, port=free_port(), limits=limits) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def opener(browser: Browser, chat: RunningChat) -> AsyncIterator[Opener]:
    """Opens pages; errors in any console fail the test."""
    chat.gateway.events.clear()
    chat.gateway.status = 200
    opener = Opener(browser, chat)
    yield opener
    await opener.close()
    # What this test has sent must not arrive in the next one.
    await chat.drained()
    assert opener.errors == []
