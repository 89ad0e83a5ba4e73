"""Events from the changes of a WhatsApp delivery: messages, statuses, echoes, and notices about the account."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connectors.meta import account_notice
from connectors.tools.entries import Unreadable, id_of, listed, parse_timestamp, read_each
from normalizer.events import (
    AnyEvent,
    Deletion,
    Echo,
    Edit,
    Message,
    Notice,
    Party,
    Reaction,
    Receipt,
    Status,
    Unknown,
)

from .content import content, type_of
from .error_codes import CODES

#: The fields that all events about one person share: `account`, `party`, `sent_at`.
Common = dict[str, Any]
#: Contacts by each of their ids. The only contact is also under NO_ID, for messages without a sender.
Contacts = dict[str, Any]
NO_ID = ""

STATUSES: Mapping[str, Status] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",  # a voice message that was played was also read
    "failed": "failed",
}
#: Old statuses that become notices.
IGNORED_STATUSES = frozenset({"deleted", "warning"})
#: The arrays that a change of messages may contain, apart from contacts.
ARRAYS = frozenset({"errors", "messages", "statuses"})


def read_change(change: Any, business: str) -> list[AnyEvent]:
    """The events of one change. `business` is the account if the change names no phone number."""
    field, value = change["field"], change["value"]
    if not isinstance(value, dict) and field != "messages":
        return read_each(lambda raw: account_notice(business, field, raw), [value])
    account = id_of((value.get("metadata") or {}).get("phone_number_id") or business)
    if field == "smb_message_echoes":
        return read_each(lambda raw: _echo(raw, account), listed(value, "message_echoes"))
    if field != "messages":
        return read_each(lambda raw: account_notice(account, field, raw), [value])
    if ARRAYS.isdisjoint(value):
        raise Unreadable("the change has none of the known arrays")
    contacts = _contacts_by_id(value)
    return [
        *read_each(lambda raw: _message(raw, account, contacts), listed(value, "messages")),
        *read_each(lambda raw: _receipt(raw, account, contacts), listed(value, "statuses")),
        *read_each(lambda raw: account_notice(account, "errors", raw), listed(value, "errors")),
    ]


def _message(raw: Any, account: str, contacts: Contacts) -> AnyEvent:
    common: Common = {
        "account": account,
        "party": _party(contacts, raw.get("from_user_id"), raw.get("from")),
        "sent_at": parse_timestamp(raw["timestamp"]),
    }
    if raw.get("group_id"):
        # A reply would go to the sender only, who wrote to a group.
        return _unknown(raw, "group messages are not supported", common)
    return READERS.get(_type(raw), _content_message)(raw, common)


def _type(raw: Any) -> str:
    type: str = type_of(raw)
    # The only interactive answer that does not concern agents.
    is_permission_reply = type == "interactive" and raw[type].get("type") == "call_permission_reply"
    return "call_permission_reply" if is_permission_reply else type


def _content_message(raw: Any, common: Common) -> AnyEvent:
    body, context = content(raw, common["account"]), raw.get("context") or {}
    if body is None:
        return _unknown(raw, "unknown message type", common)
    return Message(
        id=raw["id"],
        text=body.text,
        attachments=body.attachments,
        choice=body.choice,
        reply_to=context.get("id"),
        forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),
        referral=raw.get("referral") or context.get("referred_product"),
        **common,
    )


def _reaction(raw: Any, common: Common) -> AnyEvent:
    target, emoji = raw["reaction"]["message_id"], raw["reaction"].get("emoji")
    return Reaction(id=f"reaction:{id_of(raw['id'])}", target=target, emoji=emoji or None, **common)


def _edit(raw: Any, common: Common) -> AnyEvent:
    target, new = raw["edit"]["original_message_id"], raw["edit"]["message"]
    body = content(new, common["account"])
    if body is None:
        return _unknown(raw, "edit to an unknown message type", common)
    return Edit(
        id=f"edit:{id_of(raw['id'])}",
        target=target,
        text=body.text,
        attachments=body.attachments,
        **common,
    )


def _revoke(raw: Any, common: Common) -> AnyEvent:
    target = raw["revoke"]["original_message_id"]
    return Deletion(id=f"revoke:{id_of(raw['id'])}", target=target, **common)


def _system(raw: Any, common: Common) -> AnyEvent:
    system = raw["system"]
    # The same person's new number or id.
    new = (system.get("user_id"), system.get("wa_id"), system.get("new_wa_id"))
    party = common["party"]
    party = replace(party, aliases=_distinct(party.id, *party.aliases, *new)[1:])
    kind, text = system.get("type") or "system", system.get("body")
    common = {**common, "party": party}
    return Notice(id=f"system:{id_of(raw['id'])}", kind=kind, text=text, details=system, **common)


def _notice(raw: Any, common: Common) -> AnyEvent:
    kind = _type(raw)
    details = raw.get(type_of(raw))
    return Notice(id=f"{kind}:{id_of(raw['id'])}", kind=kind, details=details, **common)


def _receipt(raw: Any, account: str, contacts: Contacts) -> AnyEvent:
    id, word = id_of(raw["id"]), raw["status"]
    common: Common = {
        "id": f"status:{id}:{word}",
        "account": account,
        "party": _party(contacts, raw.get("recipient_user_id"), raw.get("recipient_id")),
        "sent_at": parse_timestamp(raw["timestamp"]),
    }
    if word in IGNORED_STATUSES:
        return Notice(kind=word, details=raw, **common)
    if word not in STATUSES:
        return Unknown(reason="unknown status", raw=raw, **common)
    return Receipt(
        status=STATUSES[word],
        message_ids=(id,),
        key=raw.get("biz_opaque_callback_data"),
        reason=_reason(raw),
        **common,
    )


def _reason(raw: Any) -> str | None:
    for error in listed(raw, "errors"):
        known = CODES.get(error["code"])
        return known.reason if known else f"code {error['code']}"
    return None


def _echo(raw: Any, account: str) -> AnyEvent:
    common: Common = {
        "id": f"echo:{id_of(raw['id'])}",
        "account": account,
        "party": _party({}, raw.get("to_user_id"), raw.get("to")),
        "sent_at": parse_timestamp(raw["timestamp"]),
    }
    body = content(raw, account)
    if body is None:
        return Notice(kind=f"echo.{_type(raw)}", details=raw, **common)
    return Echo(
        message_id=raw["id"],
        text=body.text,
        attachments=body.attachments,
        reply_to=(raw.get("context") or {}).get("id"),
        **common,
    )


def _unknown(raw: Any, reason: str, common: Common) -> Unknown:
    return Unknown(id=f"unknown:{id_of(raw['id'])}", reason=reason, raw=raw, **common)


def _contacts_by_id(value: Any) -> Contacts:
    """The contacts of a change by each of their ids: contacts are not in the order of the messages."""
    known = [contact for contact in listed(value, "contacts") if isinstance(contact, dict)]
    contacts: Contacts = {
        id: contact for contact in known for id in _ids(contact, "wa_id", "user_id")
    }
    if len(known) == 1:
        contacts |= dict.fromkeys((NO_ID, *_sole_sender(value, contacts)), known[0])
    return contacts


def _sole_sender(value: Any, contacts: Contacts) -> tuple[str, ...]:
    """The only sender's ids, if no contact has them: in some countries they differ from the contact's by a digit."""
    messages = [raw for raw in listed(value, "messages") if isinstance(raw, dict)]
    senders = {_ids(raw, "from_user_id", "from") for raw in messages} - {()}
    is_unmatched = len(senders) == 1 and contacts.keys().isdisjoint(*senders)
    return senders.pop() if is_unmatched else ()


def _party(contacts: Contacts, user_id: Any, number: Any) -> Party:
    """The consumer. The user id takes precedence, because it is permanent and a number may be hidden."""
    known = _distinct(user_id, number) or (NO_ID,)
    contact: Any = next((contacts[id] for id in known if id in contacts), {})
    ids = _distinct(user_id, contact.get("user_id"), number, contact.get("wa_id"))
    if not ids:
        raise Unreadable("no sender or recipient")
    profile = contact.get("profile") or {}
    return Party(ids[0], profile.get("name") or profile.get("username"), ids[1:])


def _ids(raw: Any, *names: str) -> tuple[str, ...]:
    return _distinct(*(raw.get(name) for name in names))


def _distinct(*ids: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id_of(id) for id in ids if id is not None and id != ""))


READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "call_permission_reply": _notice,
    "edit": _edit,
    "reaction": _reaction,
    "request_welcome": _notice,
    "revoke": _revoke,
    "system": _system,
}
