"""The content of events for the core, made from the connectors' events."""

from collections.abc import Callable
from typing import Any

import orjson

from gateway.events.attachments import Attachment
from gateway.events.event_types import ConversationData, ConversationEnd, EventType, StatusChange
from gateway.events.messages import Content, EchoContent, EditedMessage, OtherMessage
from gateway.events.messages import Notice as NoticeView
from gateway.events.types import Conversation, Explanation
from gateway.identifiers import attachment_id
from gateway.journal.records import NewAttachment, Reading
from gateway.timestamps import rfc3339, to_ms
from normalizer.events import (
    Closed,
    Deletion,
    Echo,
    Edit,
    Identity,
    Message,
    Notice,
    Reaction,
    Receipt,
    transcript,
)


def content_of(message: Message, reply_to_id: str | None) -> Content:
    """Return the content of a message as its event shows it; optional keys are left out if they are empty."""
    content: Content = {
        "text": message.text,
        "transcript": transcript(message.text, message.attachments),
        "reply_to": message.reply_to,
    }
    if message.reply_to is not None:
        content["reply_to_id"] = reply_to_id
    if message.forwarded:
        content["forwarded"] = True
    if message.choice is not None:
        content["choice"] = message.choice
    if message.referral is not None:
        content["referral"] = message.referral
    if message.extra is not None:
        content["extra"] = message.extra
    if message.history:
        content["history"] = True
    return content


def echo_of(echo: Echo, reply_to_id: str | None) -> EchoContent:
    """Return the content of an echo as its event shows it."""
    content: EchoContent = {
        "text": echo.text,
        "transcript": transcript(echo.text, echo.attachments),
        "reply_to": echo.reply_to,
        "sender_app": echo.sender_app,
    }
    if echo.reply_to is not None:
        content["reply_to_id"] = reply_to_id
    if echo.extra is not None:
        content["extra"] = echo.extra
    if echo.history:
        content["history"] = True
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
    explain(view, new.code, new.detail)
    if new.details:
        view.update(orjson.loads(new.details))
    return view


def explain(view: Explanation, code: str | None, detail: str | None) -> None:
    """Add the platform's own code and words, as far as they are known."""
    if code:
        view["code"] = code
    if detail:
        view["detail"] = detail


def fact_of(
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
        case Identity(text=text, former=former):
            notice: NoticeView = {
                "kind": "identity_changed",
                "text": text,
                "details": {"former": list(former)},
            }
            return "conversation.notice", {**where, "notice": notice}
        case Notice():
            return "conversation.notice", {**where, "notice": notice_of(event)}
        case _:
            raise TypeError(f"{type(event).__name__} has no event for the core")


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
    explain(data, receipt.code, receipt.detail)
    if receipt.watermark is not None:
        data["watermark"] = rfc3339(to_ms(receipt.watermark))
    return data
