"""Events from Google's deliveries: messages and events of consumers, and of the platform.

https://developers.google.com/business-communications/rcs-business-messaging/guides/build/events/receive-events
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors import (
    UNDELIVERABLE,
    AnyEvent,
    Attachment,
    MediaRef,
    Message,
    Notice,
    Party,
    Receipt,
    Status,
    Unreadable,
    attach_each,
    failure_from,
    fingerprint,
    id_of,
    kind_of,
    listed,
    location,
    moment,
)

from .opt_out import is_opt_out_word

#: The fields that all events share: `account`, `party`, `sent_at`.
Common = dict[str, Any]

STATUSES: Mapping[str, Status] = {"DELIVERED": "delivered", "READ": "read"}
#: Whether the consumer refuses texts after an event.
SUBSCRIPTIONS: Mapping[str, bool] = {"UNSUBSCRIBE": True, "SUBSCRIBE": False}
#: Digits of the largest size of a file (bytes) that is believed.
LONGEST_SIZE = 15
#: Fields of a message that are not what the consumer said.
FRAME = frozenset(
    {"agentId", "carrier", "eventId", "messageId", "sendTime", "senderPhoneNumber"}
    | {"richMessageClassification"}
)
#: What the core may need beside what was said: Google bills by the classification.
EXTRA = ("carrier", "richMessageClassification")


def read_event(raw: Any, agent: str) -> Iterable[AnyEvent]:
    """The events of one delivery: a UserMessage, UserEvent, ServerEvent or AgentLaunchEvent."""
    phone = raw.get("senderPhoneNumber") or raw.get("phoneNumber")
    # The examples in Google's guide have none.
    sent_at = moment(raw["sendTime"]) if raw.get("sendTime") else None
    if phone is None:
        return [_agent_notice(raw, agent, sent_at)]
    common: Common = {"account": agent, "party": Party(id_of(phone)), "sent_at": sent_at}
    if raw.get("eventType") is None:
        return _message(raw, common)
    return [_event(raw, common)]


def _message(raw: Any, common: Common) -> list[AnyEvent]:
    # Google's reference has a messageId, but the examples of its guide an eventId in its place.
    id = id_of(raw.get("messageId") or raw["eventId"])
    answer = raw.get("suggestionResponse") or {}
    text = raw.get("text") or answer.get("text") or None
    attachments = (
        *attach_each(_file, listed(raw, "userFile")),
        *attach_each(_place, listed(raw, "location")),
    )
    if text is None and not attachments and not answer:
        attachments = (Attachment("unsupported", details={"fields": sorted({*raw} - FRAME)}),)
    message = Message(
        id=id,
        text=text,
        attachments=attachments,
        choice=answer.get("postbackData") or None,
        extra={name: raw[name] for name in EXTRA if raw.get(name)} or None,
        **common,
    )
    if not is_opt_out_word(text, common["party"].id):
        return [message]
    # After the message, which would otherwise mean that the consumer accepts texts again.
    word = Notice(id=f"word:{id}", kind="opt_out", details={"opted_out": True}, **common)
    return [message, word]


def _file(raw: Any) -> Attachment:
    # The thumbnail beside the payload is not read: Airlock makes its own.
    payload = raw["payload"]
    ref = MediaRef(
        {"url": id_of(payload["fileUri"])},
        media_type=payload.get("mimeType"),
        name=payload.get("fileName"),
        size=_size(payload.get("fileSizeBytes")),
    )
    return Attachment(kind_of(ref.media_type, ref.name), ref)


def _size(value: Any) -> int | None:
    """A size in bytes; None if there is none that makes sense. JSON of Protocol Buffers writes large ones as text."""
    digits = str(value)
    return int(digits) if digits.isdecimal() and len(digits) <= LONGEST_SIZE else None


def _place(raw: Any) -> Attachment:
    # Protocol Buffers leave out a coordinate of zero.
    return location(raw.get("latitude", 0.0), raw.get("longitude", 0.0))


def _event(raw: Any, common: Common) -> AnyEvent:
    type = raw["eventType"]
    if type not in READERS:
        raise Unreadable("an event of an unknown type")
    return READERS[type](raw, common)


def _receipt(raw: Any, common: Common) -> AnyEvent:
    status, message = STATUSES[raw["eventType"]], id_of(raw["messageId"])
    return Receipt(id=f"{status}:{message}", status=status, message_ids=(message,), **common)


def _expired(raw: Any, common: Common) -> AnyEvent:
    # Texts expire only if something between Airlock and Google sets a time to live.
    message, type = id_of(raw["messageId"]), raw["eventType"]
    why = failure_from(UNDELIVERABLE, code=type, detail="not delivered before it expired")
    return Receipt(id=f"failed:{message}", status="failed", message_ids=(message,), **why, **common)


def _typing(raw: Any, common: Common) -> AnyEvent:
    return Notice(id=f"typing:{_event_id(raw)}", kind="typing", **common)


def _subscription(raw: Any, common: Common) -> AnyEvent:
    kind, details = raw["eventType"].lower(), {"opted_out": SUBSCRIPTIONS[raw["eventType"]]}
    return Notice(id=f"{kind}:{_event_id(raw)}", kind=kind, details=details, **common)


def _server_notice(raw: Any, common: Common) -> AnyEvent:
    details = {"message_id": raw.get("messageId")}
    kind = raw["eventType"].lower()
    return Notice(id=f"{kind}:{_event_id(raw)}", kind=kind, details=details, **common)


def _agent_notice(raw: Any, agent: str, sent_at: datetime | None) -> Notice:
    """A change of the agent's launch in a region, which concerns no consumer."""
    names = ("regionId", "oldLaunchState", "newLaunchState", "actingParty")
    details = {name: raw[name] for name in names if raw.get(name)}
    if "newLaunchState" not in details:
        raise Unreadable("neither a consumer nor a change of the agent's launch")
    return Notice(
        id=f"launch:{_event_id(raw)}",
        account=agent,
        sent_at=sent_at,
        kind="agent_launch",
        text=raw.get("comment") or None,
        details=details,
    )


def _event_id(raw: Any) -> str:
    return id_of(raw["eventId"]) if raw.get("eventId") else fingerprint(raw)


READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    **dict.fromkeys(STATUSES, _receipt),
    **dict.fromkeys(SUBSCRIPTIONS, _subscription),
    "IS_TYPING": _typing,
    "TTL_EXPIRATION_REVOKED": _expired,
    "TTL_EXPIRATION_REVOKE_FAILED": _server_notice,
}
