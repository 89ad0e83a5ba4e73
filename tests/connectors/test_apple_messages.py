"""Apple's messages beside interactive answers: texts, links, facts about the device, and types that are not known."""

from typing import Any

import pytest

from connectors import Delivery, Message, Unknown

from .accounts import BUSINESS_ID, NOW, apple

PHOTO = {
    "mimeType": "image/jpeg",
    "owner": "M3a",
    "url": "https://p54-content.icloud.com/M1",
    "signature-base64": "gQABAgMEBQYHCAkKCwwNDg8QERIT",
    "key": "00" + "8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a",
}


def parsed(headers: dict[str, str] | None = None, **fields: Any) -> Any:
    usual = {"v": 1, "id": "m-1", "type": "text", "sourceId": "urn:mbid:AQAAY"}
    content = {**usual, "destinationId": BUSINESS_ID, **fields}
    (event,) = apple().parse(Delivery(content, headers or {}, {}, NOW))
    return event


def test_the_language_and_abilities_of_the_device_are_kept() -> None:
    event = parsed({"capability-list": "QUICK,LIST,TIME", "device-agent": "iPhone OS"}, body="Hi", locale="de_DE")  # fmt: skip
    assert event.extra == {
        "locale": "de_DE",
        "capability-list": "QUICK,LIST,TIME",
        "device-agent": "iPhone OS",
    }


def test_the_headers_about_the_device_are_kept_by_the_gateway() -> None:
    assert {"capability-list", "capabilities", "device-agent"} <= apple().keeps


def test_group_and_intent_are_the_referral() -> None:
    event = parsed(body="Hi", group="tier2", intent="support", locale="de_DE")
    assert event.referral == {"group": "tier2", "intent": "support"}
    assert event.extra == {"locale": "de_DE"}


def test_a_link_is_its_title_and_address() -> None:
    link = {"title": "Blue mug", "url": "https://example.com/7", "assets": {"image": "A" * 99}}
    event = parsed(type="richLink", richLinkData=link)
    assert event.text == "Blue mug\nhttps://example.com/7"
    assert event.extra == {"richLinkData": {"title": "Blue mug", "url": "https://example.com/7"}}


def test_an_unknown_type_with_content_is_a_message() -> None:
    event = parsed(type="sticker", body="\ufffc", attachments=[PHOTO])
    assert isinstance(event, Message)
    assert [one.kind for one in event.attachments] == ["photo"]
    assert event.extra == {"type": "sticker"}


def test_an_unknown_type_without_content_is_unknown() -> None:
    event = parsed(type="hologram", x=1)
    assert isinstance(event, Unknown)
    assert event.raw["x"] == 1


@pytest.mark.parametrize("odd", [7, True, ["x"], {"x": 1}, None])
def test_a_body_that_is_not_text_costs_no_photo(odd: Any) -> None:
    assert [one.kind for one in parsed(body=odd, attachments=[PHOTO]).attachments] == ["photo"]


def test_one_bad_attachment_costs_no_other() -> None:
    event = parsed(body="see", attachments=["x", PHOTO, None, {}])
    assert event.text == "see"
    assert "photo" in [one.kind for one in event.attachments]
    assert len(event.attachments) == 4


@pytest.mark.parametrize("text", ["hello \ufffd", "\ufffd"])
def test_replaced_characters_are_kept(text: str) -> None:
    event = parsed(body=text, attachments=[{**PHOTO, "name": text}], locale=text)
    assert event.text == text
    assert event.attachments[0].media.name == text


def test_half_a_character_costs_no_exception() -> None:
    assert parsed(body="hello \ud83d").id
