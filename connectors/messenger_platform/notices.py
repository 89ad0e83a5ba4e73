"""Items of a Messenger delivery that are not messages: links, opt-ins, hand-overs, and Meta's decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.tools.entries import fingerprint
from normalizer.events import Notice

from .fields import mapping_of, object_of, words_of

#: Credentials. They are removed from events.
_SECRET_FIELDS = frozenset(
    {
        *("account_linking_token", "authorization_code", "notification_messages_token"),
        *("one_time_notif_token", "token"),
    }
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What people read, and whether the item is an act of the consumer that opens the 24-hour window.

    The acts are listed under "standard messaging":
    https://developers.facebook.com/documentation/business-messaging/messenger-platform/policy/policy-overview
    """

    text: str | Callable[[dict[str, Any]], str]
    opens: Callable[[dict[str, Any]], bool]


def _followed(details: dict[str, Any]) -> str:
    # An operator reports it of Instagram: https://github.com/Shudesu/ig-harness-oss/issues/20
    if details.get("source") == "STORY_MENTION":
        return "The customer mentioned you in a story"
    ad = words_of(object_of(details.get("ads_context_data")).get("ad_title"))
    through = f"the ad “{ad}”" if ad else "a link or an ad"
    return f"The customer opened this conversation through {through}"


_SUBSCRIPTIONS = frozenset({"notification_messages", "one_time_notif_req"})


def _is_subscription(details: dict[str, Any]) -> bool:
    """Whether an opt-in only permits later notifications. Those of Meta's plug-ins start a conversation."""
    type = words_of(details.get("type"))
    return "notification_messages_status" in details or type in _SUBSCRIPTIONS


def _opted_in(details: dict[str, Any]) -> str:
    if details.get("notification_messages_status") == "STOP_NOTIFICATIONS":
        return "The customer stopped notifications from the Page"
    if _is_subscription(details):
        return "The customer agreed to notifications from the Page"
    return "The customer opened this conversation through a button on a website"


def _linked(details: dict[str, Any]) -> str:
    removed = details.get("status") == "unlinked"
    return f"The customer {'unlinked' if removed else 'linked'} their account"


_DECISIONS = {"block": "Meta restricted the Page", "unblock": "Meta lifted the Page's restriction"}


def _enforced(details: dict[str, Any]) -> str:
    reason = words_of(details.get("reason"))
    decision = _DECISIONS.get(str(details.get("action")), "Meta warned the Page")
    return f"{decision}: {reason}" if reason else decision


def _always(details: dict[str, Any]) -> bool:
    del details
    return True


def _never(details: dict[str, Any]) -> bool:
    del details
    return False


_POLICY = _Kind(_enforced, _never)

#: The keys of items that become notices.
_KINDS: Mapping[str, _Kind] = {
    "referral": _Kind(_followed, _always),
    "optin": _Kind(_opted_in, lambda details: not _is_subscription(details)),
    "account_linking": _Kind(_linked, _always),
    "game_play": _Kind("The customer played a game", _always),
    "pass_thread_control": _Kind("An app passed on control of this conversation", _never),
    "take_thread_control": _Kind("An app took control of this conversation", _never),
    "request_thread_control": _Kind("An app asked for control of this conversation", _never),
    "app_roles": _Kind("The roles of the Page's apps changed", _never),
    "policy_enforcement": _POLICY,
    "policy-enforcement": _POLICY,
}


def notice_of(item: dict[str, Any], common: Mapping[str, Any]) -> Notice | None:
    """The notice in an item; None if it is not one. `common` is the account and perhaps the consumer."""
    for key, kind in _KINDS.items():
        if item.get(key) is not None:
            details = without_secrets(mapping_of(item[key])) or {}
            return Notice(
                id=f"{key}:{fingerprint(item)}",
                kind=key,
                text=kind.text if isinstance(kind.text, str) else kind.text(details),
                details=details,
                opens_window="party" in common and kind.opens(details),
                **common,
            )
    return None


def without_secrets(value: Any) -> Any:
    """The value without credentials, on every level."""
    match value:
        case dict():
            return {k: without_secrets(v) for k, v in value.items() if k not in _SECRET_FIELDS}
        case list():
            return [without_secrets(part) for part in value]
    return value
