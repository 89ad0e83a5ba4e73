"""The emulated WhatsApp delivers, serves and accepts what its documentation says."""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from simulator import Consumer, Fault, WhatsApp, document, photo, sticker, still, video, voice
from simulator.exchange import Action
from simulator.whatsapp import messages
from tests.simulator.webhook import BEN, MIA, Stage, staged

PHOTO = photo(width=320, height=240)
OK = {
    "messaging_product": "whatsapp",
    "recipient_type": "individual",
    "to": MIA.id,
    "type": "text",
    "text": {"body": "Hello"},
}
INBOUND = "wamid.SU5CT1VORA=="


@pytest.fixture
async def stage() -> AsyncIterator[Stage[WhatsApp]]:
    async with staged(WhatsApp) as started:
        yield started


def bearer(stage: Stage[WhatsApp]) -> dict[str, str]:
    return {"authorization": f"Bearer {stage.platform.token}"}


async def looked_up(stage: Stage[WhatsApp], id: str, **query: str) -> httpx.Response:
    url = f"{stage.platform.api_url}/{id}"
    return await stage.http.get(url, params=query, headers=bearer(stage))


async def sent(stage: Stage[WhatsApp], content: Any, **query: str) -> httpx.Response:
    url = f"{stage.platform.api_url}/{stage.platform.number_id}/messages"
    return await stage.http.post(url, json=content, params=query, headers=bearer(stage))


def only_message(stage: Stage[WhatsApp], arrived: int = -1) -> dict[str, Any]:
    content = stage.webhook.arrived[arrived].content
    (message,) = content["entry"][0]["changes"][0]["value"]["messages"]
    assert isinstance(message, dict)
    return message


async def hosted(stage: Stage[WhatsApp]) -> str:
    """Deliver a photo, and return its media id."""
    await stage.platform.send(MIA, "look", [PHOTO])
    return str(only_message(stage)["image"]["id"])


# Deliveries.


async def test_a_text_is_delivered_signed_over_its_bytes(stage: Stage[WhatsApp]) -> None:
    (answer,) = await stage.platform.send(MIA, "Grüße 📦 / bye")
    (arrived,) = stage.webhook.arrived
    expected = hmac.new(stage.platform.secret.encode(), arrived.body, hashlib.sha256).hexdigest()
    assert arrived.headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert (answer.status, answer.ids) == (200, (only_message(stage)["id"],))
    assert answer.ids[0].startswith("wamid.")
    assert only_message(stage)["text"] == {"body": "Grüße 📦 / bye"}
    assert re.fullmatch(r"[0-9]{10}", only_message(stage)["timestamp"])
    value = arrived.content["entry"][0]["changes"][0]["value"]
    assert value["metadata"]["phone_number_id"] == stage.platform.number_id
    assert value["contacts"] == [{"profile": {"name": "Mia"}, "wa_id": MIA.id}]


async def test_each_file_is_a_message_and_the_first_has_caption(
    stage: Stage[WhatsApp],
) -> None:
    (answer,) = await stage.platform.send(MIA, "two", [PHOTO, video(seconds=0.4)])
    entries = stage.webhook.arrived[0].content["entry"]
    messages = [e["changes"][0]["value"]["messages"][0] for e in entries]
    assert [m["type"] for m in messages] == ["image", "video"]
    assert [m[m["type"]].get("caption") for m in messages] == ["two", None]
    assert list(answer.ids) == [m["id"] for m in messages]


@pytest.mark.parametrize(
    ("sample", "kind", "extra"),
    [
        (sticker(), "sticker", {"animated": False}),
        (voice(0.2), "audio", {"voice": True}),
        (document(), "document", {"filename": "invoice.pdf"}),
        (still("GIF"), "image", {}),
    ],
    ids=["sticker", "voice", "document", "gif"],
)
async def test_every_kind_of_file_has_its_message_type(
    stage: Stage[WhatsApp], sample: Any, kind: str, extra: dict[str, Any]
) -> None:
    await stage.platform.send(MIA, files=[sample])
    message = only_message(stage)
    assert message["type"] == kind
    assert extra.items() <= message[kind].items()


KINDS: dict[str, tuple[messages.Content, str]] = {
    "location": (messages.location(52.5, 13.4, name="Here", address="Street 1"), "location"),
    "contact": (messages.contact("Ann Example", "+1 555-000-1111"), "contacts"),
    "reaction": (messages.reaction(INBOUND, "👍"), "reaction"),
    "reaction taken back": (messages.reaction(INBOUND, None), "reaction"),
    "button": (messages.button("Yes"), "button"),
    "chosen button": (messages.chosen("Monday"), "interactive"),
    "chosen row": (messages.chosen("Monday", description="9 to 5"), "interactive"),
    "order": (messages.order("two please"), "order"),
    "number change": (messages.number_change("1", "2"), "system"),
    "edit": (messages.edit(INBOUND, messages.text("better")), "edit"),
    "revoke": (messages.revoke(INBOUND), "revoke"),
    "unsupported": (messages.unsupported(), "unsupported"),
}


@pytest.mark.parametrize("name", KINDS)
async def test_every_kind_of_message_has_its_type(stage: Stage[WhatsApp], name: str) -> None:
    content, kind = KINDS[name]
    answer = await stage.platform.say(MIA, content)
    message = only_message(stage)
    assert message["type"] == kind
    assert kind in message
    assert answer.ids == (message["id"],)
    assert ("errors" in message) is (kind == "unsupported")


async def test_a_reply_names_the_message_it_answers(stage: Stage[WhatsApp]) -> None:
    await stage.platform.say(MIA, messages.text("yes"), reply_to=INBOUND)
    assert only_message(stage)["context"]["id"] == INBOUND


async def test_a_consumer_without_number_has_only_the_user_id(
    stage: Stage[WhatsApp],
) -> None:
    await stage.platform.send(Consumer("", "Hidden", user_id="US.13491208"), "psst")
    message = only_message(stage)
    assert message["from_user_id"] == "US.13491208"
    assert "from" not in message


async def test_one_delivery_holds_several_accounts_consumers_and_messages(
    stage: Stage[WhatsApp],
) -> None:
    platform = stage.platform
    changes = [
        platform.change(MIA, [platform.message(MIA, *messages.text(t)) for t in ("one", "two")]),
        platform.change(BEN, [platform.message(BEN, *messages.text("three"))], number_id="222"),
    ]
    (answer,) = await platform.deliver(changes)
    values = [e["changes"][0]["value"] for e in stage.webhook.arrived[0].content["entry"]]
    assert [v["metadata"]["phone_number_id"] for v in values] == [platform.number_id, "222"]
    assert [len(v["messages"]) for v in values] == [2, 1]
    assert len(set(answer.ids)) == 3


async def test_a_repeated_delivery_is_identical(stage: Stage[WhatsApp]) -> None:
    answers = await stage.platform.send(MIA, "again", times=3)
    assert [a.status for a in answers] == [200, 200, 200]
    assert len({(a.body, a.headers["X-Hub-Signature-256"]) for a in stage.webhook.arrived}) == 1


async def test_a_forged_delivery_has_an_invalid_signature(stage: Stage[WhatsApp]) -> None:
    await stage.platform.send(MIA, "forged", forged=True)
    (arrived,) = stage.webhook.arrived
    expected = hmac.new(stage.platform.secret.encode(), arrived.body, hashlib.sha256).hexdigest()
    assert re.fullmatch(r"sha256=[0-9a-f]{64}", arrived.headers["X-Hub-Signature-256"])
    assert arrived.headers["X-Hub-Signature-256"] != f"sha256={expected}"


async def test_a_delivery_can_have_only_the_sha1_signature(stage: Stage[WhatsApp]) -> None:
    change = stage.platform.change(MIA, [stage.platform.message(MIA, *messages.text("old"))])
    await stage.platform.deliver([change], signature="only sha1")
    headers = stage.webhook.arrived[0].headers
    assert "X-Hub-Signature-256" not in headers
    assert headers["X-Hub-Signature"].startswith("sha1=")


async def test_a_delivery_is_retried_until_accepted(stage: Stage[WhatsApp]) -> None:
    stage.webhook.answers = [(503, b"", "text/plain"), (500, b"", "text/plain")]
    stage.platform.retries_for = 10
    (answer,) = await stage.platform.send(MIA, "patience")
    assert (answer.status, answer.attempts) == (200, 3)
    assert len({a.body for a in stage.webhook.arrived}) == 1


async def test_a_refusal_is_returned_without_retries(stage: Stage[WhatsApp]) -> None:
    stage.webhook.answers = [(503, b"full", "text/plain")]
    (answer,) = await stage.platform.send(MIA, "once")
    assert (answer.status, answer.body, answer.accepted) == (503, b"full", False)


async def test_the_handshake_sends_challenge_and_verify_token(stage: Stage[WhatsApp]) -> None:
    stage.webhook.answers = [(200, b"echo", "text/plain")]
    answer, challenge = await stage.platform.handshake()
    (arrived,) = stage.webhook.arrived
    assert arrived.method == "GET"
    assert f"hub.challenge={challenge}" in arrived.target
    assert f"hub.verify_token={stage.platform.verify_token}" in arrived.target
    assert answer.body == b"echo"


# Media.


async def test_a_photo_is_looked_up_and_fetched_with_the_token(stage: Stage[WhatsApp]) -> None:
    id = await hosted(stage)
    node = (await looked_up(stage, id)).json()
    assert node["file_size"] == len(PHOTO.content)
    answer = await stage.http.get(node["url"], headers=bearer(stage))
    assert (answer.status_code, answer.content) == (200, PHOTO.content)
    assert answer.headers["content-type"] == "image/jpeg"
    assert stage.platform.hosted[id].asked == stage.platform.hosted[id].looked_up == 1


async def test_a_download_without_the_token_gets_an_error_page(stage: Stage[WhatsApp]) -> None:
    node = (await looked_up(stage, await hosted(stage))).json()
    answer = await stage.http.get(node["url"])
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_look_up_with_a_wrong_token_is_refused(stage: Stage[WhatsApp]) -> None:
    url = f"{stage.platform.api_url}/{await hosted(stage)}"
    answer = await stage.http.get(url, headers={"authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)


async def test_a_media_url_expires_after_five_minutes(
    stage: Stage[WhatsApp],
) -> None:
    id = await hosted(stage)
    old = (await looked_up(stage, id)).json()["url"]
    stage.platform.age(299)
    assert (await stage.http.get(old, headers=bearer(stage))).status_code == 200
    stage.platform.age(2)
    assert (await stage.http.get(old, headers=bearer(stage))).status_code == 404
    new = (await looked_up(stage, id)).json()["url"]
    assert (await stage.http.get(new, headers=bearer(stage))).status_code == 200


async def test_a_media_id_expires_after_seven_days(stage: Stage[WhatsApp]) -> None:
    id = await hosted(stage)
    stage.platform.age(7 * 24 * 3600 + 1)
    answer = await looked_up(stage, id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)


@pytest.mark.parametrize("number", [WhatsApp.number_id, "222"])
async def test_a_media_look_up_that_names_a_number_is_refused(
    stage: Stage[WhatsApp], number: str
) -> None:
    id = await hosted(stage)
    answer = await looked_up(stage, id, phone_number_id=number)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, 100)
    assert error["message"].startswith("(#100) Param phone_number_id is not a valid ")
    assert (await looked_up(stage, id)).status_code == 200


async def test_a_webhook_can_carry_the_media_url(stage: Stage[WhatsApp]) -> None:
    stage.platform.addresses_in_webhooks = True
    await hosted(stage)
    url = only_message(stage)["image"]["url"]
    assert (await stage.http.get(url)).status_code == 401
    assert (await stage.http.get(url, headers=bearer(stage))).content == PHOTO.content


async def test_a_token_sent_to_the_cdn_is_a_leak(stage: Stage[WhatsApp]) -> None:
    stage.platform.redirects_to_cdn = True
    url = (await looked_up(stage, await hosted(stage))).json()["url"]
    redirect = await stage.http.get(url, headers=bearer(stage))
    assert redirect.status_code == 302
    location = redirect.headers["location"]
    assert not location.startswith(stage.platform.origin)
    assert (await stage.http.get(location)).content == PHOTO.content
    assert stage.platform.leaks == []
    await stage.http.get(location, headers=bearer(stage))
    assert [header for _, header in stage.platform.leaks] == ["authorization"]


async def test_a_look_up_can_fail_before_the_download(stage: Stage[WhatsApp]) -> None:
    stage.platform.faults[PHOTO.name] = Fault(status=500, times=1, at="lookup")
    id = await hosted(stage)
    assert (await looked_up(stage, id)).status_code == 500
    assert (await looked_up(stage, id)).status_code == 200


async def test_the_account_can_be_looked_up(stage: Stage[WhatsApp]) -> None:
    answer = await looked_up(stage, stage.platform.number_id, fields="verified_name")
    assert answer.json()["verified_name"] == "Example Parcels"


# Texts.


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
