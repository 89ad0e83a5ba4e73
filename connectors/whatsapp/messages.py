"""Events from the messages of consumers: content, reactions, edits, deletions, and notices."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from connectors.tools.entries import Unreadable, id_of, read_each
from normalizer.events import AnyEvent, Deletion, Edit, Message, Notice, Reaction, Unknown

from .content import content, type_of
from .fields import fields, time_of, words
from .identities import system_event
from .people import Change

#: The fields that all events about one person share: `account`, `party`, `sent_at`.
Common = dict[str, Any]
#: The id of an old message whose file Meta sends separately, as a message with the plain id.


def read_messages(raw: Any, change: Change) -> list[AnyEvent]:
    """The event of one entry of `messages`."""
    events = read_each(lambda one: _message(one, change), [raw])
    # Read again with the sender, who may be what cannot be read.
    return read_each(lambda one: [_with_sender(event, one, change) for event in events], [raw])


def _with_sender(event: AnyEvent, raw: Any, change: Change) -> AnyEvent:
    """A message that cannot be read belongs to its sender's conversation, too, and it opened the reply window."""
    if not isinstance(event, Unknown) or event.party is not None or not isinstance(raw, dict):
        return event
    party = change.find_party(raw.get("from_user_id"), raw.get("from"))
    if party is None:
        return event
    opens = type_of(raw) not in _NOT_WRITTEN
    return replace(
        event, account=change.account, party=party, sent_at=time_of(raw), opens_window=opens
    )


def _message(raw: Any, change: Change) -> AnyEvent:
    if type_of(raw) == "system":
        return system_event(raw, change)
    common: Common = {
        "account": change.account,
        "party": change.party(raw.get("from_user_id"), raw.get("from")),
        "sent_at": time_of(raw),
    }
    if raw.get("group_id"):
        # A reply would go to the sender only, who wrote to a group.
        reason = "group messages are not supported"
        return Unknown(id=f"unknown:{id_of(raw['id'])}", reason=reason, raw=raw, **common)
    return read_message(raw, common)


def read_message(raw: Mapping[str, Any], common: Common, *, history: bool = False) -> AnyEvent:
    """The event of a message from a consumer, apart from system messages."""
    if reader := _READERS.get(_type(raw)):
        event = reader(raw, common)
        return _without_window(event) if history else event
    body, context = content(raw, common["account"]), fields(raw.get("context"))
    product = fields(context.get("referred_product"))
    extra = {**(body.extra or {}), **({"referred_product": product} if product else {})}
    return Message(
        id=id_of(raw["id"]),
        text=body.text,
        attachments=body.attachments,
        choice=body.choice,
        reply_to=words(context.get("id")),
        forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),
        referral=fields(raw.get("referral")) or product or None,
        extra=extra or None,
        history=history,
        **common,
    )


def _without_window(event: AnyEvent) -> AnyEvent:
    return replace(event, opens_window=False) if isinstance(event, Notice | Reaction) else event


def _type(raw: Mapping[str, Any]) -> str:
    type = type_of(raw) or ""
    # The only interactive answer that is not a message.
    is_permission = fields(raw.get(type)).get("type") == _PERMISSION and type == "interactive"
    return _PERMISSION if is_permission else type


def _reaction(raw: Mapping[str, Any], common: Common) -> AnyEvent:
    reaction = raw["reaction"]
    emoji = words(reaction.get("emoji"))
    return Reaction(
        id=f"reaction:{id_of(raw['id'])}",
        target=id_of(reaction["message_id"]),
        emoji=emoji,
        # Meta does not say whether a reaction opens the window. If it does not, Meta refuses the text and says so.
        opens_window=emoji is not None,
        **common,
    )


def edit(raw: Mapping[str, Any], common: Common) -> AnyEvent:
    target, new = id_of(raw["edit"]["original_message_id"]), raw["edit"]["message"]
    if not isinstance(new, dict):
        raise Unreadable("the edit has no new content")
    body = content(new, common["account"])
    return Edit(
        id=f"edit:{id_of(raw['id'])}",
        target=target,
        text=body.text,
        attachments=body.attachments,
        **common,
    )


def revoke(raw: Mapping[str, Any], common: Common) -> AnyEvent:
    target = id_of(raw["revoke"]["original_message_id"])
    return Deletion(id=f"revoke:{id_of(raw['id'])}", target=target, **common)


def _welcome(raw: Mapping[str, Any], common: Common) -> AnyEvent:
    # The business may greet the consumer, who has not written yet.
    return Notice(
        id=f"request_welcome:{id_of(raw['id'])}",
        kind="request_welcome",
        text="The consumer opened the chat for the first time.",
        details=fields(raw.get("request_welcome")) or None,
        opens_window=True,
        **common,
    )


def _permission(raw: Mapping[str, Any], common: Common) -> AnyEvent:
    reply = fields(raw["interactive"].get(_PERMISSION))
    # A permission can also be the automatic consequence of a call.
    is_automatic = reply.get("response_source") == "automatic"
    return Notice(
        id=f"{_PERMISSION}:{id_of(raw['id'])}",
        kind=_PERMISSION,
        text=_permission_in_words(reply),
        details=raw["interactive"],
        opens_window=not is_automatic,
        **common,
    )


def _permission_in_words(reply: Mapping[str, Any]) -> str:
    match reply.get("response"), reply.get("is_permanent"):
        case "accept", True:
            return "The consumer allows calls permanently."
        case "accept", _:
            return "The consumer allows calls."
        case "reject", _:
            return "The consumer does not allow calls."
        case _:
            return "The consumer answered the request for calls."


_PERMISSION = "call_permission_reply"
#: Types that the consumer has not written.
_NOT_WRITTEN = frozenset({"system"})

_READERS: Mapping[str, Callable[[Mapping[str, Any], Common], AnyEvent]] = {
    "call_permission_reply": _permission,
    "edit": edit,
    "reaction": _reaction,
    "request_welcome": _welcome,
    "revoke": revoke,
}
