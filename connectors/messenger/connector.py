"""Facebook Messenger: messages to one or several Pages."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from connectors.capabilities import Capabilities, Limit, offers
from connectors.contract import Text
from connectors.messenger_platform.accounts import AccountsConfig, Tokens
from connectors.messenger_platform.connector import DAY, MessengerPlatform
from connectors.messenger_platform.error_codes import CODES
from connectors.messenger_platform.fields import words_of
from connectors.tools.setting_types import Identifier

#: The name of a person who deleted their account or may not be seen.
_NO_NAME = "Facebook User"


class Settings(AccountsConfig):
    single, several, noun = "page_id", "pages", "Page"

    page_id: Identifier | None = Field(
        default=None, description="The Page's id; access_token must be its Page token"
    )
    pages: Tokens | None = Field(
        default=None,
        description="Several Pages of one app: their Page tokens by their ids, in place of page_id and access_token",
    )


class Messenger(MessengerPlatform[Settings]):
    name = "messenger"
    label = "Facebook Messenger"
    docs = "https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks"
    hosts = frozenset({"graph.facebook.com"})
    # Signed URLs on a CDN, which must not receive our token.
    media_hosts = frozenset({".fbcdn.net", ".fbsbx.com"})
    Config = Settings
    object = "page"
    codes = CODES
    profile_fields = "name,first_name,last_name"
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

    def message_of(self, out: Text) -> Mapping[str, Any]:
        # The echo repeats `metadata`, which distinguishes our texts from those written in the Page's inbox.
        return {"text": out.text, "metadata": out.key}

    def name_in(self, profile: Mapping[str, Any]) -> str | None:
        parts = (words_of(profile.get(field)) for field in ("first_name", "last_name"))
        name = (words_of(profile.get("name")) or " ".join(filter(None, parts))).strip()
        return name if name and name != _NO_NAME else None
