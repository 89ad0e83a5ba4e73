"""The emulated Messenger's events of kinds that are easy to overlook."""

import hashlib
import hmac
from collections.abc import AsyncIterator

import pytest

from simulator import Messenger
from simulator.messenger import messages
from tests.simulator.messenger_calls import events
from tests.simulator.webhook import BEN, MIA, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Messenger]]:
    async with staged(Messenger) as started:
        yield started


async def test_a_product_question_has_only_an_attachment(stage: Stage[Messenger]) -> None:
    mug = messages.product("Blue mug", id="101", subtitle="EUR 9,90", retailer_id="SKU-7")
    await stage.platform.say(MIA, messages.with_attachments(mug))
    (event,) = events(stage)
    assert "text" not in event["message"]
    (attachment,) = event["message"]["attachments"]
    (element,) = attachment["payload"]["product"]["elements"]
    assert (attachment["type"], element["title"], element["retailer_id"]) == (
        "template",
        "Blue mug",
        "SKU-7",
    )


async def test_a_reel_has_a_relative_url_and_an_id(stage: Stage[Messenger]) -> None:
    reel = messages.reel("/reel/123/", 123)
    await stage.platform.say(MIA, messages.with_attachments(reel))
    assert events(stage)[0]["message"]["attachments"] == [
        {"type": "ig_reel", "payload": {"url": "/reel/123/", "reel_video_id": 123}}
    ]


async def test_an_echo_of_buttons_has_its_words_in_the_template(stage: Stage[Messenger]) -> None:
    template = messages.buttons("How may we help?", ["Repair", "Return"])
    await stage.platform.echo(MIA.id, None, attachments=[template])
    message = events(stage)[0]["message"]
    assert message["is_echo"] is True
    assert "text" not in message
    payload = message["attachments"][0]["payload"]
    assert (payload["template_type"], payload["text"]) == ("button", "How may we help?")
    assert [button["title"] for button in payload["buttons"]] == ["Repair", "Return"]


async def test_feedback_holds_scores_and_a_comment(stage: Stage[Messenger]) -> None:
    await stage.platform.say(MIA, messages.feedback({"service": "2"}, comment="too slow"))
    (event,) = events(stage)
    (screen,) = event["messaging_feedback"]["feedback_screens"]
    assert screen["questions"] == {
        "service": {
            "type": "csat",
            "payload": "2",
            "follow_up": {"type": "free_form", "payload": "too slow"},
        }
    }


@pytest.mark.parametrize(
    ("referral", "source"),
    [
        (messages.referral("spring"), "SHORTLINK"),
        (messages.referral("spring", ad_id="6045246247433"), "ADS"),
    ],
)
async def test_a_referral_opens_the_thread(
    stage: Stage[Messenger], referral: messages.Event, source: str
) -> None:
    await stage.platform.say(MIA, referral)
    opened = events(stage)[0]["referral"]
    assert (opened["type"], opened["source"], opened["ref"]) == ("OPEN_THREAD", source, "spring")


async def test_half_a_character_is_escaped_alone_beside_a_whole_text(
    stage: Stage[Messenger],
) -> None:
    said = [(MIA, "hello \ud83d"), (BEN, "whole 📦")]
    await stage.platform.deliver([stage.platform.said(who, {"text": t}) for who, t in said])
    (arrived,) = stage.webhook.arrived
    assert b'"hello \\ud83d"' in arrived.body
    assert b'"whole \\ud83d\\udce6"' in arrived.body
    expected = hmac.new(stage.platform.secret.encode(), arrived.body, hashlib.sha256).hexdigest()
    assert arrived.headers["X-Hub-Signature-256"] == f"sha256={expected}"
