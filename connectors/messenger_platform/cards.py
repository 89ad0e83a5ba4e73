"""The words of cards: shared posts and links, and all kinds of templates, which businesses send and consumers share.

A card's addresses may lead anywhere, so they are shown as text and never fetched.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from .fields import object_of, type_of, words_of

#: Cards that link to a page or a template.
CARD_TYPES = frozenset(
    {
        *("appointment_booking", "fallback", "ig_post", "ig_reel", "ig_story", "post", "reel"),
        *("share", "story", "story_mention", "template"),
    }
)
#: The site to which a relative address of a card belongs.
_INSTAGRAM, _FACEBOOK = "https://www.instagram.com", "https://www.facebook.com"

#: The fields of templates that people read, with the label that a bare value needs. In the order of reading.
#: https://developers.facebook.com/docs/messenger-platform/send-messages/templates
_LABELS: Mapping[str, str] = {
    **dict.fromkeys(("title", "subtitle", "text", "intro_message", "description", "name"), ""),
    "note": "Note",
    # receipt, order, coupon
    "order_number": "Order",
    "merchant_name": "Merchant",
    "recipient_name": "Recipient",
    "quantity": "Quantity",
    "unit_price": "Price",
    "price": "Price",
    "amount": "Amount",
    "subtotal": "Subtotal",
    "shipping_cost": "Shipping",
    "total_tax": "Tax",
    "total_cost": "Total",
    "total_price": "Total",
    "currency": "Currency",
    "payment_method": "Payment",
    **dict.fromkeys(("street_1", "street_2", "postal_code", "city", "state", "country"), ""),
    "coupon_pre_message": "",
    "coupon_code": "Coupon",
    # flights
    "pnr_number": "Booking",
    "passenger_name": "Passenger",
    "flight_number": "Flight",
    "airport_code": "Airport",
    "departure_time": "Departure",
    "boarding_time": "Boarding",
    "arrival_time": "Arrival",
    "terminal": "Terminal",
    "gate": "Gate",
    "seat": "Seat",
    "travel_class": "Class",
    # feedback, appointments, forms
    "button_title": "",
    "start_time": "Start",
    "end_time": "End",
}
#: Nested objects that are not for reading.
_UNREAD = frozenset({"business_privacy", "default_action", "nlp", "messenger_extensions"})
#: Buttons are one line each.
_BUTTONS = frozenset({"buttons", "quick_replies"})
#: Levels of nesting that are read. Meta's templates have five.
_MAX_DEPTH = 10


def card_lines(card: Any) -> list[str]:
    """The lines of text for a card; none for any other attachment."""
    if type_of(card) not in CARD_TYPES:
        return []
    own = list(template_lines({k: v for k, v in card.items() if k not in {"type", "payload"}}))
    payload = template_lines(card.get("payload"))
    return [*own, *(line for line in payload if line not in own)]


def template_lines(value: Any, depth: int = _MAX_DEPTH) -> Iterator[str]:
    """The words and addresses in a template or a part of it, in the order of reading."""
    if depth == 0:
        return
    if isinstance(value, list):
        for part in value:
            yield from template_lines(part, depth - 1)
    if isinstance(value, dict):
        yield from _own_lines(value)
        for name, part in value.items():
            if name in _BUTTONS:
                yield from filter(None, map(_button_line, _listed(part)))
            elif name not in _UNREAD:
                yield from template_lines(part, depth - 1)


def with_absolute_address(card: Any) -> Any:
    """The card with absolute addresses. Meta sends some as paths (`/reel/123/`)."""
    type = type_of(card)
    if type not in CARD_TYPES:
        return card
    site = _INSTAGRAM if type.startswith("ig_") else _FACEBOOK
    payload = card.get("payload")
    absolute = _absolute(card, site)
    return {**absolute, "payload": _absolute(payload, site)} if payload is not None else absolute


def address_of(card: Any) -> str | None:
    """The address of what a card or an attachment shows, None if it has none."""
    payload = object_of(object_of(card).get("payload"))
    # Shared stories have an address under a name of their own.
    found = payload.get("url") or payload.get("story_media_url") or object_of(card).get("url")
    return found if isinstance(found, str) and found else None


def without_address(card: dict[str, Any]) -> dict[str, Any]:
    """The card without the address of its file, and without others at the same host."""
    host = _host_of(address_of(card))

    def kept(part: dict[str, Any]) -> dict[str, Any]:
        return {name: v for name, v in part.items() if not (is_web(v) and _host_of(v) == host)}

    return {**kept(card), "payload": kept(object_of(card.get("payload")))}


def is_web(value: Any) -> bool:
    return isinstance(value, str) and value.lower().startswith(("https://", "http://"))


def _host_of(url: str | None) -> str:
    try:
        return urlsplit(url or "").netloc
    except ValueError:
        return ""


def _own_lines(part: dict[str, Any]) -> Iterator[str]:
    if described := _described(part):
        yield described
    for name, label in _LABELS.items():
        words = words_of(part.get(name))
        if words is not None:
            yield f"{label}: {words}" if label else words
    for name, value in part.items():
        if _is_address(name) and is_web(value):
            yield value


def _described(part: dict[str, Any]) -> str | None:
    """A value with a label of its own, as in boarding passes and forms."""
    value = words_of(part.get("value"))
    label = words_of(part.get("label")) or words_of(part.get("key"))
    return value and ": ".join(filter(None, (label, value)))


def _is_address(name: str) -> bool:
    return name == "url" or (name.endswith("_url") and "image" not in name and "logo" not in name)


def _button_line(raw: Any) -> str | None:
    """One button: its title, and the address or phone number that it opens."""
    button = object_of(raw)
    title = words_of(button.get("title"))
    dials = button.get("type") == "phone_number"
    target = button.get("payload") if dials else button.get("url")
    opens = words_of(target) if dials or is_web(target) else None
    return ": ".join(filter(None, (title, opens))) or None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _absolute(part: Any, site: str) -> Any:
    url = part.get("url") if isinstance(part, dict) else None
    if not (isinstance(url, str) and url.startswith("/")):
        return part
    return {**part, "url": f"https:{url}" if url.startswith("//") else f"{site}{url}"}
