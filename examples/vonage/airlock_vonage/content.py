"""What the messages say: one reader for each type of message.

https://developer.vonage.com/en/api/messages#inbound-message
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors import (
    Attachment,
    Kind,
    MediaRef,
    Unreadable,
    attach_each,
    id_of,
    kind_of,
    listed,
    location,
)

#: Types of content with a file. The kind of a `file` follows from its name.
FILES: Mapping[str, Kind | None] = {
    "image": "photo",
    "video": "video",
    "audio": "audio",
    "file": None,
    "vcard": "contact",
    "sticker": "sticker",
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says."""

    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    choice: str | None = None
    extra: Mapping[str, Any] | None = None


def read_content(raw: Any) -> Content:
    type = raw["message_type"]
    if type in FILES or raw.get("content") is not None:
        return _files(raw)
    if type in READERS:
        return READERS[type](raw)
    details = {"type": type, "provider_message": raw.get("provider_message")}
    known = {name: value for name, value in details.items() if value}
    return Content(raw.get("text") or None, (Attachment("unsupported", details=known),))


def _files(raw: Any) -> Content:
    """One file, or those of an MMS: https://developer.vonage.com/en/messages/concepts/mms

    Whether `content` repeats the main file is not documented, nor whether the text of an MMS is a caption.
    """
    others = listed(raw, "content")
    addresses = [other.get("url") for other in others if isinstance(other, dict)]
    # By the names of the fields, because the type may be new.
    main = [{**raw[type], "type": type} for type in FILES if raw.get(type) is not None]
    files = [file for file in main if file.get("url") not in addresses] + others
    captions = [file.get("caption") for file in (*main, *others) if isinstance(file, dict)]
    said = dict.fromkeys(text for text in (raw.get("text"), *captions) if text)
    if not files:
        raise Unreadable("a message of this type without a file")
    return Content("\n".join(said) or None, attach_each(_file, files))


def _file(raw: Any) -> Attachment:
    if raw["type"] not in FILES:
        return Attachment("unsupported", details={"type": raw["type"]})
    kind, name = FILES[raw["type"]], raw.get("name") or None
    if not urlsplit(raw["url"]).hostname:
        raise Unreadable("the file has no address")
    media_type = "text/vcard" if kind == "contact" else None
    ref = MediaRef({"url": raw["url"]}, media_type, name)
    return Attachment(kind or kind_of(None, name or urlsplit(raw["url"]).path), ref)


def _location(raw: Any) -> Content:
    found = raw["location"]
    described = {name: found.get(name) for name in ("name", "address", "url")}
    return Content(attachments=(location(found["lat"], found["long"], **described),))


def _reply(raw: Any) -> Content:
    row = raw["reply"]
    text = "\n".join(line for line in (row["title"], row.get("description")) if line)
    return Content(text, choice=id_of(row["id"]), extra={"reply": row})


def _button(raw: Any) -> Content:
    button = raw["button"]
    # The payload is text or, for some buttons, an object.
    payload = button.get("payload")
    choice = payload if isinstance(payload, str) and payload else button["text"]
    return Content(button["text"], choice=choice, extra={"button": button})


def _order(raw: Any) -> Content:
    order = raw["order"]
    rows = [_row(item) for item in listed(order, "product_items")]
    text = "\n".join(row for row in (*rows, order.get("text")) if row)
    unread = () if text else (Attachment("unsupported", details={"type": "order"}),)
    return Content(text or None, unread, extra={"order": order})


def _row(item: Any) -> str:
    count = f"{item['quantity']} x " if item.get("quantity") else ""
    name = item.get("product_retailer_id") or "unnamed product"
    price = f"{item.get('item_price') or ''} {item.get('currency') or ''}".strip()
    return f"{count}{name}" + (f", {price} each" if price else "")


READERS: Mapping[str, Callable[[Any], Content]] = {
    "text": lambda raw: Content(raw["text"] or None),
    "location": _location,
    "reply": _reply,
    "button": _button,
    "order": _order,
}
