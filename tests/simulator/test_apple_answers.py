"""The emulated Apple's interactive answers, and bodies that are not quite text."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator import Apple
from simulator.apple import messages
from simulator.apple.examples import EXAMPLES
from tests.simulator.apple_calls import DANA
from tests.simulator.webhook import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Apple]]:
    async with staged(Apple) as started:
        yield started


async def answered(stage: Stage[Apple], data: messages.Data) -> dict[str, Any]:
    await stage.platform.answer(DANA, data)
    content = stage.webhook.arrived[-1].content
    assert content["type"] == "interactive"
    assert content["interactiveData"]["bid"] == messages.EXTENSION
    return dict(content["interactiveData"]["data"])


async def test_a_list_answer_has_the_chosen_rows(stage: Stage[Apple]) -> None:
    data = await answered(stage, messages.list_picker("Blue", "Green"))
    (section,) = data["listPicker"]["sections"]
    assert [item["title"] for item in section["items"]] == ["Blue", "Green"]
    assert data["replyMessage"]["title"] == "Blue, Green"


async def test_a_time_answer_need_not_name_the_time_in_its_bubble(stage: Stage[Apple]) -> None:
    data = await answered(stage, messages.time_picker("2026-04-02T08:30+0000", reply="Thank you!"))
    (slot,) = data["event"]["timeslots"]
    assert slot == {"identifier": "7", "startTime": "2026-04-02T08:30+0000", "duration": 3600}
    assert data["replyMessage"]["title"] == "Thank you!"


async def test_a_quick_reply_holds_all_titles_and_the_chosen_one(stage: Stage[Apple]) -> None:
    data = await answered(stage, messages.quick_reply(["Yes", "No"], 1))
    reply = data["quick-reply"]
    assert (reply["selectedIndex"], reply["selectedIdentifier"]) == (1, "reply-1")
    assert [item["title"] for item in reply["items"]] == ["Yes", "No"]
    assert "replyMessage" not in data


async def test_a_form_answer_holds_a_selection_for_each_page(stage: Stage[Apple]) -> None:
    data = await answered(
        stage, messages.form(("How was it?", {"Poor": "1"}), ("Why?", {"Comment": "slow"}))
    )
    pages = data["dynamic"]["data"]["selections"]
    assert [page["title"] for page in pages] == ["How was it?", "Why?"]
    assert pages[1]["items"] == [{"title": "Comment", "value": "slow"}]


async def test_a_repeated_answer_has_another_id_and_the_same_session(stage: Stage[Apple]) -> None:
    await EXAMPLES["repeated-answer"].send(stage.platform, DANA)
    first, second = (arrived.content for arrived in stage.webhook.arrived)
    assert first["id"] != second["id"]
    assert first["interactiveData"] == second["interactiveData"]
    assert first["interactiveData"]["sessionIdentifier"]


async def test_half_a_character_is_escaped_alone(stage: Stage[Apple]) -> None:
    await stage.platform.deliver(DANA, "text", {"body": "hello \ud83d"})
    assert b'"hello \\ud83d"' in gzip.decompress(stage.webhook.arrived[0].body)
