"""The emulated WhatsApp accepts and refuses texts as its documentation says."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from simulator import WhatsApp
from simulator.exchange import Action
from tests.simulator.webhook import MIA, Stage, staged
from tests.simulator.whatsapp_calls import INBOUND, OK, bearer, sent


@pytest.fixture
async def stage() -> AsyncIterator[Stage[WhatsApp]]:
    async with staged(WhatsApp) as started:
        yield started


async def test_a_text_is_accepted_and_gets_an_id(stage: Stage[WhatsApp]) -> None:
    answer = await sent(stage, OK)
    (text,) = stage.platform.sent
    assert answer.json() == {
        "messaging_product": "whatsapp",
        "contacts": [{"input": MIA.id, "wa_id": MIA.id}],
        "messages": [{"id": text.id, "message_status": "accepted"}],
    }
    assert (text.to, text.text) == (MIA.id, "Hello")


async def test_a_text_can_go_to_a_user_id(stage: Stage[WhatsApp]) -> None:
    content = {**OK, "recipient": "US.13491208"}
    del content["to"]
    assert (await sent(stage, content)).status_code == 200
    assert stage.platform.sent[0].to == "US.13491208"


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "no product": ({"messaging_product": None}, 100),
    "a strange key": ({"colour": "red"}, 100),
    "another type": ({"type": "image"}, 131051),
    "two recipients": ({"recipient": "US.1"}, 131008),
    "a recipient that is not a number": ({"to": "ann"}, 131009),
    "an empty text": ({"text": {"body": ""}}, 100),
    "no text": ({"text": None}, 100),
    "a text that is too long": ({"text": {"body": "x" * 4097}}, 100),
    "a strange key in the text": ({"text": {"body": "x", "size": 1}}, 100),
    "a quote of nothing": ({"context": {"message_id": ""}}, 100),
    "a note that is too long": ({"biz_opaque_callback_data": "x" * 513}, 100),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_text_gets_the_platforms_error(stage: Stage[WhatsApp], name: str) -> None:
    change, code = BAD[name]
    answer = await sent(stage, {**OK, **change})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert stage.platform.sent == []


async def test_the_longest_text_is_accepted(stage: Stage[WhatsApp]) -> None:
    assert (await sent(stage, {**OK, "text": {"body": "x" * 4096}})).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"messaging_product":"whatsapp"}'])
async def test_a_malformed_body_is_refused(stage: Stage[WhatsApp], body: bytes) -> None:
    url = f"{stage.platform.api_url}/{stage.platform.number_id}/messages"
    headers = {**bearer(stage), "content-type": "application/json"}
    answer = await stage.http.post(url, content=body, headers=headers)
    assert answer.status_code == 400
    assert "error" in answer.json()


async def test_a_form_is_refused(stage: Stage[WhatsApp]) -> None:
    url = f"{stage.platform.api_url}/{stage.platform.number_id}/messages"
    answer = await stage.http.post(url, data={"to": "1"}, headers=bearer(stage))
    assert answer.json()["error"]["code"] == 100


async def test_a_path_without_version_is_unknown(stage: Stage[WhatsApp]) -> None:
    url = f"{stage.platform.origin}/{stage.platform.number_id}/messages"
    answer = await stage.http.post(url, json=OK, headers=bearer(stage))
    assert answer.json()["error"]["code"] == 2500


async def test_a_text_from_another_number_is_refused(stage: Stage[WhatsApp]) -> None:
    url = f"{stage.platform.api_url}/222/messages"
    answer = await stage.http.post(url, json=OK, headers=bearer(stage))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


async def test_a_wrong_or_missing_appsecret_proof_is_refused(stage: Stage[WhatsApp]) -> None:
    expected = hmac.new(
        stage.platform.secret.encode(), stage.platform.token.encode(), hashlib.sha256
    ).hexdigest()
    assert (await sent(stage, OK, appsecret_proof="0" * 64)).status_code == 400
    assert (await sent(stage, OK, appsecret_proof=expected)).status_code == 200
    stage.platform.requires_appsecret_proof = True
    assert (await sent(stage, OK)).status_code == 400


async def test_a_message_is_marked_as_read_with_a_typing_indicator(stage: Stage[WhatsApp]) -> None:
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": INBOUND}
    assert (await sent(stage, mark)).json() == {"success": True}
    assert (await sent(stage, {**mark, "typing_indicator": {"type": "text"}})).status_code == 200
    assert stage.platform.actions == [
        Action("read", message_id=INBOUND),
        Action("read", message_id=INBOUND),
        Action("typing_on", message_id=INBOUND),
    ]


@pytest.mark.parametrize("change", [{"status": "seen"}, {"message_id": "1"}, {"to": MIA.id}])
async def test_a_bad_mark_is_refused(stage: Stage[WhatsApp], change: dict[str, str]) -> None:
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": INBOUND}
    answer = await sent(stage, {**mark, **change})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131009)


async def test_a_queued_error_answers_the_next_text(stage: Stage[WhatsApp]) -> None:
    stage.platform.refuse_next(130429)
    answer = await sent(stage, OK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, 130429)
    assert (await sent(stage, OK)).status_code == 200


async def test_a_lost_answer_leaves_the_text_sent(stage: Stage[WhatsApp]) -> None:
    stage.platform.lost_answers = 1
    with pytest.raises(httpx.TransportError):
        await sent(stage, OK)
    assert len(stage.platform.sent) == 1
    assert (await sent(stage, OK)).status_code == 200


def statuses(stage: Stage[WhatsApp]) -> list[dict[str, Any]]:
    contents = [json.loads(arrived.body) for arrived in stage.webhook.arrived]
    return [c["entry"][0]["changes"][0]["value"]["statuses"][0] for c in contents]


async def test_receipts_are_sent_for_a_text(stage: Stage[WhatsApp]) -> None:
    stage.platform.receipts = ("sent", "delivered", "read")
    await sent(stage, {**OK, "biz_opaque_callback_data": "ours-1"})
    await stage.platform.until_receipts_sent()
    receipts = statuses(stage)
    assert [s["status"] for s in receipts] == ["sent", "delivered", "read"]
    assert {s["id"] for s in receipts} == {stage.platform.sent[0].id}
    assert {s["biz_opaque_callback_data"] for s in receipts} == {"ours-1"}
    assert {s["recipient_id"] for s in receipts} == {MIA.id}


async def test_receipts_can_be_sent_before_the_answer(stage: Stage[WhatsApp]) -> None:
    stage.platform.receipts, stage.platform.receipts_first = ("sent",), True
    await sent(stage, OK)
    assert [s["status"] for s in statuses(stage)] == ["sent"]


async def test_a_text_outside_the_window_is_accepted_and_fails_later(
    stage: Stage[WhatsApp],
) -> None:
    stage.platform.out_of_reach.add(MIA.id)
    stage.platform.receipts = ("sent", "delivered")
    assert (await sent(stage, OK)).status_code == 200
    await stage.platform.until_receipts_sent()
    (failed,) = statuses(stage)
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131047)


async def test_a_receipt_that_is_not_accepted_is_recorded(stage: Stage[WhatsApp]) -> None:
    stage.platform.receipts = ("sent",)
    stage.webhook.answers = [(500, b"", "text/plain")]
    await sent(stage, OK)
    await stage.platform.until_receipts_sent()
    assert stage.platform.undelivered == [("sent", "answered 500")]


async def test_every_request_is_recorded(stage: Stage[WhatsApp]) -> None:
    await sent(stage, OK)
    (request,) = stage.platform.received
    assert (request.site, request.method) == ("api", "POST")
    assert request.target == f"/v25.0/{stage.platform.number_id}/messages"
    assert json.loads(request.body) == OK
