"""The content of a WhatsApp message: one reader for each `type` that has something to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.tools.attachment_kind import kind_of
from connectors.tools.entries import listed
from connectors.tools.location import location
from normalizer.events import Attachment, Kind, MediaRef

from .fields import fields, lines, problem_of, rest_of, words
from .forms import answers_of, files_of, form_in_words
from .wording import known_words, order_in_words

#: Meta could not fetch the consumer's file, for example because it is larger than 100 MB.
_FILE_LOST = "131052"
#: The fields of a location that its attachment has.
_LOCATION_FIELDS = frozenset({"latitude", "longitude", "name", "address", "url"})


@dataclass(frozen=True, slots=True)
class Content:
    """The fields that a message, an edit and an echo have in common."""

    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    choice: str | None = None
    extra: Mapping[str, Any] | None = None


def content(raw: Mapping[str, Any], account: str) -> Content:
    """The content of a message object. It is never empty: what cannot be shown is an `unsupported` attachment."""
    type = type_of(raw) or ""
    if type in _FILE_KINDS:
        return _file(raw, type, account)
    found = _READERS.get(type, _unsupported)(raw, account)
    if found.text or found.attachments:
        return found
    return replace(_unsupported(raw, account), choice=found.choice)


def type_of(raw: Mapping[str, Any]) -> str | None:
    """The type of a message. Some of Meta's examples omit `type`; then the field that is present is the type."""
    return words(raw.get("type")) or next((name for name in _TYPE_FIELDS if name in raw), None)


def _file(raw: Mapping[str, Any], type: str, account: str) -> Content:
    file, kind = fields(raw.get(type)), _FILE_KINDS[type]
    media_type, name = words(file.get("mime_type")), words(file.get("filename"))
    if kind == "document" and kind_of(media_type, name) in {"photo", "video"}:
        kind = kind_of(media_type, name)  # phones send HEIC photos and long videos as documents
    found = _attachment(kind, file, account, media_type, name)
    if type == "voice" or file.get("voice") is True:
        found = replace(found, voice=True)
    if found.media is None or _is_lost(raw):
        code, detail = problem_of(raw)
        found = replace(found, refused="gone", code=code, detail=detail)
    return Content(words(file.get("caption")), (found,))


def _attachment(
    kind: Kind, file: Mapping[str, Any], account: str, media_type: str | None, name: str | None
) -> Attachment:
    id = file.get("id")
    if isinstance(id, bool) or not isinstance(id, str | int) or not str(id).strip():
        return Attachment(kind, refused="gone")
    locator = {"id": str(id), "account": account}
    return Attachment(kind, MediaRef(locator, media_type, name, sha256=words(file.get("sha256"))))


def _text(raw: Mapping[str, Any], account: str) -> Content:
    del account
    text = raw.get("text")
    return Content(words(text) or words(fields(text).get("body")))


def _button(raw: Mapping[str, Any], account: str) -> Content:
    del account
    button = fields(raw.get("button"))
    return Content(words(button.get("text")), choice=words(button.get("payload")))


def _interactive(raw: Mapping[str, Any], account: str) -> Content:
    answer = fields(raw.get("interactive"))
    if form := fields(answer.get("nfm_reply")):
        return _form(form, account)
    for name in ("button_reply", "list_reply"):
        if tapped := fields(answer.get(name)):
            text = lines(words(tapped.get("title")), words(tapped.get("description")))
            return Content(text, choice=words(tapped.get("id")))
    tapped = fields(answer.get(words(answer.get("type")) or ""))
    return replace(_unsupported(raw, account), choice=words(tapped.get("id")))


def _form(form: Mapping[str, Any], account: str) -> Content:
    """The answers to a form (a flow). They are in words for agents, and as they were for the core."""
    answers, files = answers_of(form), files_of(form)
    attachments = tuple(
        _attachment(kind_of(media_type, name), file, account, media_type, name)
        for file in files
        for media_type, name in [(words(file.get("mime_type")), words(file.get("file_name")))]
    )
    extra = {"nfm_reply": form, **({"answers": answers} if answers is not None else {})}
    text = form_in_words(form)
    if text is None and not attachments:
        attachments = (Attachment("unsupported", details={"type": "nfm_reply"}),)
    return Content(text, attachments, words(form.get("response_json")), extra)


def _location(raw: Mapping[str, Any], account: str) -> Content:
    at = fields(raw.get(type_of(raw) or ""))
    described = {name: words(at.get(name)) for name in ("name", "address", "url")}
    extra = None if at.keys() <= _LOCATION_FIELDS else {"location": at}
    text = words(at.get("caption")) or words(at.get("comment"))
    degrees = _degrees(at.get("latitude"), 90), _degrees(at.get("longitude"), 180)
    if None in degrees:
        return replace(_unsupported(raw, account), text=lines(text, *described.values()))
    latitude, longitude = degrees
    assert latitude is not None
    assert longitude is not None
    return Content(text, (location(latitude, longitude, **described),), extra=extra)


def _degrees(value: Any, most: int) -> float | None:
    try:
        degrees = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return degrees if -most <= degrees <= most else None


def _contacts(raw: Mapping[str, Any], account: str) -> Content:
    del account
    cards = [card for card in listed(raw, "contacts") if isinstance(card, dict) and card]
    return Content(None, (Attachment("contact", details={"cards": cards}),) if cards else ())


def _order(raw: Mapping[str, Any], account: str) -> Content:
    del account
    order = fields(raw.get("order"))
    return Content(order_in_words(order), extra={"order": order})


def _unsupported(raw: Mapping[str, Any], account: str) -> Content:
    """Content that has no form here: the words that it has, Meta's reason, and everything else for the core."""
    del account
    type = type_of(raw)
    inner = fields(raw.get(type or ""))
    code, detail = problem_of(raw)
    name = words(inner.get("type")) or type
    attachment = Attachment(
        "unsupported",
        details={"type": name} if name else None,
        refused="gone" if _is_lost(raw) else None,
        code=code,
        detail=detail,
    )
    # Type "unsupported" has been seen together with a text.
    text = lines(known_words(rest_of(raw)))
    return Content(text, (attachment,), extra=rest_of(raw) or None)


def _is_lost(raw: Mapping[str, Any]) -> bool:
    codes = (fields(error).get("code") for error in listed(raw, "errors"))
    return _FILE_LOST in map(str, codes)


_FILE_KINDS: Mapping[str, Kind] = {
    "audio": "audio",
    "document": "document",
    "image": "photo",
    "sticker": "sticker",
    "video": "video",
    "voice": "audio",  # the name before the Cloud API
}

_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Content]] = {
    "button": _button,
    "contacts": _contacts,
    "interactive": _interactive,
    "live_location": _location,
    "location": _location,
    "order": _order,
    "text": _text,
}

#: The fields that contain a message's content; each has the name of a type.
_TYPE_FIELDS = (*_FILE_KINDS, *_READERS)
