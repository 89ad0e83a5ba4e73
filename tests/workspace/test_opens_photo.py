"""The demo's workspace opens at a photo by itself, where there is room beside the list."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace, run_workspace

pytestmark = pytest.mark.system


async def deliver_photo(running: RunningWorkspace, number: int, name: str) -> None:
    who = samples.conversation(f"conv_{name}", consumer={"id": f"49{name}", "name": name.title()})
    small = samples.jpeg(320, 320, (250, 170, 120))
    running.gateway.add_media(f"conv_{name}", f"att_{name}", thumbnail=small, preview=small)
    message = samples.message(
        number, id=f"msg_{name}", text="Look", attachments=[samples.photo(f"att_{name}")]
    )
    await running.deliver(samples.received(f"evt_{name}", message, who))


async def expect_list(page: Page) -> None:
    await expect(page.locator(".entry")).not_to_have_count(0)
    await expect(page.locator("#open")).to_be_hidden()


async def test_a_wide_page_opens_the_first_photo_that_arrives(tmp_path: Path) -> None:
    async with (
        run_workspace(tmp_path, opens_photo=True) as running,
        pages(running, viewport={"width": 1280, "height": 800}) as (page,),
    ):
        await expect(page.get_by_role("heading", name="Choose a conversation")).to_be_visible()
        await deliver_photo(running, 1, "mia")
        await expect(page.locator("#head-name")).to_have_text("Mia")
        await expect(page.locator(".photo img")).to_be_in_viewport()
        assert page.url.endswith("?conversation=conv_mia")
        await deliver_photo(running, 1, "tom")
        await expect(page.locator(".entry", has_text="Tom")).to_be_visible()
        await expect(page.locator("#head-name")).to_have_text("Mia")


async def test_narrow_pages_and_real_installations_open_the_list(tmp_path: Path) -> None:
    async with run_workspace(tmp_path, opens_photo=True) as demo:
        await deliver_photo(demo, 1, "mia")
        async with pages(demo, viewport={"width": 760, "height": 800}) as (page,):
            await expect_list(page)
    async with run_workspace(tmp_path) as real:
        async with pages(real, viewport={"width": 1280, "height": 800}) as (page,):
            await expect_list(page)
