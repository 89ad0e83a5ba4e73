"""The content of events for the core, made from the connectors' events."""

from collections.abc import Callable
from typing import Any

import orjson

from gateway.events.attachments import Attachment
from gateway.events.event_types import ConversationData, ConversationEnd, EventType, StatusChange
from gateway.events.messages import Content, EchoedMessage, EditedMessage, OtherMessage
from gateway.events.messages import Notice as NoticeView
from gateway.events.types import Conversation
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


def content_of(message: Message) -> Content:
    """Return the content of a message as its event shows it; optional keys are left out if they are empty."""
    content: Content = {
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


def new_attachment_view(message_id: str, position: int, new: NewAttachment) -> Attachment:
    view: Attachment = {
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


def fact(
    ids: Identifiers,
    reading: Reading,
    event: Any,
    conversation: Conversation,
    find_target: Callable[[str, str], str],
) -> tuple[EventType, ConversationData]:
    """Return type and data of the event for a fact other than a message."""
    connector = reading.connector
    where: ConversationEnd = {"conversation": conversation}

    def target() -> OtherMessage:
        return {"id": find_target(connector, event.target), "platform_id": event.target}

    match event:
        case Reaction(emoji=emoji):
            return "reaction.changed", {**where, "message": target(), "emoji": emoji}
        case Edit(text=text, attachments=attachments):
            edited: EditedMessage = {
                **target(),
                "text": text,
                "transcript": transcript(text, attachments),
            }
            return "message.edited", {**where, "message": edited}
        case Deletion():
            return "message.deleted", {**where, "message": target()}
        case Closed():
            return "conversation.closed", where
        case Echo():
            message = echo_of(event, ids.message(connector, event.message_id), reading.received_at)
            return "message.echoed", {**where, "message": message}
        case Notice():
            return "conversation.notice", {**where, "notice": notice_of(event)}
        case _:
            raise TypeError(f"{type(event).__name__} has no event for the core")


def echo_of(echo: Echo, id: str, received_at: int) -> EchoedMessage:
    return {
        "id": id,
        "platform_id": echo.message_id,
        "sent_at": rfc3339(to_ms(echo.sent_at) if echo.sent_at else received_at),
        "received_at": rfc3339(received_at),
        "text": echo.text,
        "transcript": transcript(echo.text, echo.attachments),
        "reply_to": echo.reply_to,
        "sender_app": echo.sender_app,
    }


def notice_of(notice: Notice) -> NoticeView:
    return {"kind": notice.kind, "text": notice.text, "details": notice.details}


def status_of(
    receipt: Receipt, platform_id: str | None, conversation: Conversation
) -> StatusChange:
    data: StatusChange = {
        "conversation": conversation,
        "message": {"id": None, "platform_id": platform_id},
        "status": receipt.status,
        "reason": receipt.reason,
    }
    if receipt.watermark is not None:
        data["watermark"] = rfc3339(to_ms(receipt.watermark))
    return data
