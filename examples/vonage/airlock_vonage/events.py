"""Events from the webhooks of the Messages API v1: consumers' messages, and the statuses of our texts.

https://developer.vonage.com/en/api/messages#webhooks
"""

from collections.abc import Mapping
from typing import Any

from connectors import (
    AnyEvent,
    Message,
    Party,
    Reaction,
    Receipt,
    Status,
    Unreadable,
    failure_from,
    id_of,
    moment,
    read_each,
)

from .content import read_content
from .errors import VERDICTS, code_of, words_of

#: The channels that are read, and the channel of our texts: an MMS is answered by SMS, in the same conversation.
CHANNELS: Mapping[str, str] = {"sms": "sms", "mms": "sms", "whatsapp": "whatsapp"}
STATUSES: Mapping[str, Status] = {
    "submitted": "sent",
    "delivered": "delivered",
    "read": "read",
    "rejected": "failed",
    "undeliverable": "failed",
}


def read_webhook(content: Any) -> list[AnyEvent]:
    return read_each(_event, [content])


def _event(raw: Any) -> AnyEvent:
    channel = CHANNELS.get(raw["channel"])
    if channel is None:
        raise Unreadable("the channel is not SMS, MMS or WhatsApp")
    if raw.get("status") is not None:
        return _status(raw, channel)
    # One number can have both channels, and a consumer is answered by the one they wrote by.
    common: dict[str, Any] = {
        "id": id_of(raw["message_uuid"]),
        "account": f"{channel}:{_number(raw['to'])}",
        "party": _party(raw, "from", "sender"),
        "sent_at": moment(raw["timestamp"]),
    }
    quoted = (raw.get("context") or {}).get("message_uuid")
    if raw["message_type"] == "reaction":
        reaction = raw["reaction"]
        emoji = None if reaction.get("action") == "unreact" else reaction["emoji"]
        return Reaction(target=id_of(quoted), emoji=emoji, **common)
    said = read_content(raw)
    return Message(
        text=said.text,
        attachments=said.attachments,
        choice=said.choice,
        extra=said.extra,
        reply_to=quoted,
        referral=(raw.get("whatsapp") or {}).get("referral"),
        **common,
    )


def _status(raw: Any, channel: str) -> AnyEvent:
    text, status = id_of(raw["message_uuid"]), STATUSES.get(raw["status"])
    if status is None:
        raise Unreadable("an unknown status")
    # Both nestings have been published.
    error = raw.get("error")
    error = (isinstance(error, dict) and error.get("error")) or error
    code = code_of(error)
    failure = failure_from(VERDICTS.get(code or ""), code=code, detail=words_of(error))
    return Receipt(
        id=f"{raw['status']}:{text}",
        account=f"{channel}:{_number(raw['from'])}",
        party=_party(raw, "to", "recipient"),
        sent_at=moment(raw["timestamp"]),
        status=status,
        message_ids=(text,),
        key=raw.get("client_ref") or None,
        **(failure if status == "failed" else {}),
    )


def _party(raw: Any, number: str, role: str) -> Party:
    """The consumer: by number, or by the ID that WhatsApp gives to users who hide theirs behind a username.

    https://developer.vonage.com/en/messages/guides/handling-whatsapp-usernames-and-bsuids. The object is documented
    for statuses (`recipient`); that inbound messages have it too, as `sender`, and may lack the number, is assumed.
    """
    scoped = ((raw.get("whatsapp") or {}).get(role) or {}).get("user_id")
    ids = dict.fromkeys(_number(one) for one in (raw.get(number), scoped) if one is not None)
    if not ids:
        raise Unreadable("neither a number nor an ID of the consumer")
    profile = raw.get("profile") or {}
    id, *aliases = ids
    return Party(id, profile.get("name") or profile.get("username") or None, tuple(aliases))


def _number(value: Any) -> str:
    # Numbers are documented without a plus; with one, the same person would have two conversations.
    return id_of(value).removeprefix("+")
