"""The emulated Messenger delivers, serves and accepts what its documentation says."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator import Messenger, Sample, document, still, video, voice
from simulator.exchange import Action
from simulator.messenger import messages
from tests.simulator.messenger_calls import OK, PHOTO, bearer, delivered_url, events, sent
from tests.simulator.webhook import BEN, MIA, Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage[Messenger]]:
    async with staged(Messenger) as started:
        yield started


# Names.


async def test_a_name_is_revealed_once_the_consumer_wrote(stage: Stage[Messenger]) -> None:
    url = f"{stage.platform.api_url}/{MIA.id}"
    refused = await stage.http.get(url, headers=bearer(stage))
    assert (refused.status_code, refused.json()["error"]["error_subcode"]) == (400, 33)
    await stage.platform.send(MIA, "hello")
    answer = await stage.http.get(url, headers=bearer(stage), params={"fields": "name"})
    assert answer.json()["name"] == MIA.name


# Deliveries.


async def test_a_text_is_delivered_signed_over_its_bytes(stage: Stage[Messenger]) -> None:
    (answer,) = await stage.platform.send(MIA, "Grüße 📦")
    (arrived,) = stage.webhook.arrived
    expected = hmac.new(stage.platform.secret.encode(), arrived.body, hashlib.sha256).hexdigest()
    assert arrived.headers["X-Hub-Signature-256"] == f"sha256={expected}"
    (event,) = events(stage)
    assert event["sender"] == {"id": MIA.id}
    assert event["recipient"] == {"id": stage.platform.page_id}
    assert event["timestamp"] > 10**12
    assert event["message"] == {"mid": answer.ids[0], "text": "Grüße 📦"}


@pytest.mark.parametrize(
    ("sample", "type"),
    [
        (PHOTO, "image"),
        (still("GIF"), "image"),
        (video(seconds=0.4), "video"),
        (voice(0.2), "audio"),
        (document(), "file"),
    ],
    ids=["photo", "gif", "video", "voice", "document"],
)
async def test_a_file_has_its_attachment_type(
    stage: Stage[Messenger], sample: Sample, type: str
) -> None:
    await stage.platform.send(MIA, files=[sample])
    (attachment,) = events(stage)[0]["message"]["attachments"]
    assert (attachment["type"], set(attachment["payload"])) == (type, {"url"})


async def test_several_photos_are_one_message(stage: Stage[Messenger]) -> None:
    await stage.platform.send(MIA, files=[PHOTO, PHOTO, PHOTO])
    (event,) = events(stage)
    urls = {a["payload"]["url"] for a in event["message"]["attachments"]}
    assert len(urls) == 3


async def test_text_and_files_can_be_two_messages(stage: Stage[Messenger]) -> None:
    stage.platform.splits_text_and_files = True
    (answer,) = await stage.platform.send(MIA, "look", [PHOTO])
    first, second = events(stage)
    assert "text" not in first["message"]
    assert second["message"]["text"] == "look"
    assert answer.ids == (first["message"]["mid"], second["message"]["mid"])


KINDS: dict[str, tuple[messages.Event, str]] = {
    "postback": (messages.postback("m_1", "Get started"), "postback"),
    "reaction": (messages.reaction("m_1", "👍"), "reaction"),
    "reaction taken back": (messages.reaction("m_1", "👍", removed=True), "reaction"),
    "edit": (messages.edit("m_1", "better"), "message_edit"),
    "unsend": (messages.unsend("m_1"), "message"),
    "quick reply": (messages.quick_reply("Yes"), "message"),
    "reply": (messages.reply("m_1", "yes"), "message"),
    "referral": (messages.referral("poster"), "referral"),
    "location": ({"message": {"attachments": [messages.location(52.5, 13.4)]}}, "message"),
    "link": ({"message": {"attachments": [messages.link("https://example.com", "A")]}}, "message"),
    "sticker": (
        {"message": {"attachments": [messages.sticker("https://example.com/s", 1)]}},
        "message",
    ),
}


@pytest.mark.parametrize("name", KINDS)
async def test_every_kind_of_event_is_delivered_under_its_name(
    stage: Stage[Messenger], name: str
) -> None:
    content, key = KINDS[name]
    assert (await stage.platform.say(MIA, content)).status == 200
    (event,) = events(stage)
    assert set(event) == {"sender", "recipient", "timestamp", key}
    assert content[key].items() <= event[key].items()


async def test_one_delivery_holds_several_pages_and_consumers(stage: Stage[Messenger]) -> None:
    platform = stage.platform
    both = [
        platform.said(MIA, {"text": "one"}),
        platform.event(BEN, page_id="222", message={"mid": "m_2", "text": "two"}),
    ]
    await platform.deliver(both)
    entries = stage.webhook.arrived[0].content["entry"]
    assert [entry["id"] for entry in entries] == [platform.page_id, "222"]


async def test_one_delivery_can_hold_a_message_twice(stage: Stage[Messenger]) -> None:
    event = stage.platform.said(MIA, {"text": "twice"})
    (answer,) = await stage.platform.deliver([event, event])
    assert len(answer.ids) == 2
    assert len(set(answer.ids)) == 1


async def test_an_event_can_be_delivered_as_standby(stage: Stage[Messenger]) -> None:
    await stage.platform.deliver([stage.platform.said(MIA, {"text": "hi"})], key="standby")
    (entry,) = stage.webhook.arrived[0].content["entry"]
    assert "messaging" not in entry
    assert entry["standby"][0]["message"]["text"] == "hi"


async def test_an_echo_has_the_page_as_its_sender(stage: Stage[Messenger]) -> None:
    await stage.platform.echo(MIA.id, "from the inbox")
    (entry,) = stage.webhook.arrived[0].content["entry"]
    (event,) = entry["messaging"]
    assert entry["id"] == event["sender"]["id"] == stage.platform.page_id
    assert event["recipient"]["id"] == MIA.id
    assert event["message"]["is_echo"] is True


# Media.


async def test_a_photo_is_fetched_without_token(stage: Stage[Messenger]) -> None:
    url = await delivered_url(stage)
    assert not url.startswith(stage.platform.origin)
    assert (await stage.http.get(url)).content == PHOTO.content
    assert stage.platform.leaks == []


async def test_a_token_sent_to_the_cdn_is_a_leak(
    stage: Stage[Messenger],
) -> None:
    await stage.http.get(await delivered_url(stage), headers=bearer(stage))
    assert [header for _, header in stage.platform.leaks] == ["authorization"]


async def test_a_url_expires_when_it_says(stage: Stage[Messenger]) -> None:
    url = await delivered_url(stage)
    (expiry,) = parse_qs(urlsplit(url).query)["oe"]
    left = int(expiry, 16) - stage.platform.now()
    assert 24 * 3600 < left < 48 * 3600
    stage.platform.age(left - 60)
    assert (await stage.http.get(url)).status_code == 200
    stage.platform.age(120)
    answer = await stage.http.get(url)
    assert (answer.status_code, answer.text) == (403, "URL signature expired")


async def test_the_expiry_in_a_url_cannot_be_changed(stage: Stage[Messenger]) -> None:
    url = await delivered_url(stage)
    assert (await stage.http.get(f"{url.rpartition('oe=')[0]}oe=7FFFFFFF")).status_code == 403


async def test_a_message_can_be_looked_up_for_new_urls(stage: Stage[Messenger]) -> None:
    old = await delivered_url(stage)
    stage.platform.age(72 * 3600)
    assert (await stage.http.get(old)).status_code == 403
    mid = events(stage)[0]["message"]["mid"]
    url = f"{stage.platform.api_url}/{mid}?fields=attachments"
    (fresh,) = (await stage.http.get(url, headers=bearer(stage))).json()["attachments"]["data"]
    assert fresh["size"] == len(PHOTO.content)
    assert (await stage.http.get(fresh["image_data"]["url"])).content == PHOTO.content


async def test_a_file_name_is_quoted_in_the_url(stage: Stage[Messenger]) -> None:
    odd = Sample("../a b?c#d%2F.jpg", "image/jpeg", b"odd")
    assert (await stage.http.get(await delivered_url(stage, odd))).content == b"odd"


async def test_the_page_can_be_looked_up(stage: Stage[Messenger]) -> None:
    url = f"{stage.platform.api_url}/{stage.platform.page_id}?fields=name"
    assert (await stage.http.get(url, headers=bearer(stage))).json()["name"] == "Example Appliances"
    answer = await stage.http.get(url, headers={"authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 190)


# Texts.


async def test_a_text_is_accepted_and_gets_an_id(stage: Stage[Messenger]) -> None:
    answer = await sent(stage, OK)
    (text,) = stage.platform.sent
    assert answer.json() == {"recipient_id": MIA.id, "message_id": text.id}
    assert (text.to, text.text) == (MIA.id, "Hi")


BAD: dict[str, tuple[dict[str, Any], int, int | None]] = {
    "no type": ({"messaging_type": None}, 100, None),
    "a strange key": ({"colour": "red"}, 100, None),
    "no recipient": ({"recipient": {}}, 100, None),
    "a stranger": ({"recipient": {"id": "999"}}, 100, 2018001),
    "an empty text": ({"message": {"text": ""}}, 100, None),
    "a text that is too long": ({"message": {"text": "x" * 2001}}, 100, None),
    "metadata that is too long": ({"message": {"text": "x", "metadata": "x" * 1001}}, 100, None),
    "an action beside a text": ({"sender_action": "typing_on"}, 100, None),
    "a tag without its type": ({"tag": "HUMAN_AGENT"}, 100, None),
    "a type without its tag": ({"messaging_type": "MESSAGE_TAG"}, 100, None),
    "a retired tag": (
        {"messaging_type": "MESSAGE_TAG", "tag": "ACCOUNT_UPDATE"},
        100,
        1893061,
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_text_gets_the_platforms_error(stage: Stage[Messenger], name: str) -> None:
    change, code, subcode = BAD[name]
    answer = await sent(stage, {**OK, **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error.get("error_subcode")) == (400, code, subcode)
    assert stage.platform.sent == []


async def test_the_longest_text_is_accepted(stage: Stage[Messenger]) -> None:
    assert (await sent(stage, {**OK, "message": {"text": "x" * 2000}})).status_code == 200


@pytest.mark.parametrize("action", ["typing_on", "typing_off", "mark_seen"])
async def test_a_sender_action_is_accepted(stage: Stage[Messenger], action: str) -> None:
    answer = await sent(stage, {"recipient": {"id": MIA.id}, "sender_action": action})
    assert answer.json() == {"recipient_id": MIA.id}
    assert stage.platform.actions == [Action(action, MIA.id)]


async def test_only_a_human_agent_may_write_outside_the_window(stage: Stage[Messenger]) -> None:
    stage.platform.out_of_reach.add(MIA.id)
    error = (await sent(stage, OK)).json()["error"]
    assert (error["code"], error["error_subcode"]) == (10, 2018278)
    tagged = {**OK, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert (await sent(stage, tagged)).status_code == 200


async def test_the_human_agent_tag_fails_without_permission(stage: Stage[Messenger]) -> None:
    stage.platform.human_agent_allowed = False
    tagged = {**OK, "messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    assert (await sent(stage, tagged)).json()["error"]["code"] == 100


async def test_queued_errors_answer_the_next_texts(stage: Stage[Messenger]) -> None:
    stage.platform.refuse_next(551)
    stage.platform.refuse_next(1200)
    assert (await sent(stage, OK)).json()["error"]["code"] == 551
    answer = await sent(stage, OK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, 1200)
    assert (await sent(stage, OK)).status_code == 200


async def test_receipts_are_sent_as_watermarks(stage: Stage[Messenger]) -> None:
    stage.platform.receipts = ("delivered", "read")
    await sent(stage, OK)
    await stage.platform.until_receipts_sent()
    receipts = [json.loads(a.body)["entry"][0]["messaging"][0] for a in stage.webhook.arrived]
    assert [set(r) - {"sender", "recipient", "timestamp"} for r in receipts] == [
        {"delivery"},
        {"read"},
    ]
    assert receipts[0]["delivery"]["mids"] == [stage.platform.sent[0].id]
    assert receipts[0]["delivery"]["watermark"] <= receipts[1]["read"]["watermark"]
    assert "mids" not in receipts[1]["read"]


async def test_an_echo_can_arrive_before_the_answer(
    stage: Stage[Messenger],
) -> None:
    stage.platform.receipts, stage.platform.receipts_first = ("echo",), True
    answer = await sent(stage, {**OK, "message": {"text": "Hi", "metadata": "ours-1"}})
    (event,) = events(stage)
    assert event["message"]["mid"] == answer.json()["message_id"]
    assert event["message"]["metadata"] == "ours-1"
    assert event["message"]["app_id"] == stage.platform.app_id
