"""The emulated WhatsApp delivers what its documentation says."""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from simulator import Consumer, WhatsApp, document, sticker, still, video, voice
from simulator.whatsapp import messages
from tests.simulator.webhook import BEN, MIA, Stage, staged
from tests.simulator.whatsapp_calls import INBOUND, PHOTO, only_message


@pytest.fixture
async def stage() -> AsyncIterator[Stage[WhatsApp]]:
    async with staged(WhatsApp) as started:
        yield started


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
    "form": (messages.form({"size": "M"}), "interactive"),
    "order": (messages.order("two please"), "order"),
    "user id change": (messages.user_id_change("DE.1", "DE.2"), "system"),
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
