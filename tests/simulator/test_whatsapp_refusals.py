"""The emulated WhatsApp refuses and fails texts with the codes and words of Graph."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator import WhatsApp
from simulator.whatsapp.errors import ERRORS
from tests.simulator.webhook import BEN, MIA, Stage, staged
from tests.simulator.whatsapp_calls import INBOUND, OK, sent


@pytest.fixture
async def stage() -> AsyncIterator[Stage[WhatsApp]]:
    async with staged(WhatsApp) as started:
        yield started


def failed_status(stage: Stage[WhatsApp]) -> dict[str, Any]:
    (change,) = stage.webhook.arrived[-1].content["entry"][0]["changes"]
    (status,) = change["value"]["statuses"]
    assert status["status"] == "failed"
    (error,) = status["errors"]
    assert isinstance(error, dict)
    return error


async def test_a_test_number_refuses_recipients_not_on_its_list(stage: Stage[WhatsApp]) -> None:
    stage.platform.allowed_recipients = {MIA.id}
    assert (await sent(stage, OK)).status_code == 200
    answer = await sent(stage, {**OK, "to": BEN.id})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, 131030)
    assert error["message"] == "(#131030) Recipient phone number not in allowed list"
    assert "Add recipient phone number to recipient list" in error["error_data"]["details"]
    assert [text.to for text in stage.platform.sent] == [MIA.id]


async def test_a_test_number_knows_recipients_by_number_only(stage: Stage[WhatsApp]) -> None:
    stage.platform.allowed_recipients = {MIA.id}
    assert (await sent(stage, {**OK, "to": f"+{MIA.id}"})).status_code == 200
    to_user_id = {key: value for key, value in OK.items() if key != "to"}
    answer = await sent(stage, {**to_user_id, "recipient": "US.13491208"})
    assert answer.json()["error"]["code"] == 131030


async def test_a_test_number_still_accepts_read_marks(stage: Stage[WhatsApp]) -> None:
    stage.platform.allowed_recipients = set()
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": INBOUND}
    assert (await sent(stage, mark)).json() == {"success": True}


@pytest.mark.parametrize("code", ERRORS)
async def test_every_listed_code_refuses_in_words(stage: Stage[WhatsApp], code: int) -> None:
    stage.platform.refuse_next(code)
    answer = await sent(stage, OK)
    error = answer.json()["error"]
    status, title = ERRORS[code]
    assert (answer.status_code, error["code"]) == (status, code)
    assert error["message"] == f"(#{code}) {title}"
    assert error["error_data"]["details"]


async def test_a_refusal_can_have_a_subcode_and_own_details(stage: Stage[WhatsApp]) -> None:
    stage.platform.refuse_next(100, subcode=33, details="Object does not exist")
    error = (await sent(stage, OK)).json()["error"]
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert error["error_data"]["details"] == "Object does not exist"


async def test_a_failed_status_has_title_and_details(stage: Stage[WhatsApp]) -> None:
    await sent(stage, OK)
    await stage.platform.fail(stage.platform.sent[0], 131060, details="Ask them to send it again.")
    error = failed_status(stage)
    assert (error["code"], error["title"]) == (131060, "This message is currently unavailable.")
    assert error["error_data"] == {"details": "Ask them to send it again."}


async def test_a_text_can_fail_with_an_unlisted_code(stage: Stage[WhatsApp]) -> None:
    await sent(stage, OK)
    await stage.platform.fail(stage.platform.sent[0], 199999, title="Brand new")
    error = failed_status(stage)
    assert (error["code"], error["title"]) == (199999, "Brand new")
    assert error["error_data"] == {"details": "Brand new"}
