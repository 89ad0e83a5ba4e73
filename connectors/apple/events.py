"""Events from Apple's messages: one reader for each `type`."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.tools.answers import as_words
from connectors.tools.entries import attach_each, id_of, listed
from normalizer.events import AnyEvent, Attachment, Closed, Message, Notice, Party, Unknown

from .answers import Answer, read_answer
from .media import attachment

#: The fields that all events share: `account` and `party`. Apple sends no timestamp, so there is no `sent_at`.
Common = dict[str, Any]

#: The placeholder for an attachment in the text.
_OBJECT = "\ufffc"
#: Headers for the core: what the consumer's device can show. Apple's older pages call the list `capabilities`.
DEVICE_HEADERS = frozenset({"capability-list", "capabilities", "device-agent"})
#: Fields that contain something from the consumer, whatever the type of the message.
_CONTENT = ("body", "attachments", "interactiveData", "interactiveDataRef", "richLinkData")
#: Fields of a reference that say nothing about how to open it.
_REFERENCE = ("bid", "title", "size", "url", "owner", "signature", "signature-base64")


def read_message(raw: Any, headers: Mapping[str, str]) -> AnyEvent:
    """The one event of a delivery."""
    common: Common = {"account": raw["destinationId"], "party": Party(id_of(raw["sourceId"]))}
    read = READERS.get(raw["type"])
    if read is not None:
        return read(raw, common)
    if raw["type"] in MESSAGES or any(raw.get(name) for name in _CONTENT):
        return _message(raw, common, headers)
    reason = "unknown message type"
    return Unknown(id=f"unknown:{id_of(raw['id'])}", reason=reason, raw=raw, **common)


def _message(raw: Any, common: Common, headers: Mapping[str, str]) -> AnyEvent:
    answer = read_answer(raw)
    # A tapback arrives as a text such as: Liked “…”, in the sender's language, and is kept as a text.
    body = _body(raw.get("body"))
    parts = (body, *_link(raw.get("richLinkData")), answer.text)
    text = "\n".join(filter(None, parts)) or None
    files = _files(raw, common["account"])
    if not (text or files) and (raw.get("interactiveData") or raw.get("interactiveDataRef")):
        files = (_unsupported(raw, answer, common["account"]),)
    return Message(
        id=id_of(raw["id"]),
        text=text,
        attachments=files,
        reply_to=as_words(raw.get("replyToMessageId")) or None,
        choice=answer.choice,
        referral=_referral(raw),
        extra=_extra(raw, answer, headers),
        repeat_key=answer.repeat_key,
        **common,
    )


def _body(value: Any) -> str:
    """The text as it was written; blanks are removed only with the placeholders between which they stood."""
    if not isinstance(value, str):
        return as_words(value)
    return value if value.strip() and _OBJECT not in value else value.replace(_OBJECT, "").strip()


def _files(raw: Any, business: str) -> tuple[Attachment, ...]:
    # A form's answer may be listed among the attachments too. It is not a file, and can be fetched only once.
    reference = raw.get("interactiveDataRef")
    answer = reference.get("url") if isinstance(reference, dict) else None
    files = [
        one
        for one in listed(raw, "attachments")
        if not (answer and isinstance(one, dict) and one.get("url") == answer)
    ]
    return attach_each(lambda one: attachment(one, business), files)


def _link(link: Any) -> tuple[str, ...]:
    return (
        (as_words(link.get("title")), as_words(link.get("url"))) if isinstance(link, dict) else ()
    )


def _unsupported(raw: Any, answer: Answer, business: str) -> Attachment:
    """An attachment in place of an answer that cannot be shown.

    A large answer arrives as a reference to an encrypted object that is deleted within seconds. The reference is kept
    as that of a file, because its key must not be passed on, but it is not fetched: it is neither a photo nor a video.
    """
    reference = raw.get("interactiveDataRef")
    reference = reference if isinstance(reference, dict) else {}
    described = {name: reference[name] for name in ("bid", "size") if name in reference}
    app = answer.extra.get("appName")
    details = {"interactive": answer.kinds, **described, **({"app": app} if app else {})}
    media = attachment(reference, business).media if reference else None
    return Attachment("unsupported", media, details, "unsupported_type" if media else None)


def _referral(raw: Any) -> Mapping[str, Any] | None:
    """The tags of the link that started the conversation."""
    return {name: raw[name] for name in ("group", "intent") if raw.get(name)} or None


def _extra(raw: Any, answer: Answer, headers: Mapping[str, str]) -> Mapping[str, Any] | None:
    device = {n: as_words(headers.get(n) or raw.get(n)) for n in sorted(DEVICE_HEADERS)}
    found = {"locale": as_words(raw.get("locale")), **device, "interactiveData": answer.extra}
    reference, link = raw.get("interactiveDataRef"), raw.get("richLinkData")
    if isinstance(reference, dict):
        found["interactiveDataRef"] = {n: reference[n] for n in _REFERENCE if reference.get(n)}
    if isinstance(link, dict):
        found["richLinkData"] = {name: link[name] for name in link if name != "assets"}
    if raw["type"] not in MESSAGES:
        found["type"] = raw["type"]
    return {name: value for name, value in found.items() if value} or None


def _notice(raw: Any, common: Common) -> AnyEvent:
    kind = raw["type"]
    return Notice(id=f"{kind}:{id_of(raw['id'])}", kind=kind, **common)


def _close(raw: Any, common: Common) -> AnyEvent:
    return Closed(id=f"close:{id_of(raw['id'])}", **common)


#: The types of messages that Apple documents, or sends in the other direction.
MESSAGES = frozenset({"text", "interactive", "richLink"})

READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "close": _close,
    "typing_end": _notice,
    "typing_start": _notice,
}
