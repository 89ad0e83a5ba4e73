"""Messages of a WhatsApp consumer: the `type`, and the content under that name."""

import json
from collections.abc import Mapping
from typing import Any

Content = tuple[str, Any]


def text(body: str) -> Content:
    return "text", {"body": body}


def location(latitude: float, longitude: float, *, name: str = "", address: str = "") -> Content:
    labels = {"name": name, "address": address} if name else {}
    return "location", {"latitude": latitude, "longitude": longitude, **labels}


def contact(name: str, phone: str) -> Content:
    first, _, last = name.partition(" ")
    names = {"formatted_name": name, "first_name": first, "last_name": last}
    digits = "".join(filter(str.isdigit, phone))
    return "contacts", [
        {"name": names, "phones": [{"phone": phone, "wa_id": digits, "type": "CELL"}]}
    ]


def reaction(message_id: str, emoji: str | None) -> Content:
    """Return a reaction; without an emoji it removes the earlier one."""
    return "reaction", {"message_id": message_id, **({"emoji": emoji} if emoji else {})}


def button(text: str, payload: str = "yes") -> Content:
    """Return the answer to a template's quick reply."""
    return "button", {"payload": payload, "text": text}


def chosen(title: str, *, description: str | None = None) -> Content:
    """Return the answer to buttons, or with a description the answer to a list."""
    if description is None:
        return "interactive", {"type": "button_reply", "button_reply": {"id": "b1", "title": title}}
    row = {"id": "r1", "title": title, "description": description}
    return "interactive", {"type": "list_reply", "list_reply": row}


def form(answers: Mapping[str, Any], *, body: str = "Sent") -> Content:
    """Return the answers to a form (a Flow). `body` is the label of its bubble, the same for every answer."""
    reply = {"name": "flow", "body": body, "response_json": json.dumps(answers)}
    return "interactive", {"type": "nfm_reply", "nfm_reply": reply}


def order(text: str = "", *items: tuple[str, int, float]) -> Content:
    """Return an order from the catalogue; each item is its id, the quantity and the price of one."""
    products = [
        {"product_retailer_id": id, "quantity": quantity, "item_price": price, "currency": "EUR"}
        for id, quantity, price in items or [("sku-1", 1, 9.5)]
    ]
    return "order", {"catalog_id": "77001", "text": text, "product_items": products}


def number_change(old: str, new: str) -> Content:
    body = f"User changed from {old} to {new}"
    return "system", {"body": body, "type": "user_changed_number", "wa_id": new}


def user_id_change(old: str, new: str) -> Content:
    body = f"User changed from {old} to {new}"
    return "system", {"body": body, "type": "user_changed_user_id", "user_id": new}


def edit(original_id: str, content: Content) -> Content:
    kind, inner = content
    changed = {"type": kind, kind: inner}
    return "edit", {"original_message_id": original_id, "message": changed}


def revoke(original_id: str) -> Content:
    return "revoke", {"original_message_id": original_id}


def unsupported(kind: str = "poll") -> Content:
    return "unsupported", {"type": kind}


def _error(code: int, title: str, details: str) -> list[dict[str, Any]]:
    return [{"code": code, "title": title, "message": title, "error_data": {"details": details}}]


#: The `errors` of a message of type `unsupported`.
UNSUPPORTED_ERRORS = _error(
    131051, "Message type unknown", "Message type is currently not supported."
)
#: The `errors` of a message that Meta itself could not read.
UNAVAILABLE_ERRORS = _error(
    131060, "This message is currently unavailable.", "This message is currently unavailable."
)
#: The `errors` of a message whose file Meta could not fetch, such as one of more than 100 MB.
LOST_FILE_ERRORS = _error(
    131052, "Media download error", "Failed to download the media from the sender."
)
