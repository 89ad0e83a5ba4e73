"""Drafts of replies: kept in the browser for one account and conversation, until they are sent or emptied."""

import re

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace

pytestmark = pytest.mark.system

expect.set_options(timeout=20_000)

TOM = samples.conversation("conv_tom", consumer={"id": "2", "name": "Tom"})


@pytest.fixture
async def two(running: RunningWorkspace) -> RunningWorkspace:
    await running.deliver(
        samples.received("evt_1", samples.message(text="which one?")),
        samples.received("evt_2", {**samples.message(), "id": "msg_tom"}, TOM),
    )
    return running


def box(page: Page) -> Locator:
    return page.get_by_label("Your reply")


async def choose(page: Page, name: str) -> None:
    await page.locator(".entry", has=page.get_by_text(name, exact=True)).click()
    await expect(page.get_by_role("heading", name=name)).to_be_visible()


async def stored(page: Page) -> int:
    count = "Object.keys(localStorage).filter((key) => key.includes('draft')).length"
    return int(await page.evaluate(count))


async def only_what_the_agent_does(route: Route) -> None:
    request = route.request
    if request.is_navigation_request() or request.url.endswith("/messages"):
        await route.continue_()
    else:
        await route.abort()


async def test_draft_survives_reload_and_navigation_until_sent(two: RunningWorkspace) -> None:
    async with pages(two) as (page,):
        await choose(page, "Mia")
        await page.locator(".message").first.hover()
        await page.get_by_role("button", name="Quote: which one?").click()
        await box(page).fill("The blue one")
        await choose(page, "Tom")
        await expect(box(page)).to_have_value("")
        await page.reload()
        await box(page).fill("Hi Tom")
        await choose(page, "Mia")
        await expect(box(page)).to_have_value("The blue one")
        await expect(page.locator("#composer-quoted")).to_have_text("which one?")
        await box(page).press("Enter")
        await expect(page.locator(".message[data-direction=out]")).to_contain_text("The blue one")
        assert await stored(page) == 1
        await page.reload()
        await expect(page.get_by_role("heading", name="Mia")).to_be_visible()
        await expect(box(page)).to_have_value("")
        await choose(page, "Tom")
        await box(page).fill("")
        assert await stored(page) == 0


async def test_draft_survives_the_end_of_the_session(two: RunningWorkspace) -> None:
    async with pages(two) as (page,):
        await choose(page, "Mia")
        await box(page).fill("The blue one")
        # What the page sends by itself would lead to the form before the agent does.
        await page.route("**/workspace/**", only_what_the_agent_does)
        await page.context.clear_cookies()
        await box(page).press("Enter")
        await page.wait_for_url("**/sign-in?**")
        await page.unroute_all()
        await page.get_by_role("button", name="Continue as agent").click()
        await expect(page.get_by_role("heading", name="Mia")).to_be_visible()
        await expect(box(page)).to_have_value("The blue one")
        await box(page).press("Enter")
        await expect(page.locator(".message[data-direction=out]")).to_have_count(1)
    assert len(two.gateway.sent) == 1


async def test_another_account_does_not_see_the_draft(two: RunningWorkspace) -> None:
    async with pages(two) as (page,):
        await choose(page, "Mia")
        await box(page).fill("The blue one")
        await two.post("api/conversations/conv_mia/agents", {"do": "hand_over", "to": "sam"})
        other = await page.context.new_page()
        await other.goto(two.url(""))
        await other.get_by_role("button", name="Sign out").click()
        await other.get_by_role("button", name="Continue as sam").click()
        await choose(other, "Mia")
        await expect(box(other)).to_have_value("")
        # The first page is the other account's now.
        await expect(page.locator(".account-name")).to_have_text("sam")
        await expect(box(page)).to_have_value("")


@pytest.mark.parametrize("arrives", [True, False])
async def test_reload_while_sending_neither_loses_nor_repeats(
    two: RunningWorkspace, arrives: bool
) -> None:
    async def hold(route: Route) -> None:
        if arrives:
            await route.fetch()

    async with pages(two) as (page,):
        await choose(page, "Mia")
        await page.route("**/messages", hold, times=1)
        await box(page).fill("The blue one")
        async with page.expect_request("**/messages"):
            await box(page).press("Enter")
        answers = page.locator(".message[data-direction=out]")
        if arrives:
            await expect(answers).to_have_count(1)
        await page.reload()
        await expect(page.get_by_role("heading", name="Mia")).to_be_visible()
        await expect(box(page)).to_have_value("" if arrives else "The blue one")
        await expect(answers).to_have_count(int(arrives))
        await box(page).press("Enter")
        await expect(answers).to_have_count(1)
    assert len(two.gateway.sent) == 1


async def test_draft_follows_a_merge_that_the_page_missed(two: RunningWorkspace) -> None:
    async with pages(two) as (page,):
        await choose(page, "Tom")
        await box(page).fill("Hi Tom")
        await choose(page, "Mia")
        await box(page).fill("The blue one")
        await page.goto("about:blank")
        data = {"conversation": samples.conversation(), "merged": "conv_tom"}
        await two.deliver(samples.event("evt_m", "conversation.merged", data))
        await page.goto(two.url(""))
        await choose(page, "Mia")
        await expect(box(page)).to_have_value("The blue one\nHi Tom")
        assert await stored(page) == 1


async def test_erasure_removes_the_draft(two: RunningWorkspace) -> None:
    async with pages(two) as (page,):
        await choose(page, "Mia")
        await box(page).fill("The blue one")
        await two.post("api/conversations/conv_mia/agents", {"do": "close"})
        await two.post("api/conversations/conv_mia/erase")
        await page.reload()
        await expect(page.locator("#error")).to_be_visible()
        assert await stored(page) == 0


async def test_old_and_numerous_drafts_are_forgotten(two: RunningWorkspace) -> None:
    async with pages(two) as (page,):
        await choose(page, "Mia")
        await box(page).fill("The blue one")
        await page.evaluate(
            """() => {
              const path = location.pathname;
              const put = (agent, id, at) => localStorage.setItem(
                JSON.stringify(["airlock draft", path, agent, id]),
                JSON.stringify({ text: "x", quoted: null, tried: null, at }));
              put("sam", "old", Date.now() - 31 * 24 * 3600 * 1000);
              put("sam", "new", Date.now());
              for (let number = 0; number < 60; number++) put("agent", `c${number}`, Date.now() - 1e6 - number);
              localStorage.setItem('["airlock draft"', "not JSON");
            }"""
        )
        await page.reload()
        await expect(box(page)).to_have_value("The blue one")
        assert await stored(page) <= 42


async def test_draft_in_two_tabs_goes_when_one_sends_it(two: RunningWorkspace) -> None:
    async with pages(two) as (page,):
        await choose(page, "Mia")
        await box(page).fill("The blue one")
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(box(other)).to_have_value("The blue one")
        await box(other).press("Enter")
        await expect(box(page)).to_have_value("")
        await expect(page.locator(".message[data-direction=out]")).to_contain_text(
            re.compile("The blue one")
        )
