"""Events from LINE's webhooks: one reader for each type that concerns a one-to-one chat.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
"""

from collections.abc import Callable, Mapping
from typing import Any

from connectors import (
    AnyEvent,
    Attachment,
    Closed,
    Deletion,
    Kind,
    MediaRef,
    Message,
    Notice,
    Party,
    Unreadable,
    entries,
    id_of,
    kind_of,
    location,
    parse_timestamp,
    read_each,
)

#: The fields that all events share: `account`, `party`, `sent_at`.
Common = dict[str, Any]

#: Types of messages with a file, and whether LINE has to prepare the file first.
FILES: Mapping[str, tuple[Kind, bool]] = {
    "image": ("photo", False),
    "video": ("video", True),
    "audio": ("audio", True),
}
#: The modes of a date picker. The selection has the same name.
PICKER_MODES = ("datetime", "date", "time")
#: Events that become notices: agents do not answer them.
NOTICES = ("follow", "beacon", "accountLink", "videoPlayComplete", "membership")


def read_events(content: Any) -> list[AnyEvent]:
    """The events of a delivery. LINE verifies the webhook with a delivery without events."""
    bot = id_of(content["destination"])
    return read_each(lambda raw: _event(raw, bot), entries(content, "events"))


def _event(raw: Any, bot: str) -> AnyEvent:
    type, source = raw["type"], raw["source"]
    if source["type"] != "user":
        raise Unreadable("group chats are not supported")
    sent_at = parse_timestamp(raw["timestamp"])
    common: Common = {"account": bot, "party": Party(source["userId"]), "sent_at": sent_at}
    if type in NOTICES:
        return Notice(id=_id(raw), kind=type, **common)
    if type not in READERS:
        raise Unreadable("unknown event type")
    return READERS[type](raw, common)


def _message(raw: Any, common: Common) -> AnyEvent:
    message = raw["message"]
    text = message.get("text")  # texts have one, and some stickers
    reply_to = message.get("quotedMessageId")
    if message["type"] == "text":
        return Message(id=message["id"], text=text or None, reply_to=reply_to, **common)
    found = _attachment(message)
    return Message(
        id=message["id"], text=text or None, attachments=(found,), reply_to=reply_to, **common
    )


def _unsend(raw: Any, common: Common) -> AnyEvent:
    return Deletion(id=_id(raw), target=raw["unsend"]["messageId"], **common)


def _postback(raw: Any, common: Common) -> AnyEvent:
    # LINE sends the date that was picked, but not the label of a button.
    selected = raw["postback"].get("params") or {}
    text = next((selected[name] for name in PICKER_MODES if name in selected), None)
    return Message(id=_id(raw), text=text, choice=raw["postback"]["data"], **common)


def _unfollow(raw: Any, common: Common) -> AnyEvent:
    return Closed(id=_id(raw), **common)


def _id(raw: Any) -> str:
    # A redelivery has the same webhookEventId.
    return f"{raw['type']}:{id_of(raw['webhookEventId'])}"


def _attachment(message: Any) -> Attachment:
    match message["type"]:
        case "file":
            ref = MediaRef(
                {"id": id_of(message["id"]), "prepared": False},
                name=message["fileName"],
                size=message["fileSize"],
            )
            return Attachment(kind_of(None, ref.name), ref)
        case "location":
            described = {"name": message.get("title"), "address": message.get("address")}
            return location(message["latitude"], message["longitude"], **described)
        case "sticker":
            names = ("packageId", "stickerId", "keywords")
            return Attachment("sticker", details={k: message[k] for k in names if k in message})
        case type if type in FILES:
            kind, prepared = FILES[type]
            return Attachment(kind, MediaRef(_locator(message, prepared=prepared)))
        case type:
            return Attachment("unsupported", details={"type": type})


def _locator(message: Any, *, prepared: bool) -> dict[str, Any]:
    provider = message["contentProvider"]
    if provider["type"] == "external":
        return {"url": provider["originalContentUrl"]}
    return {"id": id_of(message["id"]), "prepared": prepared}


READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "message": _message,
    "postback": _postback,
    "unfollow": _unfollow,
    "unsend": _unsend,
}
