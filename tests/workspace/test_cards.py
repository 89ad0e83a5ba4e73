"""Contact cards of any platform or file: fields as text, numbers and addresses to copy."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.workspace import samples
from tests.workspace.browser import pages
from tests.workspace.running import RunningWorkspace
from workspace.text.cards import contact_cards

expect.set_options(timeout=20_000)

ADDRESS = {"street": "1 Hacker Way", "city": "Menlo Park", "zip": "94025", "type": "HOME"}
SAM = {
    "name": {"formatted_name": "Sam Smith", "first_name": "Sam"},
    "org": {"company": "Example", "department": "Design", "title": "Manager"},
    "phones": [{"phone": "+1 555 0100", "wa_id": "15550100", "type": "CELL"}, {"phone": "110"}],
    "emails": [{"email": "sam@example.com", "type": "WORK"}],
    "addresses": [ADDRESS],
    "urls": [{"url": "https://example.com", "type": "WORK"}],
    "birthday": "2012-08-18",
}


def test_card_shows_all_fields_in_order() -> None:
    (card,) = contact_cards([SAM])
    assert card["name"] == "Sam Smith"
    assert [(field["label"], field["value"], field["copy"]) for field in card["fields"]] == [
        ("Work", "Manager, Design, Example", False),
        ("Phone (cell)", "+1 555 0100", True),
        ("Phone", "110", True),
        ("E-mail (work)", "sam@example.com", True),
        ("Address (home)", "1 Hacker Way, 94025, Menlo Park", True),
        ("Web (work)", "https://example.com", True),
        ("Birthday", "2012-08-18", False),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann", "Ann"),
        ({"formatted_name": "\u202eAnn\n"}, "Ann"),
        ({"first_name": "Ann", "last_name": "Lee"}, "Ann Lee"),
        ({"formatted_name": ""}, "Contact"),
        (None, "Contact"),
        ([], "Contact"),
        ({"formatted_name": {}}, "Contact"),
    ],
)
def test_card_has_a_name_from_what_there_is(name: object, shown: str) -> None:
    assert contact_cards([{"name": name}]) == [{"name": shown, "fields": []}]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "card",
        7,
        {"name": "Ann"},
        [None, "x", 3, []],
    ],
)
def test_contacts_of_another_shape_are_left_out(odd: object) -> None:
    assert contact_cards(odd) == []


@pytest.mark.parametrize("group", ["phones", "emails", "addresses", "urls", "org", "birthday"])
@pytest.mark.parametrize("odd", [None, 3, {"phone": 3}, [None, {}, [[]], {"phone": {}}], ""])
def test_odd_values_of_a_card_do_not_break_it(group: str, odd: object) -> None:
    (card,) = contact_cards([{"name": "Ann", group: odd}])
    assert card["name"] == "Ann"
    assert all(isinstance(field["value"], str) for field in card["fields"])


def test_endless_cards_are_bounded() -> None:
    cards = contact_cards([{"name": "A", "phones": ["1"] * 1000}] * 1000)
    assert len(cards) == 50
    assert len(cards[0]["fields"]) == 60


async def open_card(page: Page, running: RunningWorkspace, *cards: Any, **facts: Any) -> None:
    attachment = samples.attachment("att_c", "contact", "ready", contacts=list(cards), **facts)
    message = samples.message(text=None, transcript="[contact]", attachments=[attachment])
    await running.deliver(samples.received("evt_1", message))
    await page.goto(running.url("?conversation=conv_mia"))
    await expect(page.locator(".card").first).to_be_visible()


@pytest.mark.system
async def test_number_is_copied_by_its_button(running: RunningWorkspace) -> None:
    async with pages(running, permissions=["clipboard-read", "clipboard-write"]) as (page,):
        await open_card(page, running, SAM)
        card = page.get_by_role("region", name="Contact Sam Smith")
        await expect(card.get_by_role("button")).to_have_count(5)
        for value in ("+1 555 0100", "1 Hacker Way, 94025, Menlo Park"):
            button = card.get_by_role("button", name=f"Copy {value}")
            await button.focus()
            await page.keyboard.press("Enter")
            await expect(card.get_by_text("Copied")).to_have_count(1)
            assert await page.evaluate("navigator.clipboard.readText()") == value


@pytest.mark.system
async def test_number_is_selected_where_copying_is_refused(running: RunningWorkspace) -> None:
    async with pages(running) as (page,):
        await page.add_init_script("delete Navigator.prototype.clipboard")
        await open_card(page, running, SAM)
        await page.get_by_role("button", name="Copy 110").click()
        await expect(page.locator(".card")).to_contain_text("Selected. Press Ctrl+C to copy.")
        assert await page.evaluate("getSelection().toString()") == "110"


@pytest.mark.system
async def test_card_is_text_and_says_what_is_missing(running: RunningWorkspace) -> None:
    hostile = '<img src=x onerror="window.hacked=1">'
    card = {"name": hostile, "phones": [hostile], "urls": ["javascript:window.hacked=1"]}
    async with pages(running) as (page,):
        await open_card(page, running, card, {"name": "Ann"}, complete=False)
        await expect(page.locator(".card-name")).to_have_text([hostile, "Ann"])
        await expect(page.locator(".card-value").first).to_have_text(hostile)
        await expect(page.locator(".cards a, .cards img")).to_have_count(0)
        await expect(page.locator(".cards")).to_contain_text(re.compile("Incomplete"))
        assert await page.evaluate("window.hacked") is None
