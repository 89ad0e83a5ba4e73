"""Events from the items of a delivery: one function for each key that an item may have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.tools.entries import Unreadable, fingerprint, id_of, listed, parse_timestamp
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
    with_content,
)

from .content import WORDS, CardStyle, content_of
from .fields import is_set, mapping_of, name_of, object_of, required_object, time_of, words_of
from .forms import FORMS, form_content
from .notices import notice_of

#: The fields that all events of an item share: `account`, `party`, `sent_at`.
Common = dict[str, Any]

#: The fields of an item that say who, to whom and when.
_ENVELOPE = frozenset({"sender", "recipient", "timestamp"})
#: Emoji for the reactions that Meta sends by name only.
EMOJI = {
    **dict.fromkeys(("laugh", "smile"), "😆"),
    "angry": "😠",
    "sad": "😢",
    "wow": "😮",
    "love": "❤️",
    "like": "👍",
    "dislike": "👎",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the items of one platform."""

    style: CardStyle = WORDS

    def item(self, item: Any, page: str) -> AnyEvent:
        """Return the one event of an item of `messaging`."""
        item = object_of(item)
        if item.get("message") is not None:
            return self._complete(_message(item, _common(item, page), self.style), item, "message")
        for key, read in READERS.items():
            if item.get(key) is not None:
                return self._complete(read(item, _common(item, page)), item, key)
        # Some notices are about the Page and have no sender.
        notice = notice_of(item, common_of_notice(item, page))
        if notice is None:
            raise Unreadable("the item has none of the known keys")
        return notice

    def standby(self, item: Any, page: str) -> AnyEvent:
        """Return the event of an item that is addressed to another app, which controls the conversation."""
        return _with_data(self.item(item, page), {"standby": True})

    def _complete(self, event: AnyEvent, item: dict[str, Any], key: str) -> AnyEvent:
        beside = {k: v for k, v in item.items() if k not in {*_ENVELOPE, key}}
        return with_content(_with_data(event, beside))


def _with_data(event: AnyEvent, beside: dict[str, Any]) -> AnyEvent:
    """A message with the fields that its item has beside it; other events have no place for them."""
    known = {name: value for name, value in beside.items() if value is not None}
    if not known or not isinstance(event, Message | Echo):
        return event
    extra = {**(event.extra or {}), **(mapping_of(known) or {})}
    if isinstance(event, Message):
        referral = event.referral or mapping_of(known.get("referral"))
        return replace(event, extra=extra, referral=referral)
    return replace(event, extra=extra)


def located(event: AnyEvent, page: str) -> AnyEvent:
    """An event; an item that could not be read is assigned to its conversation, as far as that is known."""
    if not isinstance(event, Unknown):
        return event
    item = object_of(event.raw)
    consumer = consumer_of(item, page)
    if consumer is None:
        return replace(event, account=page)
    return replace(
        event,
        account=page,
        party=Party(consumer),
        sent_at=time_of(item.get("timestamp")),
        opens_window=not (_is_echo(item, page) or item.keys() & _RECEIPTS.keys()),
    )


def page_of(entry: dict[str, Any], items: list[Any]) -> str:
    """The id of an entry's Page. If the entry has none, its first item names the Page as the recipient or sender."""
    id = name_of(entry.get("id"))
    for item in (object_of(one) for one in items if id is None):
        id = id or _person(item.get("sender" if _is_echo(item, "") else "recipient"))
    return id_of(id)


def consumer_of(item: dict[str, Any], page: str) -> str | None:
    """The id of the person: the sender, or the recipient of what our side did. None if the item names nobody else."""
    sender, recipient = _person(item.get("sender")), _person(item.get("recipient"))
    found = recipient if _is_echo(item, page) else sender
    return None if found == page else found


def _is_echo(item: dict[str, Any], page: str) -> bool:
    """Whether our side did it. Edits of echoes have no mark of their own."""
    sender = _person(item.get("sender"))
    marked = is_set(object_of(item.get("message")).get("is_echo"))
    return sender == page or (marked and _person(item.get("recipient")) != page)


def _person(raw: Any) -> str | None:
    # The checkbox plugin sends a user_ref until the consumer writes.
    person = object_of(raw)
    return name_of(person.get("id")) or name_of(person.get("user_ref"))


def _common(item: dict[str, Any], page: str) -> Common:
    consumer = consumer_of(item, page)
    if consumer is None:
        raise Unreadable("the item does not name the consumer")
    return {"account": page, "party": Party(consumer), "sent_at": time_of(item.get("timestamp"))}


def common_of_notice(item: dict[str, Any], page: str) -> Common:
    """The fields that a notice shares with other events; one that names no consumer is about the account."""
    return {"account": page} if consumer_of(item, page) is None else _common(item, page)


def _message(item: Any, common: Common, style: CardStyle) -> AnyEvent:
    message = required_object(item, "message")
    if is_set(message.get("is_deleted")):
        mid = id_of(message.get("mid"))
        return Deletion(id=f"deletion:{mid}", target=mid, **common)
    mid = name_of(message.get("mid")) or _id("message", common, fingerprint(item))
    reply_to = name_of(object_of(message.get("reply_to")).get("mid"))
    is_echo = _is_echo(item, common["account"])
    content = {**common, **content_of(message, is_echo=is_echo, style=style), "reply_to": reply_to}
    if is_echo:
        return _echo(mid, message, content)
    choice = words_of(object_of(message.get("quick_reply")).get("payload"))
    return Message(id=mid, choice=choice, referral=mapping_of(message.get("referral")), **content)


def _echo(mid: str, message: dict[str, Any], content: dict[str, Any]) -> Echo:
    return Echo(
        id=f"echo:{mid}",
        message_id=mid,
        key=name_of(message.get("metadata")),
        sender_app=name_of(message.get("app_id")),
        **content,
    )


def _postback(item: Any, common: Common) -> AnyEvent:
    postback = required_object(item, "postback")
    payload = postback.get("payload")  # not sent to an app on standby
    made_id = _id("postback", common, item.get("timestamp"), fingerprint(payload))
    unread = {k: v for k, v in postback.items() if k not in _POSTBACK_FIELDS}
    if payload is not None and words_of(payload) is None:
        unread["payload"] = payload
    return Message(
        id=name_of(postback.get("mid")) or made_id,
        text=words_of(postback.get("title")),
        choice=words_of(payload),
        referral=mapping_of(postback.get("referral")),
        extra=mapping_of(unread),
        **common,
    )


def _form(key: str) -> Callable[[Any, Common], AnyEvent]:
    def read(item: Any, common: Common) -> AnyEvent:
        return Message(
            id=_id(key, common, item.get("timestamp"), fingerprint(item[key])),
            **form_content(key, item[key]),
            **common,
        )

    return read


def _reaction(item: Any, common: Common) -> AnyEvent:
    reaction = required_object(item, "reaction")
    target, name = id_of(reaction.get("mid")), words_of(reaction.get("reaction"))
    action = words_of(reaction.get("action")) or "react"
    id = _id("reaction", common, target, action, item.get("timestamp"))
    if _is_echo(item, common["account"]):  # an event of this kind is the consumer's
        return Notice(id=id, kind="reaction", details=mapping_of(reaction), **common)
    emoji = words_of(reaction.get("emoji")) or EMOJI.get(name or "", name)
    shown = None if action == "unreact" else emoji
    return Reaction(id=id, target=target, emoji=shown, opens_window=True, **common)


def _edit(item: Any, common: Common) -> AnyEvent:
    edit = required_object(item, "message_edit")
    mid, text = id_of(edit.get("mid")), words_of(edit["text"])
    # Without a number, edits can be distinguished only by their text.
    number = edit.get("num_edit") or fingerprint(text)
    return Edit(id=f"edit:{mid}:{number}", target=mid, text=text, **common)


def _receipt(status: Status, key: str) -> Callable[[Any, Common], AnyEvent]:
    def read(item: Any, common: Common) -> AnyEvent:
        receipt = required_object(item, key)
        watermark = receipt.get("watermark")
        named = [*listed(receipt, "mids"), *listed(receipt, "mid")]
        ids = tuple(filter(None, map(name_of, named)))
        # Without a time, the receipt applies to the messages that it names.
        until = time_of(watermark) if ids else parse_timestamp(watermark)
        return Receipt(
            id=_id(key, common, watermark if until else fingerprint(receipt)),
            status=status,
            message_ids=ids,
            watermark=until,
            **common,
        )

    return read


def _id(kind: str, common: Common, *parts: Any) -> str:
    return ":".join([kind, common["party"].id, *(str(part) for part in parts if part is not None)])


_POSTBACK_FIELDS = frozenset({"mid", "payload", "referral", "title"})
_RECEIPTS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "delivery": _receipt("delivered", "delivery"),
    "read": _receipt("read", "read"),
}
READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "postback": _postback,
    "reaction": _reaction,
    "message_edit": _edit,
    **_RECEIPTS,
    **{key: _form(key) for key in FORMS},
}
