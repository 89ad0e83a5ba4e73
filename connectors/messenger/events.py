"""What an item of a Messenger delivery tells: one reader for each key it may have."""

from collections.abc import Callable, Mapping
from typing import Any

from connectors.meta import account_notice
from connectors.tools.entries import (
    Unreadable,
    fingerprint,
    id_of,
    listed,
    parse_timestamp,
)
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
)

from .content import attachments_of, text_of

#: What all events of one item share: `account`, `party`, `sent_at`.
Common = dict[str, Any]

#: Keys of an item that say nothing to an agent.
NOTICE_KEYS = (
    *("referral", "optin", "account_linking"),
    *("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"),
    *("policy_enforcement", "policy-enforcement", "game_play", "order"),
)
#: What opens doors, and nobody who reads events needs.
SECRET_FIELDS = frozenset({"authorization_code", "notification_messages_token"})
#: Where Meta names a reaction and shows no character.
EMOJI = {
    "smile": "😆",
    "angry": "😠",
    "sad": "😢",
    "wow": "😮",
    "love": "❤️",
    "like": "👍",
    "dislike": "👎",
}


def read_item(item: Any, page: str) -> AnyEvent:
    """The one event of an item of `messaging` or `standby`."""
    for key, read in READERS.items():
        if key in item:
            return read(item, _common(item, page))
    for key in NOTICE_KEYS:
        if key in item:
            details = {k: value for k, value in item[key].items() if k not in SECRET_FIELDS}
            # Some are about the Page and name nobody.
            named = any((item.get("sender") or {}).values())
            common = _common(item, page) if named else {"account": page}
            return Notice(id=f"{key}:{fingerprint(item)}", kind=key, details=details, **common)
    raise Unreadable("an item with no key that is known")


def read_change(change: Any, page: str) -> AnyEvent:
    """A field the app subscribes to besides messages."""
    return account_notice(page, change["field"], change.get("value"))


def _common(item: Any, page: str) -> Common:
    # In an echo our side wrote, and the consumer is who received it.
    echo = (item.get("message") or {}).get("is_echo")
    person = item["recipient" if echo else "sender"]
    # The checkbox plugin knows a user_ref until the consumer writes.
    party = Party(id_of(person.get("id") or person["user_ref"]))
    sent_at = None if item.get("timestamp") is None else parse_timestamp(item["timestamp"])
    return {"account": page, "party": party, "sent_at": sent_at}


def _message(item: Any, common: Common) -> AnyEvent:
    message = item["message"]
    mid = message["mid"]
    if message.get("is_deleted"):
        return Deletion(id=f"deletion:{mid}", target=mid, **common)
    content: dict[str, Any] = {
        "text": text_of(message),
        "attachments": attachments_of(message),
        "reply_to": (message.get("reply_to") or {}).get("mid"),
    }
    if message.get("is_echo"):
        app = message.get("app_id")
        return Echo(
            id=f"echo:{mid}",
            message_id=mid,
            key=message.get("metadata"),
            sender_app=None if app is None else str(app),
            **content,
            **common,
        )
    choice = (message.get("quick_reply") or {}).get("payload")
    return Message(id=mid, choice=choice, referral=message.get("referral"), **content, **common)


def _postback(item: Any, common: Common) -> AnyEvent:
    postback = item["postback"]
    payload = postback.get("payload")  # withheld from an app on standby
    made_id = _id("postback", common, item.get("timestamp"), fingerprint(payload))
    return Message(
        id=postback.get("mid") or made_id,
        text=postback.get("title") or None,
        choice=payload,
        referral=postback.get("referral"),
        **common,
    )


def _reaction(item: Any, common: Common) -> AnyEvent:
    reaction = item["reaction"]
    target, action, name = reaction["mid"], reaction["action"], reaction.get("reaction")
    emoji = reaction.get("emoji") or EMOJI.get(name, name)
    return Reaction(
        id=_id("reaction", common, target, action, item.get("timestamp")),
        target=target,
        emoji=None if action == "unreact" else emoji,
        **common,
    )


def _edit(item: Any, common: Common) -> AnyEvent:
    edit = item["message_edit"]
    mid, text = edit["mid"], edit["text"] or None
    # Without a number only the words tell one edit from another.
    number = edit.get("num_edit") or fingerprint(text)
    return Edit(id=f"edit:{mid}:{number}", target=mid, text=text, **common)


def _receipt(status: Status) -> Callable[[Any, Common], AnyEvent]:
    key = {"delivered": "delivery", "read": "read"}[status]

    def read(item: Any, common: Common) -> AnyEvent:
        watermark = item[key]["watermark"]
        return Receipt(
            id=_id(key, common, watermark),
            status=status,
            message_ids=tuple(listed(item[key], "mids")),
            watermark=parse_timestamp(watermark),
            **common,
        )

    return read


def _id(kind: str, common: Common, *parts: Any) -> str:
    return ":".join([kind, common["party"].id, *(str(part) for part in parts if part is not None)])


READERS: Mapping[str, Callable[[Any, Common], AnyEvent]] = {
    "message": _message,
    "postback": _postback,
    "reaction": _reaction,
    "message_edit": _edit,
    "delivery": _receipt("delivered"),
    "read": _receipt("read"),
}
