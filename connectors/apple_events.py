"""What a message from Apple tells: one reader for each `type`."""

from collections.abc import Callable, Mapping
from typing import Any

from normalizer.events import AnyEvent, Attachment, Closed, Message, Notice, Party, Unknown

from .apple_media import attachment
from .reading import listed

#: What all events share: `account` and `party`. Apple tells no time of its own, so there is no `sent_at`.
Common = dict[str, Any]

#: Stands in the text where an attachment was.
_OBJECT = "\ufffc"


def read_message(raw: Any) -> AnyEvent:
    """The one event of a delivery."""
    common: Common = {"account": raw["destinationId"], "party": Party(raw["sourceId"])}
    read = READERS.get(raw["type"])
    if read is None:
        reason = "a message of a type that is not known"
        return Unknown(id=f"unknown:{raw['id']}", reason=reason, raw=raw, **common)
    return read(raw, common)


def _text(raw: Any, common: Common) -> AnyEvent:
    # A tapback is a text such as: Liked “…”, in the sender's language, and stays one.
    text = (raw.get("body") or "").replace(_OBJECT, "").strip()
    files = [attachment(one, common["account"]) for one in listed(raw, "attachments")]
    return Message(
        id=raw["id"],
        text=text or None,
        attachments=tuple(files),
        reply_to=raw.get("replyToMessageId"),
        referral=_referral(raw),
        **common,
    )


def _interactive(raw: Any, common: Common) -> AnyEvent:
    answer, reference = raw.get("interactiveData") or {}, raw.get("interactiveDataRef") or {}
    data = answer.get("data") or {}
    item = _chosen(data)
    text = (
        (data.get("replyMessage") or {}).get("title") or item.get("title") or reference.get("title")
    )
    # Large answers come as a reference to an encrypted object that lives for seconds; its title is all
    # we read of it. Where nothing tells what was chosen, an agent sees at least that something was.
    shown = () if text else (Attachment("unsupported", details={"interactive": sorted(data)}),)
    return Message(
        id=raw["id"],
        text=text,
        attachments=shown,
        choice=item.get("identifier"),
        referral=_referral(raw),
        **common,
    )


def _chosen(data: Any) -> Any:
    """The item that was tapped, where the answer holds items."""
    match data:
        case {"quick-reply": {"selectedIndex": int(index), "items": list(items)}} if (
            0 <= index < len(items)
        ):
            return items[index]
        case {"listPicker": {"sections": [{"items": [item, *_]}, *_]}}:
            return item
        case {"event": {"timeslots": [slot, *_]}}:
            return slot
        case _:
            return {}


def _notice(raw: Any, common: Common) -> AnyEvent:
    kind = raw["type"]
    return Notice(id=f"{kind}:{raw['id']}", kind=kind, **common)


def _close(raw: Any, common: Common) -> AnyEvent:
    return Closed(id=f"close:{raw['id']}", **common)


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
