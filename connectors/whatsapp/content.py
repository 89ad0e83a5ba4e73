"""The content of a WhatsApp message: one reader for each `type` that has something to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.tools.attachment_kind import kind_of
from connectors.tools.entries import Unreadable, id_of, listed
from connectors.tools.location import location
from normalizer.events import Attachment, Kind, MediaRef

#: Meta could not fetch the consumer's file, for example because it is larger than 100 MB.
_FILE_LOST = 131052


@dataclass(frozen=True, slots=True)
class Content:
    """The fields that a message, an edit and an echo have in common."""

    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    choice: str | None = None


def content(raw: Any, account: str) -> Content | None:
    """The content of a message object; None if its type is unknown."""
    type = type_of(raw)
    if type in _FILE_KINDS:
        return _file(raw, type, account)
    return _READERS[type](raw) if type in _READERS else None


def type_of(raw: Any) -> str:
    """The type of a message. Some of Meta's examples omit `type`; then the field that is present is the type."""
    found: str | None = raw.get("type") or next(
        (name for name in _TYPE_FIELDS if name in raw), None
    )
    if found is None:
        raise Unreadable("the message has no type")
    return found


def _file(raw: Any, type: str, account: str) -> Content:
    file, kind = raw.get(type) or {}, _FILE_KINDS[type]
    media_type, name, caption = file.get("mime_type"), file.get("filename"), file.get("caption")
    if kind == "document" and kind_of(media_type) in {"photo", "video"}:
        kind = kind_of(media_type)  # phones send HEIC photos and long videos as documents
    if not file.get("id") or _FILE_LOST in _codes(raw):
        return Content(caption or None, (Attachment(kind, refused="gone"),))
    locator = {"id": id_of(file["id"]), "account": account}
    ref = MediaRef(locator, media_type, name, sha256=file.get("sha256"))
    return Content(caption or None, (Attachment(kind, ref),))


def _text(raw: Any) -> Content:
    return Content(raw["text"]["body"] or None)


def _button(raw: Any) -> Content:
    return Content(raw["button"]["text"], choice=raw["button"].get("payload"))


def _interactive(raw: Any) -> Content | None:
    match raw["interactive"]:
        case {"button_reply": tapped} | {"list_reply": tapped}:
            return Content(tapped["title"], choice=tapped["id"])
        case {"nfm_reply": form}:
            return Content(form.get("body") or form.get("name"), choice=form.get("response_json"))
        case _:
            return None


def _location(raw: Any) -> Content:
    at = raw["location"]
    described = {name: at.get(name) for name in ("name", "address", "url")}
    return Content(None, (location(at["latitude"], at["longitude"], **described),))


def _contacts(raw: Any) -> Content:
    return Content(None, (Attachment("contact", details={"cards": listed(raw, "contacts")}),))


def _order(raw: Any) -> Content:
    order = raw["order"]
    return Content(
        order.get("text") or None, (Attachment("unsupported", details={"order": order}),)
    )


def _unsupported(raw: Any) -> Content:
    codes = _codes(raw)
    details = {"type": (raw.get("unsupported") or {}).get("type"), "codes": codes}
    refused = "gone" if _FILE_LOST in codes else None
    text = (raw.get("text") or {}).get("body")  # has been seen together with errors
    return Content(text, (Attachment("unsupported", details=details, refused=refused),))


def _codes(raw: Any) -> list[Any]:
    return [error["code"] for error in listed(raw, "errors")]


_FILE_KINDS: Mapping[str, Kind] = {
    "audio": "audio",
    "document": "document",
    "image": "photo",
    "sticker": "sticker",
    "video": "video",
    "voice": "audio",  # the name before the Cloud API
}

_READERS: Mapping[str, Callable[[Any], Content | None]] = {
    "button": _button,
    "contacts": _contacts,
    "interactive": _interactive,
    "location": _location,
    "order": _order,
    "text": _text,
    "unknown": _unsupported,
    "unsupported": _unsupported,
}

#: The fields that contain a message's content; each has the name of a type.
_TYPE_FIELDS = (
    *_FILE_KINDS,
    *(name for name in _READERS if name not in {"unknown", "unsupported"}),
)
