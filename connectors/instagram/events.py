"""Events from the items of an Instagram delivery, where they differ from Messenger's."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from connectors.messenger_platform.events import Reader, common_of_notice, consumer_of
from connectors.messenger_platform.fields import object_of
from connectors.tools.entries import fingerprint, id_of
from normalizer.events import AnyEvent, Message, Notice

from .stories import Addresses, story_replied_to

_REPLIED = "The customer replied to your story"
_UNTOLD = "Instagram announced a message, but did not deliver what it says"


@dataclass(frozen=True, slots=True)
class InstagramReader(Reader):
    """Reads the items of Instagram."""

    def item(self, item: Any, page: str) -> AnyEvent:
        item = object_of(item)
        if _is_untold(item):
            return _untold(item, page)
        if _is_to_oneself(item, page):
            details = object_of(item["message"])
            return Notice(
                id=f"self:{fingerprint(item)}", account=page, kind="self_message", details=details
            )
        # Without arguments, super() does not work in a dataclass with slots.
        return super(InstagramReader, self).item(item, page)


def with_stories(event: AnyEvent, item: Any, addresses: Addresses) -> Iterator[AnyEvent]:
    """The event of an item, with the story to which it replies: a line before it, and the story as its last file."""
    story = story_replied_to(object_of(object_of(item).get("message")))
    if story is None or not isinstance(event, Message):
        yield event
        return
    yield Notice(
        id=f"story_reply:{event.id}",
        account=event.account,
        party=event.party,
        sent_at=event.sent_at,
        kind="story_reply",
        text=_REPLIED,
        details={"story": addresses.without_file(story)},
    )
    attachment = addresses.story(story)
    if attachment is None:
        yield event
        return
    # The address of a file is a signature, which only its attachment needs.
    extra = {**(event.extra or {}), "reply_to": {"story": addresses.without_file(story)}}
    yield replace(event, attachments=(*event.attachments, attachment), extra=extra)


def is_item(value: dict[str, Any], page: str) -> bool:
    """Whether the value of a webhook field other than messages is an item.

    The test button of Meta's dashboard sends messages in this form, and hand-overs are documented in it:
    https://developers.facebook.com/docs/graph-api/webhooks/reference/instagram
    """
    return "recipient" in value and consumer_of(value, page) is not None


def _is_to_oneself(item: dict[str, Any], page: str) -> bool:
    """Whether the account wrote to itself, which is nobody's conversation."""
    people = [object_of(item.get(name)).get("id") for name in ("sender", "recipient")]
    return bool(object_of(item.get("message"))) and people == [page, page]


def _is_untold(item: dict[str, Any]) -> bool:
    """Whether an item announces a message without its content, as the edit number 0 of nothing.

    Operators report it for apps in development mode and with partial permissions; some items name nobody.
    """
    edit = object_of(item.get("message_edit"))
    return bool(edit) and edit.get("text") is None


def _untold(item: dict[str, Any], page: str) -> AnyEvent:
    # The message itself may follow, so this event must not have its id.
    edit = object_of(item["message_edit"])
    common = common_of_notice(item, page)
    return Notice(
        id=f"message_edit:{id_of(edit.get('mid'))}:{fingerprint(edit)}",
        kind="message_edit",
        text=_UNTOLD,
        details=edit,
        opens_window="party" in common,
        **common,
    )
