"""What a message from Apple tells: one reader for each `type`."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from connectors.tools.entries import attach_each, id_of, listed
from normalizer.events import AnyEvent, Attachment, Closed, Message, Notice, Party, Unknown

from .media import attachment

#: What all events share: `account` and `party`. Apple tells no time of its own, so there is no `sent_at`.
Common = dict[str, Any]

#: Stands in the text where an attachment was.
_OBJECT = "\ufffc"


def read_message(raw: Any) -> AnyEvent:
    """The one event of a delivery."""
    common: Common = {"account": raw["destinationId"], "party": Party(id_of(raw["sourceId"]))}
    read = READERS.get(raw["type"])
    if read is None:
        reason = "a message of a type that is not known"
        return Unknown(id=f"unknown:{id_of(raw['id'])}", reason=reason, raw=raw, **common)
    return read(raw, common)


def _text(raw: Any, common: Common) -> AnyEvent:
    # A tapback is a text such as: Liked “…”, in the sender's language, and stays one.
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
    """The items that were chosen, where the answer holds items."""
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
    """Stands for an answer of which nothing can be shown.

    A large answer comes as a reference to an encrypted object, gone within seconds; its title is all that is
    read of it, and its key is nobody else's business.
    """
    described = {name: reference[name] for name in ("bid", "size") if name in reference}
    return Attachment("unsupported", details={"interactive": sorted(data), **described})


def _notice(raw: Any, common: Common) -> AnyEvent:
    kind = raw["type"]
    return Notice(id=f"{kind}:{id_of(raw['id'])}", kind=kind, **common)


def _close(raw: Any, common: Common) -> AnyEvent:
    return Closed(id=f"close:{id_of(raw['id'])}", **common)


def _referral(raw: Any) -> Mapping[str, Any] | None:
    """The tags of the link through which the consumer came in."""
    return {name: raw[name] for name in ("group", "intent") if raw.get(name)} or None


READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "close": _close,
    "interactive": _interactive,
    "text": _text,
    "typing_end": _notice,
    "typing_start": _notice,
}
