"""The emulated WhatsApp's answers of every kind, and the webhook fields other than messages."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator import WhatsApp
from simulator.whatsapp import changes, messages
from tests.simulator.webhook import BEN, MIA, Stage, staged
from tests.simulator.whatsapp_calls import INBOUND, PHOTO, bearer, looked_up, only_message


@pytest.fixture
async def stage() -> AsyncIterator[Stage[WhatsApp]]:
    async with staged(WhatsApp) as started:
        yield started


def only_change(stage: Stage[WhatsApp], arrived: int = -1) -> tuple[str, dict[str, Any]]:
    (change,) = stage.webhook.arrived[arrived].content["entry"][0]["changes"]
    assert change["value"]["metadata"]["phone_number_id"] == stage.platform.number_id
    return change["field"], change["value"]


async def test_a_form_answer_holds_its_answers_as_json(stage: Stage[WhatsApp]) -> None:
    await stage.platform.say(MIA, messages.form({"size": "M"}))
    interactive = only_message(stage)["interactive"]
    assert interactive["type"] == "nfm_reply"
    assert json.loads(interactive["nfm_reply"]["response_json"]) == {"size": "M"}
    assert (interactive["nfm_reply"]["name"], interactive["nfm_reply"]["body"]) == ("flow", "Sent")


async def test_an_order_holds_items_and_perhaps_no_text(stage: Stage[WhatsApp]) -> None:
    await stage.platform.say(MIA, messages.order("", ("sku-1", 2, 9.5), ("sku-7", 1, 24.9)))
    order = only_message(stage)["order"]
    assert order["text"] == ""
    assert [item["quantity"] for item in order["product_items"]] == [2, 1]


@pytest.mark.parametrize(
    ("content", "kind", "member", "new"),
    [
        (messages.number_change("1", "2"), "user_changed_number", "wa_id", "2"),
        (messages.user_id_change("DE.1", "DE.2"), "user_changed_user_id", "user_id", "DE.2"),
    ],
)
async def test_a_change_of_identity_has_no_contacts(
    stage: Stage[WhatsApp], content: messages.Content, kind: str, member: str, new: str
) -> None:
    await stage.platform.say(MIA, content)
    _, value = only_change(stage)
    assert "contacts" not in value
    assert (value["messages"][0]["system"]["type"], value["messages"][0]["system"][member]) == (
        kind,
        new,
    )


async def test_a_call_rings_and_ends(stage: Stage[WhatsApp]) -> None:
    await stage.platform.announce(changes.calling(MIA, stage.platform.number))
    await stage.platform.announce(changes.hung_up(MIA, stage.platform.number, seconds=9))
    await stage.platform.announce(changes.hung_up(MIA, stage.platform.number))
    calls = [only_change(stage, number)[1]["calls"][0] for number in range(3)]
    assert [call["event"] for call in calls] == ["connect", "terminate", "terminate"]
    assert [call.get("status") for call in calls] == [None, "Completed", "Failed"]
    assert {(call["from"], call["to"]) for call in calls} == {(MIA.id, "15550002222")}
    assert calls[1]["duration"] == 9
    assert only_change(stage)[0] == "calls"


async def test_a_history_holds_both_sides(stage: Stage[WhatsApp]) -> None:
    lines = [(False, messages.text("hi")), (True, messages.text("hello"))]
    await stage.platform.announce(changes.history(MIA, stage.platform.number, lines))
    field, value = only_change(stage)
    (thread,) = value["history"][0]["threads"]
    assert (field, thread["id"]) == ("history", MIA.id)
    assert [m["from"] for m in thread["messages"]] == [MIA.id, stage.platform.number]
    assert [m["text"]["body"] for m in thread["messages"]] == ["hi", "hello"]


async def test_an_echo_holds_a_photo_that_can_be_fetched(stage: Stage[WhatsApp]) -> None:
    content = stage.platform.media(PHOTO, "this one?")
    answer = await stage.platform.announce(changes.echo(MIA, stage.platform.number, content))
    field, value = only_change(stage)
    (echo,) = value["message_echoes"]
    assert (field, echo["from"], echo["to"]) == ("smb_message_echoes", "15550002222", MIA.id)
    assert (echo["type"], echo["image"]["caption"]) == ("image", "this one?")
    assert answer.ids == (echo["id"],)
    url = (await looked_up(stage, echo["image"]["id"])).json()["url"]
    assert (await stage.http.get(url, headers=bearer(stage))).content == PHOTO.content


@pytest.mark.parametrize(
    "content", [messages.edit(INBOUND, messages.text("better")), messages.revoke(INBOUND)]
)
async def test_an_echo_can_change_an_earlier_one(
    stage: Stage[WhatsApp], content: messages.Content
) -> None:
    await stage.platform.announce(changes.echo(MIA, stage.platform.number, content))
    (echo,) = only_change(stage)[1]["message_echoes"]
    assert echo[content[0]]["original_message_id"] == INBOUND
    assert echo["id"] != INBOUND


async def test_errors_replace_those_of_an_unsupported_message(stage: Stage[WhatsApp]) -> None:
    await stage.platform.say(
        MIA, messages.unsupported("unknown"), errors=messages.UNAVAILABLE_ERRORS
    )
    assert [error["code"] for error in only_message(stage)["errors"]] == [131060]


async def test_half_a_character_is_escaped_alone_beside_a_whole_text(
    stage: Stage[WhatsApp],
) -> None:
    said = [(MIA, "hello \ud83d"), (BEN, "whole 📦")]
    await stage.platform.deliver(
        [
            stage.platform.change(who, [stage.platform.message(who, *messages.text(body))])
            for who, body in said
        ]
    )
    (arrived,) = stage.webhook.arrived
    assert b'"hello \\ud83d"' in arrived.body
    assert b'"whole \\ud83d\\udce6"' in arrived.body
    expected = hmac.new(stage.platform.secret.encode(), arrived.body, hashlib.sha256).hexdigest()
    assert arrived.headers["X-Hub-Signature-256"] == f"sha256={expected}"
