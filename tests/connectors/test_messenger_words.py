"""Messenger: shared products, posts and templates become words for agents and data for the core."""

from typing import Any

import pytest

from connectors import Message

from .messenger_items import echoed, item, read, said, shared

PRODUCT = {
    "id": "101",
    "retailer_id": "SKU-7",
    "title": "Blue mug",
    "subtitle": "EUR 9,90",
    "image_url": "https://scontent.xx.fbcdn.net/v/mug.jpg",
}


def template(**payload: Any) -> dict[str, Any]:
    return {"type": "template", "payload": payload}


def test_a_product_question_names_product_and_price() -> None:
    card = template(product={"elements": [PRODUCT]})
    message = said(text="Is it dishwasher-safe?", attachments=[card])
    assert message.text == "Is it dishwasher-safe?\nBlue mug\nEUR 9,90"
    assert message.attachments == ()
    assert message.extra == {"attachments": [card]}


def test_several_products_are_all_named() -> None:
    other = PRODUCT | {"id": "102", "title": "Red mug", "subtitle": "EUR 8,90"}
    message = shared(template(product={"elements": [PRODUCT, other]}))
    assert message.text == "Blue mug\nEUR 9,90\nRed mug\nEUR 8,90"


def test_a_product_in_a_list_of_one_is_named() -> None:
    message = shared(template(product=[{"elements": PRODUCT}]))
    assert message.text == "Blue mug\nEUR 9,90"


def test_a_product_by_id_only_is_unsupported_with_its_id() -> None:
    card = template(product={"elements": [{"id": "101"}]})
    message = shared(card)
    assert (message.text, [one.kind for one in message.attachments]) == (None, ["unsupported"])
    assert message.extra == {"attachments": [card]}


BUTTONS = [
    {"type": "web_url", "title": "Shop", "url": "https://shop.example/mug"},
    {"type": "postback", "title": "Ask", "payload": "ASK"},
    {"type": "phone_number", "title": "Call", "payload": "+15550001111"},
]
BUTTON_LINES = "Shop: https://shop.example/mug\nAsk\nCall: +15550001111"


@pytest.mark.parametrize(
    "message",
    [
        {"attachments": [template(template_type="button", text="How now?", buttons=BUTTONS)]},
        {"text": "How now?", "attachments": [template(template_type="button", buttons=BUTTONS)]},
        {
            "text": "How now?",
            "attachments": [template(template_type="button", text="How now?", buttons=BUTTONS)],
        },
        {"attachments": [{"type": "template", "title": "How now?", "buttons": BUTTONS}]},
        {"attachment": template(template_type="button", text="How now?", buttons=BUTTONS)},
        {"text": "How now?", "buttons": BUTTONS},
    ],
    ids=["payload", "text_outside", "text_twice", "in_the_card", "one_attachment", "no_card"],
)
def test_an_echo_of_a_button_template_carries_words_and_buttons(message: dict[str, Any]) -> None:
    echo = echoed(**message)
    assert echo.text == f"How now?\n{BUTTON_LINES}"
    assert echo.attachments == ()
    assert echo.extra is not None


TEMPLATES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "generic": (
        {
            "template_type": "generic",
            "elements": [
                {
                    "title": "Oak chair",
                    "subtitle": "In stock",
                    "default_action": {"type": "web_url", "url": "https://shop.example/chair"},
                    "buttons": BUTTONS[:1],
                },
                {"title": "Oak table", "buttons": None},
            ],
        },
        ["Oak chair", "In stock", "Shop: https://shop.example/mug", "Oak table"],
    ),
    "media": (
        {
            "template_type": "media",
            "elements": [
                {
                    "media_type": "video",
                    "url": "https://www.facebook.com/shop/videos/1",
                    "buttons": BUTTONS[1:2],
                }
            ],
        },
        ["https://www.facebook.com/shop/videos/1", "Ask"],
    ),
    "receipt": (
        {
            "template_type": "receipt",
            "recipient_name": "Ann Smith",
            "order_number": "12345",
            "currency": "EUR",
            "payment_method": "Visa 2345",
            "order_url": "https://shop.example/orders/12345",
            "address": {"street_1": "1 High Street", "city": "Ghent", "postal_code": "9000"},
            "summary": {"subtotal": 75, "shipping_cost": 4.95, "total_cost": 79.95},
            "adjustments": [{"name": "Coupon", "amount": 10}],
            "elements": [{"title": "Oak chair", "quantity": 2, "price": 50}],
        },
        [
            *("Order: 12345", "Recipient: Ann Smith", "Currency: EUR", "Payment: Visa 2345"),
            *("https://shop.example/orders/12345", "1 High Street", "9000", "Ghent"),
            *("Subtotal: 75", "Shipping: 4.95", "Total: 79.95", "Coupon", "Amount: 10"),
            *("Oak chair", "Quantity: 2", "Price: 50"),
        ],
    ),
    "coupon": (
        {"template_type": "coupon", "title": "10% off", "coupon_code": "TEN"},
        ["10% off", "Coupon: TEN"],
    ),
    "customer_feedback": (
        {
            "template_type": "customer_feedback",
            "title": "Rate us",
            "button_title": "Rate",
            "feedback_screens": [{"questions": [{"id": "q1", "title": "How was it?"}]}],
            "business_privacy": {"url": "https://shop.example/privacy"},
        },
        ["Rate us", "Rate", "How was it?"],
    ),
    "airline_boardingpass": (
        {
            "template_type": "airline_boardingpass",
            "intro_message": "You are checked in.",
            "boarding_pass": [
                {
                    "passenger_name": "SMITH/ANN",
                    "seat": "4A",
                    "auxiliary_fields": [{"label": "Terminal", "value": "T1"}],
                    "qr_code": "M1SMITH",
                    "logo_image_url": "https://air.example/logo.png",
                }
            ],
        },
        ["You are checked in.", "Passenger: SMITH/ANN", "Seat: 4A", "Terminal: T1"],
    ),
    "of_a_later_year": (
        {"template_type": "shelf", "shelves": [{"rows": [{"title": "Oak chair"}]}]},
        ["Oak chair"],
    ),
}


@pytest.mark.parametrize(("payload", "lines"), TEMPLATES.values(), ids=TEMPLATES)
def test_every_template_is_shown_in_words(payload: dict[str, Any], lines: list[str]) -> None:
    card = template(**payload)
    for event in (shared(card), echoed(attachments=[card])):
        assert (event.text or "").splitlines() == lines
        assert event.extra == {"attachments": [card]}


@pytest.mark.parametrize(
    ("type", "site"),
    [
        *(("ig_reel", "instagram"), ("ig_post", "instagram"), ("reel", "facebook")),
        *(("post", "facebook"), ("share", "facebook"), ("fallback", "facebook")),
    ],
)
def test_a_relative_address_becomes_absolute(type: str, site: str) -> None:
    message = shared({"type": type, "payload": {"url": "/reel/123/", "reel_video_id": 1}})
    address = f"https://www.{site}.com/reel/123/"
    assert message.text == address
    assert message.attachments == ()
    payload = {"url": address, "reel_video_id": 1}
    assert message.extra == {"attachments": [{"type": type, "payload": payload}]}


def test_an_address_without_a_scheme_gets_one() -> None:
    message = shared({"type": "post", "payload": {"url": "//www.facebook.com/p/1"}})
    assert message.text == "https://www.facebook.com/p/1"


def test_a_story_mention_shows_its_address() -> None:
    url = "https://www.instagram.com/stories/shop/1"
    assert shared({"type": "story_mention", "payload": {"url": url}}).text == url


def test_an_address_outside_the_web_is_data_only() -> None:
    card = {"type": "fallback", "title": "A file", "url": "My Documents/foo.doc"}
    message = shared(card)
    assert (message.text, message.extra) == ("A file", {"attachments": [card]})


def test_a_short_title_is_not_lost_in_a_longer_text() -> None:
    card = {"type": "fallback", "title": "mug", "url": "https://shop.example/mug"}
    message = said(text="the blue mug: https://shop.example/mug", attachments=[card])
    assert message.text == "the blue mug: https://shop.example/mug\nmug"


FEEDBACK = {
    "feedback_screens": [
        {
            "screen_id": 0,
            "questions": {
                "q1": {
                    "type": "csat",
                    "payload": "4",
                    "follow_up": {"type": "free_form", "payload": "Fast, but the box was torn"},
                }
            },
        }
    ]
}


def only_message(**content: Any) -> Message:
    (event,) = read(item(**content))
    assert isinstance(event, Message), event
    return event


def test_answers_to_a_feedback_form_are_a_message() -> None:
    message = only_message(messaging_feedback=FEEDBACK)
    assert message.text == "Satisfaction: 4\nFast, but the box was torn"
    assert message.extra == {"messaging_feedback": FEEDBACK}
    assert message.id == only_message(messaging_feedback=FEEDBACK).id


def test_answers_to_several_questions_are_distinguished() -> None:
    questions = {
        "service": {"type": "csat", "payload": 2},
        "again": {"type": "nps", "payload": "9"},
        "ideas": {"type": "free_form", "payload": "More colours"},
    }
    message = only_message(messaging_feedback={"feedback_screens": [{"questions": questions}]})
    assert message.text is not None
    assert message.text.splitlines() == [
        "Satisfaction (service): 2",
        "Recommendation (again): 9",
        "ideas: More colours",
    ]


def test_contact_details_from_a_form_are_a_message() -> None:
    responses = [{"key": "email", "value": "ann@example.com"}]
    message = only_message(messaging_customer_information={"screens": [{"responses": responses}]})
    assert message.text == "email: ann@example.com"


def test_an_order_is_a_message_with_its_products() -> None:
    product = {"retailer_id": "SKU-7", "name": "Blue mug", "quantity": "2", "unit_price": 9.9}
    message = only_message(order={"products": [product], "note": "as a gift"})
    assert message.text == "Note: as a gift\nBlue mug\nQuantity: 2\nPrice: 9.9"
    assert message.extra == {"order": {"products": [product], "note": "as a gift"}}


@pytest.mark.parametrize("form", [[], "x", 5, {}, {"feedback_screens": [None, {"questions": [1]}]}])
def test_an_empty_form_is_still_a_message_with_its_data(form: Any) -> None:
    message = only_message(messaging_feedback=form)
    assert message.text is None
    assert message.extra is not None
