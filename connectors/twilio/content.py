"""The content of a message in Twilio's form: words, files, locations, and the fields that only the core reads."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.tools.answers import answers_in_words, as_json
from connectors.tools.attachment_kind import kind_of
from connectors.tools.location import location
from normalizer.events import Attachment, MediaRef

Form = Mapping[str, str]

#: Fields that events already contain, or that concern only Twilio.
#: https://www.twilio.com/docs/messaging/guides/webhook-request
_PLAIN = frozenset(
    {
        *("MessageSid", "SmsSid", "SmsMessageSid", "AccountSid", "MessagingServiceSid"),
        *("ApiVersion", "SmsStatus", "MessageStatus", "NumSegments", "NumMedia", "OptOutType"),
        *(f"{side}{part}" for side in ("From", "To") for part in ("", "City", "State", "Zip")),
        *("FromCountry", "ToCountry", "Body", "ProfileName", "WaId", "ExternalUserId"),
        *("OriginalRepliedMessageSid", "OriginalRepliedMessageSender"),
        *("Forwarded", "FrequentlyForwarded", "Latitude", "Longitude", "Label", "Address"),
        *("ButtonText", "ButtonPayload", "ListId", "ListTitle", "ListDescription"),
    }
)
_MEDIA = re.compile(r"Media(?:Url|ContentType)(0|[1-9][0-9]{0,3})")
#: The field with the answers of a WhatsApp flow or another interactive message.
_ANSWERS = "InteractiveData"
#: Fields of JSON that describe the channel or the number, and not what the consumer said, end with one of these.
_DESCRIBING = ("AddOns", "Metadata")
#: The types of messages whose content the other fields contain.
_KNOWN_TYPES = frozenset(
    {
        *("text", "media", "image", "photo", "video", "audio", "voice", "document", "file"),
        *("sticker", "location", "button", "interactive", "contact", "contacts"),
    }
)
#: The most files of one message: https://www.twilio.com/docs/messaging/guides/accepted-mime-types
_MAX_FILES = 10
#: The layout of a multimedia message. Phones send it as a file beside the photo.
_LAYOUTS = frozenset({"application/smil", "application/smil+xml"})


@dataclass(frozen=True, slots=True)
class Content:
    text: str | None
    attachments: tuple[Attachment, ...]
    choice: str | None
    extra: Mapping[str, Any] | None


def read_content(form: Form) -> Content:
    """What the consumer said. `extra` holds all fields that no other part of the event contains."""
    text, attachments = _words(form), (*_files(form), *_locations(form))
    answers = _structured(form, is_all=not (text or attachments))
    text = _joined(text, *map(answers_in_words, answers.values()))
    if not text and not attachments and form.get("MessageType"):
        details = {"type": form["MessageType"]}
        attachments = (Attachment("unsupported", details=details),)
    tapped = form.get("ButtonPayload") or form.get("ListId")
    choice = tapped or next((form[name] for name in answers), None)
    return Content(text, attachments, choice, _extra(form))


def _words(form: Form) -> str | None:
    """The body, and the tapped button or list row, each once."""
    place = ("Label", "Address") if not _has_coordinates(form) else ()
    names = ("Body", "ButtonText", "ListTitle", "ListDescription", *place)
    return _joined(*(form.get(name) for name in names))


def _joined(*parts: str | None) -> str | None:
    """The parts that are not blank, one below the other, each once."""
    said = {part.strip(): part for part in reversed(parts) if part and part.strip()}
    return "\n".join(reversed(said.values())) or None


def _extra(form: Form) -> Mapping[str, Any] | None:
    kept = {name: as_json(value) for name, value in form.items() if value and _is_extra(name)}
    return {name: value for name, value in kept.items() if not _is_known(name, value)} or None


def _is_known(name: str, value: Any) -> bool:
    """Whether a field only repeats what the event says: the type of its content, or its channel."""
    match name, value:
        case "MessageType", str(type):
            return type.lower() in _KNOWN_TYPES
        case "ChannelMetadata", {"type": _, **more}:
            return not more
        case _:
            return False


def referral(form: Form) -> Mapping[str, Any] | None:
    """The advertisement or the link through which the consumer came."""
    return {name: form[name] for name in form if name.startswith("Referral")} or None


def _has_coordinates(form: Form) -> bool:
    return bool(form.get("Latitude") and form.get("Longitude"))


def _structured(form: Form, *, is_all: bool) -> Mapping[str, Any]:
    """The JSON that the consumer answered: of the documented field, or of all fields if nothing else was said."""
    names = [name for name in form if _is_extra(name) and not name.endswith(_DESCRIBING)]
    found = {name: as_json(form[name]) for name in names if is_all or name == _ANSWERS}
    return {name: value for name, value in found.items() if isinstance(value, dict | list)}


def _is_extra(name: str) -> bool:
    return not (name in _PLAIN or name.startswith("Referral") or _MEDIA.fullmatch(name))


def _files(form: Form) -> list[Attachment]:
    """One attachment for every file that the form names. A file without its URL is gone."""
    files = [
        (form.get(f"MediaUrl{number}"), form.get(f"MediaContentType{number}"))
        for number in sorted(_numbers(form))
    ]
    return [_file(url, media_type) for url, media_type in files if not _is_layout(media_type)]


def _numbers(form: Form) -> Iterable[int]:
    """The numbers of the files: those in the form, and those that only NumMedia counts."""
    named = {int(found[1]) for name in form if form[name] and (found := _MEDIA.fullmatch(name))}
    return named | set(range(_count(form.get("NumMedia", ""))))


def _count(declared: str) -> int:
    """NumMedia. It is not reliable: of a number that cannot be right only one file is expected."""
    if not re.fullmatch(r"[0-9]+", declared):
        return 0
    digits = declared.lstrip("0")
    return int(digits or 0) if len(digits) <= 2 and int(digits or 0) <= _MAX_FILES else 1


def _is_layout(media_type: str | None) -> bool:
    return (media_type or "").partition(";")[0].strip().lower() in _LAYOUTS


def _file(url: str | None, media_type: str | None) -> Attachment:
    if not url:
        return Attachment(kind_of(media_type), refused="gone")
    return Attachment(kind_of(media_type), MediaRef({"url": url}, media_type or None))


def _locations(form: Form) -> list[Attachment]:
    if not _has_coordinates(form):
        return []
    names = {"name": form.get("Label"), "address": form.get("Address")}
    return [location(form["Latitude"], form["Longitude"], **names)]
