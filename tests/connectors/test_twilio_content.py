"""What consumers say through Twilio: answers of forms, tapped buttons, files, places, and types that are not known."""

import json
from typing import Any

import pytest

from connectors import Attachment, Unknown

from .forms import MEDIA, form, message, parsed

PAGES = {"name": "csat", "pages": [{"items": [{"label": "Rating", "value": "Poor"}]}]}


def answered(data: Any, **fields: str) -> Any:
    return message(MessageType="interactive", InteractiveData=json.dumps(data), **fields)


def test_answers_of_a_form_are_shown_in_words() -> None:
    event = answered(PAGES)
    assert event.text == "Rating: Poor"
    assert event.attachments == ()
    assert json.loads(event.choice) == PAGES
    assert event.extra == {"InteractiveData": PAGES}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {
                "pages": [
                    {"title": "You", "items": [{"label": "Name", "value": "Ann"}]},
                    {"items": [{"label": "Sizes", "value": ["S", "M"]}, {"label": "Note"}]},
                ]
            },
            "Name: Ann\nSizes: S, M",
        ),
        ({"items": [{"title": "Call me", "value": True}]}, "Call me: yes"),
        ({"items": [{"name": "age", "value": 41}]}, "age: 41"),
        ({"items": [{"label": "Slot", "value": {"id": "7", "title": "Ten"}}]}, "Slot: Ten"),
        ({"items": [{"question": "Why", "answers": [{"title": "Late"}]}]}, "Why: Late"),
        ({"flows": [{"name": "f", "pages": PAGES["pages"]}]}, "Rating: Poor"),
        ([{"label": "Rating", "value": "Poor"}], "Rating: Poor"),
        ({"rating": "Poor", "flow_token": "t-1"}, "rating: Poor"),
        ({"name": "flow", "response_json": '{"rating": "Poor"}'}, "rating: Poor"),
        (
            {"screen_0_Rating_0": "Poor", "screen_1_Any_words_1": "No"},
            "Rating: Poor\nAny words: No",
        ),
        ({"name": "Ann", "colours": ["red", "blue"]}, "colours: red, blue"),
    ],
)
def test_answers_of_other_shapes_are_shown_in_words(data: Any, words: str) -> None:
    assert answered(data).text == words


@pytest.mark.parametrize("data", ["", "not json", "{", "[]", "{}", '"x"', '{"pages": []}', "7"])
def test_answers_that_cannot_be_read_are_unsupported(data: str) -> None:
    event = message(MessageType="interactive", InteractiveData=data)
    assert event.text is None
    assert event.attachments == (Attachment("unsupported", details={"type": "interactive"}),)
    assert (event.extra or {}).keys() == ({"InteractiveData"} if data else set())


def test_answers_nested_too_deep_are_unsupported() -> None:
    event = message(MessageType="interactive", InteractiveData="[" * 900 + "]" * 900)
    assert [one.kind for one in event.attachments] == ["unsupported"]


def test_answers_follow_the_body() -> None:
    assert answered(PAGES, Body="Sent").text == "Sent\nRating: Poor"


def test_a_button_is_its_text_and_its_payload() -> None:
    event = message(ButtonText="Yes", ButtonPayload="yes-1", MessageType="button")
    assert (event.text, event.choice) == ("Yes", "yes-1")
    assert message(Body="Yes", ButtonText="Yes").text == "Yes"


def test_a_list_row_is_its_title_and_description() -> None:
    row = {"ListId": "slot-2", "ListTitle": "At ten", "ListDescription": "Room 2"}
    for body in ("", "At ten"):
        event = message(Body=body, MessageType="interactive", **row)
        assert (event.text, event.choice) == ("At ten\nRoom 2", "slot-2")


@pytest.mark.parametrize("type", ["order", "poll", "system", "hologram"])
def test_an_unknown_type_is_unsupported_with_all_fields(type: str) -> None:
    event = message(MessageType=type, CatalogId="c-1")
    assert event.attachments == (Attachment("unsupported", details={"type": type}),)
    assert event.extra == {"MessageType": type, "CatalogId": "c-1"}


def test_an_unknown_type_with_words_shows_them() -> None:
    event = message(MessageType="hologram", Body="look")
    assert (event.text, event.attachments) == ("look", ())
    assert event.extra == {"MessageType": "hologram"}


def test_an_order_is_shown_in_words() -> None:
    order = {"items": [{"name": "Blue mug", "value": "2"}], "catalog_id": "c-1"}
    event = message(MessageType="order", Order=json.dumps(order))
    assert event.text == "Blue mug: 2"
    assert event.extra == {"MessageType": "order", "Order": order}


def test_descriptions_of_the_channel_are_not_words() -> None:
    channel = json.dumps({"type": "whatsapp", "data": {"context": {"title": "x", "value": "y"}}})
    event = message(Body="hello", ChannelMetadata=channel)
    assert event.text == "hello"
    assert event.extra == {"ChannelMetadata": json.loads(channel)}
    assert message(Body="hello", ChannelMetadata='{"type": "rcs"}').extra is None


def test_new_fields_of_a_text_are_only_for_the_core() -> None:
    event = message(Body="hello", RiskCheck='{"score": 3}')
    assert (event.text, event.choice) == ("hello", None)
    assert event.extra == {"RiskCheck": {"score": 3}}


def test_a_location_without_coordinates_is_shown_in_words() -> None:
    event = message(MessageType="location", Label="Gate", Address="Pariser Platz", Latitude="")
    assert event.text == "Gate\nPariser Platz"


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [{}, {"MediaUrl0": ""}])
def test_a_file_without_its_url_is_gone(url: dict[str, str]) -> None:
    event = message(NumMedia="1", **url)
    assert event.attachments == (Attachment("document", refused="gone"),)


def test_a_lost_file_keeps_its_declared_kind() -> None:
    event = message(NumMedia="2", MediaUrl0=f"{MEDIA}1", MediaContentType0="image/jpeg", MediaContentType1="video/mp4")  # fmt: skip
    assert [one.kind for one in event.attachments] == ["photo", "video"]
    assert [one.refused for one in event.attachments] == [None, "gone"]


@pytest.mark.parametrize("count", ["", "-1", "abc", "0", "00", "²", "1.5"])
def test_a_count_that_says_nothing_adds_no_files(count: str) -> None:
    event = message(Body="hi", NumMedia=count)
    assert (event.text, event.attachments) == ("hi", ())


@pytest.mark.parametrize("count", ["11", "1000000", "9" * 5000])
def test_an_absurd_count_is_one_lost_file(count: str) -> None:
    assert len(message(NumMedia=count).attachments) == 1


@pytest.mark.parametrize("type", ["application/smil", "APPLICATION/SMIL; charset=utf-8"])
def test_a_layout_beside_a_photo_is_left_out(type: str) -> None:
    files = {"MediaUrl0": f"{MEDIA}0", "MediaContentType0": type}
    photo = {"MediaUrl1": f"{MEDIA}1", "MediaContentType1": "image/jpeg"}
    card = {"MediaUrl2": f"{MEDIA}2", "MediaContentType2": "text/x-vcard"}
    event = message(NumMedia="3", **files, **photo, **card)
    assert [one.kind for one in event.attachments] == ["photo", "contact"]
    assert message(NumMedia="1", Body="words", **files).attachments == ()


# Deliveries of Twilio's other products ------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "product"),
    [
        ({"EventType": "onMessageAdded", "ConversationSid": "CH1", "ChatServiceSid": "IS1"}, "Twilio Conversations"),
        ({"EventType": "onMessageAdded", "MessageSid": "IM1", "ConversationSid": "CH1"}, "Twilio Conversations"),
        ({"EventType": "onConversationAdded", "ChatServiceSid": "IS1"}, "Twilio Conversations"),
        ({"EventType": "onMessageSent", "ChannelSid": "CH1"}, "Twilio Programmable Chat"),
        ({"CallSid": "CA1", "From": "+1555", "To": "+1556", "CallStatus": "ringing"}, "Twilio Voice"),
    ],
)  # fmt: skip
def test_another_products_delivery_is_unknown_and_named(
    fields: dict[str, str], product: str
) -> None:
    (event,) = parsed({"AccountSid": form()["AccountSid"], **fields})
    assert isinstance(event, Unknown)
    assert product in event.reason
    assert "set it on the number" in event.reason
    assert event.raw["AccountSid"] == form()["AccountSid"]


# Characters that are not valid ---------------------------------------------------------------------


@pytest.mark.parametrize("text", ["hello \ufffd", "\ufffd", "a\x00b"])
def test_replaced_characters_are_kept_in_words(text: str) -> None:
    assert message(Body=text, ProfileName=text).text == text


def test_half_a_character_costs_no_exception() -> None:
    assert len(parsed(form(Body="hello \ud83d"))) == 1
