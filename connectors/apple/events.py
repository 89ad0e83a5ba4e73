"""Events from Apple's messages: one reader for each `type`."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from connectors.tools.entries import attach_each, id_of, listed
from normalizer.events import AnyEvent, Attachment, Closed, Message, Notice, Party, Unknown

from .media import attachment

#: The fields that all events share: `account` and `party`. Apple sends no timestamp, so there is no `sent_at`.
Common = dict[str, Any]

#: The placeholder for an attachment in the text.
_OBJECT = "\ufffc"


def read_message(raw: Any) -> AnyEvent:
    """The one event of a delivery."""
    common: Common = {"account": raw["destinationId"], "party": Party(id_of(raw["sourceId"]))}
    read = READERS.get(raw["type"])
    if read is None:
        reason = "unknown message type"
        return Unknown(id=f"unknown:{id_of(raw['id'])}", reason=reason, raw=raw, **common)
    return read(raw, common)


def _text(raw: Any, common: Common) -> AnyEvent:
    # A tapback arrives as a text such as: Liked “…”, in the sender's language, and is kept as a text.
    text = (raw.get("body") or "").replace(_OBJECT, "").strip()
    files = attach_each(lambda one: attachment(one, common["account"]), listed(raw, "attachments"))
    return Message(
        id=raw["id"],
        text=text or None,
        attachments=files,
        reply_to=raw.get("replyToMessageId"),
        referral=_referral(raw),
        **common,
    )


def _interactive(raw: Any, common: Common) -> AnyEvent:
    answer, reference = raw.get("interactiveData") or {}, raw.get("interactiveDataRef") or {}
    data = answer.get("data") or {}
    items = _selected_items(data)
    titles = [item["title"] for item in items if item.get("title")]
    identifiers = [item["identifier"] for item in items if item.get("identifier")]
    text = (
        (data.get("replyMessage") or {}).get("title") or ", ".join(titles) or reference.get("title")
    )
    return Message(
        id=raw["id"],
        text=text or None,
        attachments=() if text else (_unsupported(data, reference),),
        choice=",".join(identifiers) or _form(data),
        referral=_referral(raw),
        **common,
    )


def _selected_items(data: Any) -> list[Any]:
    """The items that the consumer selected, if the answer contains items."""
    match data:
        case {"quick-reply": {"items": list(items), **answer}}:
            index, name = str(answer.get("selectedIndex")), answer.get("selectedIdentifier")
            by_index = [item for at, item in enumerate(items) if str(at) == index]
            return by_index or [item for item in items if name and item.get("identifier") == name]
        case {"listPicker": {"sections": list(sections)}}:
            return [item for section in sections for item in listed(section, "items")]
        case {"event": dict(event)}:
            return listed(event, "timeslots")
        case _:
            return []


def _form(data: Any) -> str | None:
    return orjson.dumps(data["dynamic"]).decode() if data.get("dynamic") else None


def _unsupported(data: Any, reference: Any) -> Attachment:
    """An attachment in place of an answer that cannot be shown.

    A large answer arrives as a reference to an encrypted object that is deleted within seconds. Only its title
    is read, and its key is not passed on.
    """
    described = {name: reference[name] for name in ("bid", "size") if name in reference}
    return Attachment("unsupported", details={"interactive": sorted(data), **described})


def _notice(raw: Any, common: Common) -> AnyEvent:
    kind = raw["type"]
    return Notice(id=f"{kind}:{id_of(raw['id'])}", kind=kind, **common)


def _close(raw: Any, common: Common) -> AnyEvent:
    return Closed(id=f"close:{id_of(raw['id'])}", **common)


def _referral(raw: Any) -> Mapping[str, Any] | None:
    """The tags of the link that started the conversation."""
    return {name: raw[name] for name in ("group", "intent") if raw.get(name)} or None


READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "close": _close,
    "interactive": _interactive,
    "text": _text,
    "typing_end": _notice,
    "typing_start": _notice,
}
