"""Instagram: direct messages to one or several professional accounts."""

from collections.abc import Generator, Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, HttpUrl, model_validator

from connectors.capabilities import Capabilities, Limit, offers
from connectors.contract import Call, Reply
from connectors.errors import Rejected
from connectors.messenger_platform.accounts import AccountsConfig, Tokens
from connectors.messenger_platform.connector import DAY, MessengerPlatform
from connectors.messenger_platform.events import Reader
from connectors.messenger_platform.fields import name_of, object_of, words_of
from connectors.tools.setting_types import Identifier
from normalizer.events import AnyEvent

from .error_codes import CODES
from .events import InstagramReader, is_item, with_stories
from .stories import MEDIA_HOSTS, Addresses

_INSTAGRAM_API = "https://graph.instagram.com/v25.0"
#: Whose token it is. A Page token belongs to the Page with which the account is linked.
_OWNER_FIELDS: Mapping[str, str] = {
    "facebook": "name,instagram_business_account{id,username}",
    "instagram": "user_id,username",
}


class Settings(AccountsConfig):
    single, several, noun = "account_id", "accounts", "account"

    login: Literal["facebook", "instagram"] = Field(
        default="facebook",
        description="How the app got its token: facebook (a Page token) or instagram (Business Login for Instagram)",
    )
    account_id: Identifier | None = Field(
        default=None, description="The id of the Instagram professional account, 17841…"
    )
    accounts: Tokens | None = Field(
        default=None,
        description="Several accounts of one app: their tokens by their ids, in place of account_id and access_token",
    )

    @model_validator(mode="before")
    @classmethod
    def _set_defaults_of_login(cls, values: Any) -> Any:
        # An Instagram login has an API of its own. Whether that accepts appsecret_proof is not documented.
        if isinstance(values, Mapping) and values.get("login") == "instagram":
            return {"api_url": HttpUrl(_INSTAGRAM_API), "appsecret_proof": False, **values}
        return values


class Instagram(MessengerPlatform[Settings]):
    name = "instagram"
    label = "Instagram"
    docs = "https://developers.facebook.com/documentation/business-messaging/instagram-messaging/webhooks"
    hosts = frozenset({"graph.facebook.com", "graph.instagram.com"})
    # Signed URLs on a CDN, which must not receive our token.
    media_hosts = frozenset(MEDIA_HOSTS)
    Config = Settings
    object = "instagram"
    codes = CODES
    profile_fields = "name,username"
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "several_photos", "video", "audio"),
                *("reply_context", "reaction", "deletion", "button", "echo", "read"),
                *("send_text", "send_typing", "mark_read"),
            ),
            limited=("document", "sticker", "edit"),
        ),
        # https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/attachment-upload
        limits={
            "photo": Limit(max_bytes=8_000_000),
            **dict.fromkeys(("video", "audio", "document"), Limit(max_bytes=25_000_000)),
        },
        # https://developers.facebook.com/documentation/instagram-platform/instagram-api-with-instagram-login/messaging-api
        max_text=1000,
        max_text_bytes=1000,
        reply_window=DAY,
        notes={
            "photo_caption": "photo and text arrive as two messages",
            "video_caption": "video and text arrive as two messages",
            "document": "PDF, if Instagram delivers it",
            "sticker": "as a photo; the heart as text",
            "edit": "if Meta reports it, perhaps without the new text",
            "delivered": "Instagram sends no such receipts",
            "failed": "only as the reply to sending, never later",
            "send_text": "within 24 hours of the consumer's last message; 7 days with human_agent",
        },
    )

    @property
    def reader(self) -> Reader:
        return InstagramReader(self._addresses.style())

    def events_of(self, event: AnyEvent, item: Any) -> Iterable[AnyEvent]:
        return with_stories(event, item, self._addresses)

    def read_change(self, change: Any, page: str) -> AnyEvent:
        value = object_of(object_of(change).get("value"))
        if is_item(value, page):
            return self.reader.item(value, page)
        return super().read_change(change, page)

    def check_account(self, account: str) -> Generator[Call, Reply, str]:
        fields = _OWNER_FIELDS[self.config.login]
        url = self.graph("me", account=account, fields=fields)
        reply = yield from self.ask(account, Call("GET", url))
        me = object_of(reply.content)
        own = object_of(me.get("instagram_business_account"))
        name = words_of(own.get("username")) or words_of(me.get("username"))
        page = words_of(me.get("name"))
        if name is None and page is None:
            raise self.named(self.refusal(reply), account)
        self._require_owner(account, self._owners(me, own), name or page)
        return f"@{name}" if name else f"{page}, whose Instagram account the token may not see"

    def _owners(self, me: Mapping[str, Any], linked: Mapping[str, Any]) -> set[str]:
        """Return the ids of the account to which a token belongs, as far as Meta reveals them.

        With an Instagram login it has two. Deliveries name `user_id`, by which one of several accounts is found:
        https://github.com/kevinrivm/vocero-crm/issues/60
        """
        if self.config.login == "facebook":
            ids = [linked.get("id")]
        elif self.config.accounts and me.get("user_id"):
            ids = [me["user_id"]]
        else:
            ids = [me.get("user_id"), me.get("id")]
        return set(filter(None, map(name_of, ids)))

    def _require_owner(self, account: str, owners: set[str], name: str | None) -> None:
        """Raise Rejected if the token belongs to another account: its texts would come from there."""
        if owners and account not in owners:
            owner = " or ".join(sorted(owners))
            detail = (
                f"the token belongs to the account {owner} ({name}); set each token with that id"
            )
            refusal = Rejected("misconfigured", detail=detail, operator=True)
            raise self.named(refusal, account)

    def name_in(self, profile: Mapping[str, Any]) -> str | None:
        username = words_of(profile.get("username"))
        return words_of(profile.get("name")) or (f"@{username}" if username else None)

    @property
    def _addresses(self) -> Addresses:
        return Addresses(self.config.api)

    def sender(self, account: str) -> str:
        # The token says which: with a Facebook login, texts go through the Page, whose id is not among the settings.
        del account
        return "me"
