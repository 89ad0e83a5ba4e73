"""WhatsApp, through Meta's Cloud API."""

from collections.abc import Generator
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from connectors.capabilities import Capabilities, Limit, offers
from connectors.contract import Call, Download, Reply, Sent, Text, Typing
from connectors.meta import AccessToken, Meta, MetaConfig
from connectors.tools.entries import entries, open_each
from connectors.tools.refusals import EXPIRED
from connectors.tools.setting_types import Identifier
from normalizer.events import AnyEvent, MediaRef

from .error_codes import CODES, VAGUE
from .events import read_change
from .people import is_user_id

DAY = 86_400.0


class Settings(MetaConfig):
    access_token: AccessToken = Field(description="The access token for the Graph API")
    phone_number_id: Identifier = Field(
        description="The phone number's id, from the WhatsApp Manager"
    )
    preview_url: bool = Field(
        default=False, description="Show a preview of the first link in each text that we send"
    )


class WhatsApp(Meta[Settings]):
    name = "whatsapp"
    label = "WhatsApp"
    docs = "https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview"
    # Files are on lookaside, which requires the token as well.
    hosts = frozenset({"graph.facebook.com", "lookaside.fbsbx.com"})
    media_hosts = frozenset({".fbsbx.com", ".facebook.com", ".fbcdn.net", ".whatsapp.net"})
    # Media ids are valid for 7 days, but failed look-ups count against the number.
    media_patience = DAY
    Config = Settings
    object = "whatsapp_business_account"
    codes = CODES
    vague = VAGUE
    # Addresses are valid for five minutes.
    refusals: ClassVar = {("download", status): EXPIRED for status in (401, 403, 404, 410)}
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "photo_caption", "video", "video_caption"),
                *("audio", "document", "sticker", "location", "contact"),
                *("reply_context", "reaction", "edit", "deletion", "button"),
                *("delivered", "failed", "send_text", "send_quote", "mark_read"),
            ),
            limited=("echo", "read", "send_typing"),
        ),
        # https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
        limits={
            "photo": Limit(max_bytes=5_000_000, max_count=1),
            "video": Limit(max_bytes=16_000_000, max_count=1),
            "audio": Limit(max_bytes=16_000_000, max_count=1),
            "document": Limit(max_bytes=100_000_000, max_count=1),
            "sticker": Limit(max_bytes=500_000, max_count=1),
        },
        max_text=4096,
        reply_window=DAY,
        notes={
            "several_photos": "each photo is a separate message",
            "echo": "for numbers that also use the WhatsApp Business app",
            "read": "unless the consumer has turned read receipts off",
            "send_text": "within 24 hours of the consumer's last message",
            "send_typing": "also marks the consumer's last message as read",
        },
    )

    def access_token_of(self, account: str) -> SecretStr:
        del account  # one token for all numbers
        return self.config.access_token

    def read_entry(self, entry: Any) -> list[AnyEvent]:
        return open_each(
            lambda change: read_change(change, entry.get("id")), entries(entry, "changes")
        )

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        # Without phone_number_id: it names the number that uploaded a file, and consumers' files have none. Graph
        # then refuses the look-up with code 100: https://github.com/chatwoot/chatwoot/pull/13319.
        reply = yield Call("GET", self.graph(ref.locator["id"]))
        match reply.content:
            case {"url": str(url)}:
                file = reply.content
                return Download(
                    Call("GET", url),
                    sha256=_text(file.get("sha256")) or ref.sha256,
                    size=_size(file.get("file_size")),
                    media_type=_text(file.get("mime_type")),
                )
        raise self.refusal(reply)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        address = "recipient" if is_user_id(out.to) else "to"
        message = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            address: out.to,
            "type": "text",
            "text": {"body": out.text, "preview_url": self.config.preview_url},
            "biz_opaque_callback_data": out.key,
        }
        if out.reply_to is not None:
            message["context"] = {"message_id": out.reply_to}
        reply = yield Call("POST", self._messages(out.account), json=message)
        match reply.content:
            case {"messages": [{"id": str(id)}, *_]}:
                return Sent(id)
        raise self.refusal(reply)

    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        del to
        yield self._read_status(account, message_id)

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        # WhatsApp hides the indicator automatically, after 25 seconds or with the reply.
        if out.on:
            yield self._read_status(out.account, out.message_id, typing_indicator={"type": "text"})

    def check(self) -> Generator[Call, Reply, str]:
        fields = "verified_name,display_phone_number"
        reply = yield Call("GET", self.graph(self.config.phone_number_id, fields=fields))
        match reply.content:
            case {"verified_name": name, "display_phone_number": number}:
                return f"{name}, {number}"
        raise self.refusal(reply)

    def _read_status(self, account: str, message_id: str, **more: Any) -> Call:
        status = {"messaging_product": "whatsapp", "status": "read"}
        status["message_id"] = message_id
        return Call("POST", self._messages(account), json={**status, **more})

    def _messages(self, account: str) -> str:
        return self.graph(account or self.config.phone_number_id, "messages")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _size(value: Any) -> int | None:
    return int(value) if str(value).isdecimal() else None
