"""Stories and shares: what is at Meta's own addresses is shown as a file, everything else as words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors.messenger_platform.cards import CARD_TYPES, address_of
from connectors.messenger_platform.content import CardStyle
from connectors.messenger_platform.fields import object_of, type_of
from normalizer.events import Attachment, MediaRef

#: Meta's content networks. Shares and stories have a signed address there, such as
#: https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=…&signature=…
#: https://developers.facebook.com/docs/instagram-platform/webhooks/new
MEDIA_HOSTS = (".fbsbx.com", ".fbcdn.net", ".cdninstagram.com")

#: What a consumer did by sending a card. Instagram shows it as a picture without words.
_LABELS: Mapping[str, str] = {
    **dict.fromkeys(("ig_post", "post", "share"), "Shared a post"),
    **dict.fromkeys(("ig_reel", "reel"), "Shared a reel"),
    **dict.fromkeys(("ig_story", "story"), "Shared a story"),
    "story_mention": "Mentioned you in a story",
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Distinguishes Meta's addresses of files from others. At the host of `api`, an emulator has its files."""

    api: str

    def is_file(self, url: Any) -> bool:
        """Whether an address is on one of Meta's content networks."""
        if not isinstance(url, str):
            return False
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        host = parts.hostname or ""
        is_at_meta = parts.scheme == "https" and host.endswith(MEDIA_HOSTS)
        return is_at_meta or (parts.scheme == "http" and host == urlsplit(self.api).hostname)

    def style(self) -> CardStyle:
        """How cards are shown: those with a file as the file."""
        return CardStyle(is_file=self._is_card_with_file, labels=_LABELS)

    def _is_card_with_file(self, card: Any) -> bool:
        return type_of(card) in CARD_TYPES and self.is_file(address_of(card))

    def without_file(self, story: dict[str, Any]) -> dict[str, Any]:
        """The fields of a story for the core: without its address, if the story is shown as a file."""
        return {k: v for k, v in story.items() if k != "url" or not self.is_file(v)}

    def story(self, story: dict[str, Any]) -> Attachment | None:
        """The story as a file, None if its address is missing or is not Meta's."""
        url = story.get("url")
        return Attachment("photo", MediaRef({"url": url})) if self.is_file(url) else None


def story_replied_to(message: dict[str, Any]) -> dict[str, Any] | None:
    """The account's own story to which a message replies, None if it replies to none.

    https://developers.facebook.com/docs/messenger-platform/instagram/features/webhook
    """
    story = object_of(object_of(message.get("reply_to")).get("story"))
    return story or None
