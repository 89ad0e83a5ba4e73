"""Messages of a WhatsApp consumer: the `type`, and the content under that name."""

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


def order(text: str) -> Content:
    item = {
        "product_retailer_id": "sku-1",
        "quantity": 1,
        "item_price": 9.5,
        "currency": "EUR",
    }
    return "order", {"catalog_id": "77001", "text": text, "product_items": [item]}


def number_change(old: str, new: str) -> Content:
    body = f"User changed from {old} to {new}"
    return "system", {"body": body, "type": "user_changed_number", "wa_id": new}


def edit(original_id: str, content: Content) -> Content:
    kind, inner = content
    changed = {"type": kind, kind: inner}
    return "edit", {"original_message_id": original_id, "message": changed}


def revoke(original_id: str) -> Content:
    return "revoke", {"original_message_id": original_id}


def unsupported(kind: str = "poll") -> Content:
    return "unsupported", {"type": kind}


#: The `errors` of a message of type `unsupported`.
UNSUPPORTED_ERRORS = [
    {
        "code": 131051,
        "title": "Message type unknown",
        "message": "Message type unknown",
        "error_data": {"details": "Message type is currently not supported."},
    }
]
