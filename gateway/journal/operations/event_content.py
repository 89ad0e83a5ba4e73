"""What a reading says, in the words of the core's events."""

from collections.abc import Callable
from typing import Any

import orjson

from gateway.identifiers import Identifiers, attachment_id
from gateway.journal.records import NewAttachment, Reading
from gateway.timestamps import rfc3339, to_ms
from normalizer.events import (
    Closed,
    Deletion,
    Echo,
    Edit,
    Message,
    Notice,
    Reaction,
    Receipt,
    transcript,
)


def content_of(message: Message) -> dict[str, Any]:
    """What a message says, as its event shows it; optional keys only where there is something to tell."""
    content: dict[str, Any] = {
        "text": message.text,
        "transcript": transcript(message.text, message.attachments),
        "reply_to": message.reply_to,
    }
    if message.forwarded:
        content["forwarded"] = True
    if message.choice is not None:
        content["choice"] = message.choice
    if message.referral is not None:
        content["referral"] = message.referral
    return content


def new_view(message_id: str, position: int, new: NewAttachment) -> dict[str, Any]:
    view: dict[str, Any] = {
        "id": attachment_id(message_id, position),
        "kind": new.kind,
        "state": new.state,
        "reason": new.reason,
        "name": new.name,
        "width": None,
        "height": None,
        "duration_seconds": None,
        "renditions": {},
    }
    if new.details:
        view.update(orjson.loads(new.details))
    return view


Fact = tuple[str, str, dict[str, Any]]


def facts(
    ids: Identifiers, reading: Reading, event: Any, whose: Callable[[str, str], str]
) -> list[Fact]:
    """The core's events for what is no message: (event id, type, data)."""
    connector = reading.connector

    def fact(type: str, data: dict[str, Any], *about: str) -> Fact:
        return ids.event(type, connector, event.id, *about), type, data

    def target() -> dict[str, Any]:
        return {"id": whose(connector, event.target), "platform_id": event.target}

    match event:
        case Reaction(emoji=emoji):
            return [fact("reaction.changed", {"message": target(), "emoji": emoji})]
        case Edit(text=text, attachments=attachments):
            said = {"text": text, "transcript": transcript(text, attachments)}
            return [fact("message.edited", {"message": {**target(), **said}})]
        case Deletion():
            return [fact("message.deleted", {"message": target()})]
        case Closed():
            return [fact("conversation.closed", {})]
        case Echo(message_id=platform_id, text=text, attachments=attachments):
            echoed = {
                "id": ids.message(connector, platform_id),
                "platform_id": platform_id,
                "sent_at": rfc3339(to_ms(event.sent_at) if event.sent_at else reading.received_at),
                "received_at": rfc3339(reading.received_at),
                "text": text,
                "transcript": transcript(text, attachments),
                "reply_to": event.reply_to,
                "sender_app": event.sender_app,
            }
            return [fact("message.echoed", {"message": echoed})]
        case Notice():
            return [fact("conversation.notice", {"notice": notice_of(event)})]
        case _:
            raise TypeError(f"no event of the core stands for {type(event).__name__}")


def notice_of(notice: Notice) -> dict[str, Any]:
    return {"kind": notice.kind, "text": notice.text, "details": notice.details}


def status_of(receipt: Receipt, platform_id: str | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "message": {"id": None, "platform_id": platform_id},
        "status": receipt.status,
        "reason": receipt.reason,
    }
    if receipt.watermark is not None:
        data["watermark"] = rfc3339(to_ms(receipt.watermark))
    return data
