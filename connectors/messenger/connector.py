"""Facebook Messenger: messages to a Page."""

from collections.abc import Generator
from typing import Any, ClassVar

from pydantic import Field

from connectors.capabilities import Capabilities, Limit, offers
from connectors.contract import Call, Download, Reply, Sent, Text, Typing
from connectors.meta import Meta, MetaConfig
from connectors.tools.entries import Unreadable, listed, read_each
from connectors.tools.refusals import Verdict
from connectors.tools.setting_types import Identifier
from normalizer.events import AnyEvent, MediaRef

from .error_codes import CODES, VAGUE
from .events import located, page_of, read_change, read_item, read_standby
from .fields import words_of

#: The arrays that an entry may contain.
ARRAYS = frozenset({"changes", "messaging", "standby"})
#: The name of a person who deleted their account or may not be seen.
_NO_NAME = "Facebook User"
DAY = 86_400.0
#: The reply window if the app may use the tag HUMAN_AGENT.
WEEK = 7 * DAY


class Settings(MetaConfig):
    page_id: Identifier = Field(description="The Page's id; access_token must be its Page token")
    human_agent: bool = Field(
        default=False,
        description="Whether Meta has granted the app Human Agent, to reply within 7 days instead of 24 hours",
    )


class Messenger(Meta[Settings]):
    name = "messenger"
    label = "Facebook Messenger"
    docs = "https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks"
    hosts = frozenset({"graph.facebook.com"})
    # Signed URLs on a CDN, which must not receive our token.
    media_hosts = frozenset({".fbcdn.net", ".fbsbx.com"})
    media_patience = 900.0
    Config = Settings
    object = "page"
    codes = CODES
    vague = VAGUE
    # Messenger has no call that returns a new address.
    refusals: ClassVar = {("download", status): Verdict("expired") for status in (401, 403)}
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "several_photos", "video", "audio", "document", "sticker"),
                *("reply_context", "reaction", "edit", "button", "echo", "delivered", "read"),
                *("send_text", "send_typing", "mark_read"),
            ),
            limited=("location", "deletion"),
        ),
        # https://developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages/
        limits=dict.fromkeys(("photo", "video", "audio", "document"), Limit(max_bytes=25_000_000)),
        max_text=2000,
        reply_window=DAY,
        notes={
            "photo_caption": "photo and text arrive as two messages",
            "video_caption": "video and text arrive as two messages",
            "location": "only from old apps",
            "deletion": "if Meta reports it; this is not documented",
            "failed": "only as the reply to sending, never later",
            "send_text": "within 24 hours of the consumer's last message; 7 days with human_agent",
        },
    )

    @property
    def reply_window(self) -> float:
        return WEEK if self.config.human_agent else DAY

    def read_entry(self, entry: Any) -> list[AnyEvent]:
        if ARRAYS.isdisjoint(entry):
            raise Unreadable("the entry has none of the known arrays")
        # Standby items are addressed to another app that controls the conversation. Agents still see them.
        messaging, standby = listed(entry, "messaging"), listed(entry, "standby")
        page = page_of(entry, [*messaging, *standby])
        items = [
            *read_each(lambda item: read_item(item, page), messaging),
            *read_each(lambda item: read_standby(item, page), standby),
        ]
        return [
            *(located(event, page) for event in items),
            *read_each(lambda change: read_change(change, page), listed(entry, "changes")),
        ]

    def media(self, ref: MediaRef) -> Download:
        return Download(Call("GET", ref.locator["url"], auth=False))

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        # The echo repeats `metadata`, which distinguishes our texts from those written in the Page's inbox.
        message = {"text": out.text, "metadata": out.key}
        reply = yield self._send(out.account, out.to, **self._messaging_type(out), message=message)
        match reply.content:
            case {"message_id": str(id)}:
                return Sent(id)
        raise self.refusal(reply)

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        action = "typing_on" if out.on else "typing_off"
        yield self._send(out.account, out.to, sender_action=action)

    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        del message_id  # mark_seen covers all messages so far
        yield self._send(account, to, sender_action="mark_seen")

    def profile(self, account: str, party: str) -> Generator[Call, Reply, str | None]:
        del account  # a token belongs to one Page
        reply = yield Call("GET", self.graph(party, fields="name,first_name,last_name"))
        match reply.content:
            case {"id": _} | {"name": _} | {"first_name": _} | {"last_name": _}:
                return _name_in(reply.content)
        raise self.refusal(reply)

    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", self.graph(self.config.page_id, fields="name"))
        match reply.content:
            case {"name": str(name)}:
                return name
        raise self.refusal(reply)

    def _messaging_type(self, out: Text) -> dict[str, str]:
        # Without Meta's permission the tag makes every text fail, so it is sent only outside the 24 hours.
        if self.config.human_agent and out.silence > DAY:
            return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        return {"messaging_type": "RESPONSE"}

    def _send(self, account: str, to: str, **fields: Any) -> Call:
        address = self.graph(account or self.config.page_id, "messages")
        return Call("POST", address, json={"recipient": {"id": to}, **fields})


def _name_in(profile: dict[str, Any]) -> str | None:
    """The name in a profile, None if Meta does not reveal it."""
    parts = (words_of(profile.get(field)) for field in ("first_name", "last_name"))
    name = (words_of(profile.get("name")) or " ".join(filter(None, parts))).strip()
    return name if name and name != _NO_NAME else None
