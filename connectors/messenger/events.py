"""Events from the items of a Messenger delivery: one reader for each key that an item may have."""

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

#: The fields that all events of an item share: `account`, `party`, `sent_at`.
Common = dict[str, Any]

#: Keys of items that become notices: they do not concern agents.
NOTICE_KEYS = (
    *("referral", "optin", "account_linking"),
    *("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles"),
    *("policy_enforcement", "policy-enforcement", "game_play", "order"),
)
#: Credentials. They are removed from events.
SECRET_FIELDS = frozenset({"authorization_code", "notification_messages_token"})
#: Emoji for the reactions that Meta sends by name only.
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
            # Some are about the Page and have no sender.
            named = any((item.get("sender") or {}).values())
            common = _common(item, page) if named else {"account": page}
            return Notice(id=f"{key}:{fingerprint(item)}", kind=key, details=details, **common)
    raise Unreadable("the item has none of the known keys")


def read_change(change: Any, page: str) -> AnyEvent:
    """The notice for a webhook field other than messages."""
    return account_notice(page, change["field"], change.get("value"))


def _common(item: Any, page: str) -> Common:
    # An echo was sent by our side, so the consumer is its recipient.
    echo = (item.get("message") or {}).get("is_echo")
    person = item["recipient" if echo else "sender"]
    # The checkbox plugin sends a user_ref until the consumer writes.
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
    payload = postback.get("payload")  # not sent to an app on standby
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
    # Without a number, edits can be distinguished only by their text.
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
