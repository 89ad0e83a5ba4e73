"""WhatsApp: agents see what a consumer said in words, or that something could not be shown."""

import json
from typing import Any

import pytest

from normalizer.events import Attachment, Message

from .whatsapp_deliveries import interactive, received

ITEM = {"product_retailer_id": "SKU-7", "quantity": 2, "item_price": 9.5, "currency": "EUR"}


def answered(answers: Any, **more: Any) -> Any:
    response = answers if isinstance(answers, str) else json.dumps(answers)
    return interactive("nfm_reply", {"name": "flow", "response_json": response, **more})


# Orders


def test_an_order_arrives_in_words_and_as_data() -> None:
    order = {"catalog_id": "77", "text": "", "product_items": [ITEM]}
    event = received("order", order)
    assert (event.text, event.attachments) == ("2 x SKU-7, 9.50 EUR each\nTotal: 19 EUR", ())
    assert event.extra == {"order": order}


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([{**ITEM, "quantity": 1}], "1 x SKU-7, 9.50 EUR each"),
        ([{**ITEM, "quantity": "10", "item_price": "3"}], "10 x SKU-7, 3 EUR each\nTotal: 30 EUR"),
        ([{**ITEM, "item_price": None}], "2 x SKU-7"),
        ([ITEM, {**ITEM, "currency": "USD"}], "2 x SKU-7, 9.50 EUR each\n2 x SKU-7, 9.50 USD each"),
        ([ITEM, "?"], "2 x SKU-7, 9.50 EUR each"),
        ([{"item_price": 4, "currency": "EUR"}], "unnamed product, 4 EUR each"),
        ([{**ITEM, "quantity": 10**15, "item_price": "NaN"}], "SKU-7"),
    ],
)
def test_an_order_lists_what_its_items_say(items: list[Any], text: str) -> None:
    assert received("order", {"product_items": items}).text == text


def test_an_orders_own_text_follows_its_items() -> None:
    assert received("order", {"product_items": [ITEM], "text": "by Friday"}).text.endswith(
        "Total: 19 EUR\nby Friday"
    )


def test_an_empty_order_could_not_be_shown() -> None:
    event = received("order", {"catalog_id": "77"})
    assert [one.kind for one in event.attachments] == ["unsupported"]
    assert event.extra == {"order": {"catalog_id": "77"}}


# Buttons and lists


def test_a_list_answer_has_title_and_description() -> None:
    event = interactive("list_reply", {"id": "r1", "title": "Tuesday", "description": "9 to 11"})
    assert (event.text, event.choice) == ("Tuesday\n9 to 11", "r1")


@pytest.mark.parametrize("type", ["button_reply", "list_reply"])
def test_an_answer_without_a_title_never_shows_its_id(type: str) -> None:
    event = interactive(type, {"id": "r1"})
    assert (event.text, event.choice) == (None, "r1")
    assert [one.kind for one in event.attachments] == ["unsupported"]


def test_a_template_button_without_text_could_not_be_shown() -> None:
    event = received("button", {"payload": "yes-1"})
    assert (event.text, event.choice) == (None, "yes-1")
    assert [one.kind for one in event.attachments] == ["unsupported"]


def test_an_unknown_interactive_answer_has_its_words_and_data() -> None:
    event = interactive("slot_reply", {"id": "s1", "title": "Monday", "note": {"text": "at noon"}})
    assert (event.text, event.choice) == ("Monday\nat noon", "s1")
    assert event.attachments == (Attachment("unsupported", details={"type": "slot_reply"}),)
    assert event.extra["interactive"]["slot_reply"]["id"] == "s1"


# Forms


def test_a_forms_answers_are_lines_and_data() -> None:
    event = answered({"size": "M", "flow_token": "t-1", "delivery_time": "evening"}, body="Sent")
    assert event.text == "Size: M\nDelivery time: evening"
    assert event.extra["answers"] == {
        "size": "M",
        "flow_token": "t-1",
        "delivery_time": "evening",
    }


def test_names_from_metas_form_builder_become_labels() -> None:
    event = answered({"screen_0_Purchase_experience_0": "0_Very_good", "screen_1_Note_1": "5 a_b"})
    assert event.text == "Purchase experience: Very good\nNote: 5 a_b"


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (True, "Value: yes"),
        (4.5, "Value: 4.5"),
        (["a", "b"], "Value: a, b"),
        ([{"id": "1", "title": "Red"}], "Value: Red"),
        ({"street": "Main Street 1"}, "Street: Main Street 1"),
    ],
)
def test_an_answer_of_any_shape_has_a_line(answer: Any, line: str) -> None:
    assert answered({"value": answer}).text == line


def test_an_address_keeps_the_forms_own_words() -> None:
    values = {"name": "Ann", "city": "Vienna", "floor": "3rd"}
    event = answered({"saved_address_id": "a-1", "values": values}, body="Ann\nVienna")
    assert event.text == "Ann\nVienna\nFloor: 3rd"


def test_a_photo_in_a_form_is_an_attachment() -> None:
    photo = {"id": 7911, "mime_type": "image/jpeg", "sha256": "ab", "file_name": "IMG_1.jpg"}
    event = answered({"photos": [photo], "note": "the dent"})
    (attachment,) = event.attachments
    assert (event.text, attachment.kind) == ("Note: the dent", "photo")
    assert attachment.media.locator["id"] == "7911"
    assert (attachment.media.media_type, attachment.media.name) == ("image/jpeg", "IMG_1.jpg")


@pytest.mark.parametrize("response", ["{", "[1]", "5", "{}", '{"flow_token":"t-1"}'])
def test_a_form_without_answers_is_never_shown_as_json(response: str) -> None:
    event = answered(response)
    assert event.text is None
    assert [one.kind for one in event.attachments] == ["unsupported"]
    assert event.choice == response


# Texts, files, places, contacts


@pytest.mark.parametrize(
    "text",
    [{"body": ""}, {"body": " \n\t"}, {}, {"body": None}, {"body": 5}, " ", "\u200b\u2800", None],
)
def test_a_blank_text_could_not_be_shown(text: Any) -> None:
    event = received("text", text)
    assert isinstance(event, Message)
    assert event.text is None
    assert [one.kind for one in event.attachments] == ["unsupported"]


@pytest.mark.parametrize("file", [{}, {"id": None}, {"id": " "}, {"id": {}}, "?", None])
def test_a_photo_without_an_id_is_gone_but_announced(file: Any) -> None:
    assert received("image", file).attachments == (Attachment("photo", refused="gone"),)


def test_a_files_wrong_fields_cost_nothing_else() -> None:
    event = received("image", {"id": "1", "mime_type": 5, "sha256": [], "caption": {"a": 1}})
    (attachment,) = event.attachments
    assert (event.text, attachment.media.locator["id"]) == (None, "1")
    assert (attachment.media.media_type, attachment.media.sha256) == (None, None)


def test_a_lost_file_keeps_its_reference_and_metas_words() -> None:
    error = {"code": 131052, "title": "Download error", "error_data": {"details": "over 100 MB"}}
    (attachment,) = received("video", {"id": "9"}, errors=[error]).attachments
    assert (attachment.refused, attachment.code) == ("gone", "131052")
    assert attachment.detail == "Download error / over 100 MB"
    assert attachment.media.locator["id"] == "9"


def test_a_photo_that_meta_could_not_read_has_its_words() -> None:
    errors = [{"code": 131053, "title": "Upload error"}]
    (attachment,) = received("image", {}, errors=errors).attachments
    assert (attachment.refused, attachment.code) == ("gone", "131053")
    assert attachment.detail == "Upload error"


def test_a_photo_of_unknown_type_is_known_by_its_name() -> None:
    file = {"id": "1", "mime_type": "application/octet-stream", "filename": "IMG_1.HEIC"}
    assert received("document", file).attachments[0].kind == "photo"


def test_a_live_location_is_a_location_with_its_caption() -> None:
    at = {"latitude": 48.2, "longitude": 16.3, "accuracy": 12, "caption": "on my way"}
    event = received("live_location", at)
    (attachment,) = event.attachments
    assert (attachment.kind, event.text) == ("location", "on my way")
    assert event.extra == {"location": at}


@pytest.mark.parametrize("at", [{"latitude": "x"}, {"latitude": 91, "longitude": 0}, {}])
def test_a_location_without_coordinates_has_its_words(at: dict[str, Any]) -> None:
    event = received("location", {**at, "name": "Cathedral", "address": "Square 1"})
    assert event.text == "Cathedral\nSquare 1"
    assert [one.kind for one in event.attachments] == ["unsupported"]


def test_damaged_contact_cards_cost_only_themselves() -> None:
    card = {"name": {"formatted_name": "Ben"}}
    (attachment,) = received("contacts", [None, card, "?", {}]).attachments
    assert attachment.details == {"cards": [card]}
    assert received("contacts", []).attachments[0].kind == "unsupported"


# Unsupported and unknown types


def test_an_unsupported_message_has_metas_code_and_words() -> None:
    error = {"code": 131051, "title": "Unknown", "error_data": {"details": "Not supported."}}
    event = received("unsupported", {"type": "poll"}, errors=[error])
    (attachment,) = event.attachments
    assert attachment.details == {"type": "poll"}
    assert (attachment.code, attachment.detail) == ("131051", "Unknown / Not supported.")
    assert event.extra == {"unsupported": {"type": "poll"}, "errors": [error]}


def test_a_poll_shows_its_words() -> None:
    options = [{"id": "o1", "option_name": "Red"}, {"id": "o2", "option_name": "Blue"}]
    event = received("poll", {"id": "p1", "name": "Which one?", "options": options})
    assert event.text == "Which one?\nRed\nBlue"
    assert event.attachments == (Attachment("unsupported", details={"type": "poll"}),)
    assert event.extra == {"poll": {"id": "p1", "name": "Which one?", "options": options}}


def test_an_unknown_type_without_words_shows_a_line() -> None:
    event = received("hologram", {"id": "h1", "url": "https://example.com"})
    assert (event.text, event.id, event.party.name) == (None, "wamid.M1=", "Ann")
    assert [one.kind for one in event.attachments] == ["unsupported"]


def test_the_words_of_an_ad_are_not_the_consumers() -> None:
    referral = {"headline": "Sale", "body": "Half price", "source_id": "1"}
    event = received("hologram", {"id": "h1"}, referral=referral)
    assert (event.text, event.referral) == (None, referral)
    assert event.extra == {"hologram": {"id": "h1"}}


def test_a_question_about_a_product_names_the_product() -> None:
    product = {"catalog_id": "c", "product_retailer_id": "SKU-7"}
    ad = {"source_id": "1"}
    context = {"referred_product": product}
    event = received("text", {"body": "Is it blue?"}, context=context, referral=ad)
    assert (event.text, event.referral) == ("Is it blue?", ad)
    assert event.extra == {"referred_product": product}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"response": "accept", "is_permanent": True}, "The consumer allows calls permanently."),
        ({"response": "accept"}, "The consumer allows calls."),
        ({"response": "reject"}, "The consumer does not allow calls."),
        ({}, "The consumer answered the request for calls."),
    ],
)
def test_an_answer_about_calls_is_in_words(answer: dict[str, Any], text: str) -> None:
    event = interactive("call_permission_reply", answer)
    assert (event.type, event.text, event.opens_window) == ("notice", text, True)


def test_an_automatic_permission_opens_no_window() -> None:
    answer = {"response": "accept", "response_source": "automatic"}
    assert interactive("call_permission_reply", answer).opens_window is False


def test_the_first_opening_of_a_chat_is_a_line() -> None:
    event = received("request_welcome")
    assert event.text == "The consumer opened the chat for the first time."
    assert event.opens_window
