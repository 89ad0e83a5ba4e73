"""Apple Messages for Business, as a messaging service provider."""

import json
import uuid
from collections.abc import Generator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import orjson
from pydantic import Field, HttpUrl, field_validator

from connectors.capabilities import Capabilities, Limit, offers
from connectors.contract import (
    Call,
    Connector,
    ConnectorConfig,
    Delivery,
    Download,
    Purpose,
    Reply,
    Request,
    Sent,
    Text,
    Typing,
)
from connectors.errors import Forbidden, Rejected
from connectors.tools.entries import read_each
from connectors.tools.gzip_body import inflate
from connectors.tools.refusals import EXPIRED, NOT_YET, Verdict, refusal_from
from connectors.tools.setting_types import Identifier, Identifiers, Origin, Secrets, revealed
from normalizer.events import AnyEvent, MediaRef

from .events import DEVICE_HEADERS, read_message
from .media import cipher, object_headers
from .token import check_token, key_of, mint

#: Message ids are derived from our keys, so every attempt sends the same id.
NAMESPACE = uuid.UUID("5f0c2f9e-7a5c-4f0e-9d43-6a1c1d5b7f10")
#: Refusals by HTTP status: Apple sends no error codes, only words. A new object is not available on all servers at
#: once. A text refused with 400 is not listed: that may be the fault of the text, of the settings or of Airlock.
REFUSALS: Mapping[tuple[Purpose, int], Verdict] = {
    ("lookup", 404): NOT_YET,
    ("download", 403): EXPIRED,
    ("download", 404): EXPIRED,
}
#: Statuses of preDownload for headers it does not know: it accepts one of two sets of header names.
OTHER_NAMES_NEEDED = frozenset({400, 404})
#: Headers that repeat a field of the body.
BODY_FIELDS = {"id": "id", "source-id": "sourceId", "destination-id": "destinationId"}


class Settings(ConnectorConfig):
    api_url: Origin = Field(
        default=HttpUrl("https://mspgw.push.apple.com"), description="Apple's gateway for providers"
    )
    msp_id: Identifier = Field(description="Our provider id (MSP id), from Apple Business Register")
    secrets: Secrets = Field(
        description="Shared secrets in Base64: any of them may sign Apple's tokens, the first signs ours"
    )
    business_id: Identifier = Field(description="The business's id")
    business_ids: Identifiers = Field(
        default=(), description="Further businesses whose messages arrive at this address"
    )
    max_token_age: float | None = Field(
        default=None,
        gt=0,
        description="Reject tokens older than this (seconds); leave out for no limit",
    )

    @field_validator("secrets")
    @classmethod
    def _check_keys(cls, secrets: Secrets) -> Secrets:
        for secret in revealed(secrets):
            key_of(secret)
        return secrets

    @property
    def businesses(self) -> frozenset[str]:
        return frozenset(id.lower() for id in (self.business_id, *self.business_ids))


class Apple(Connector[Settings]):
    name = "apple"
    label = "Apple Messages for Business"
    docs = "https://register.apple.com/resources/messages/msp-rest-api/"
    body = "gzip-json"
    # The token identifies the caller, not the body: a stolen token can be sent with any body until it expires.
    covers = frozenset({"caller"})
    proof: ClassVar[Mapping[str, str]] = {
        "authorization": r"(?i:bearer) [!-~]+",
        "destination-id": ".+",
    }
    keeps = DEVICE_HEADERS
    hosts = frozenset({"mspgw.push.apple.com"})
    media_hosts = frozenset({".icloud.com", ".icloud-content.com", ".apple.com"})
    media_patience = 900.0
    # We choose the id of a message, so Apple recognises a repeat.
    resend_is_safe = True
    Config = Settings
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "photo_caption", "several_photos", "video", "video_caption"),
                *("audio", "document", "button", "typing", "send_text", "send_typing"),
            ),
            limited=("sticker", "contact", "reply_context"),
            text=("location", "reaction"),
        ),
        # https://register.apple.com/resources/messages/msp-rest-api/: 100 MB for each attachment.
        limits=dict.fromkeys(
            ("photo", "video", "audio", "document", "contact"), Limit(max_bytes=100_000_000)
        ),
        max_text=3000,
        notes={
            "sticker": "arrives as a photo, if at all",
            "contact": "arrives as a file",
            "reply_context": "if Apple sends the id of the message; it is not documented",
            "reaction": "tapbacks arrive as texts such as: Liked “…”",
            "delivered": "Apple sends no receipts",
            "send_text": "until the consumer closes the conversation",
        },
    )

    def verify(self, request: Request) -> None:
        config = self.config
        check_token(
            request.headers.get("authorization", ""),
            [key_of(secret) for secret in revealed(config.secrets)],
            config.msp_id,
            request.received_at,
            config.max_token_age,
        )
        # The token covers neither the headers nor the body. These checks tie a delivery to our account as far
        # as Apple's protocol allows. Only destination-id is required: it shows that the business is ours. The
        # other headers are as easily left out as forged, so they are compared with the body only if present.
        if request.headers.get("destination-id", "").lower() not in config.businesses:
            raise Forbidden("destination-id is neither business_id nor one of business_ids")
        body = _json_fields(request.body, self.max_body)
        for header, field in BODY_FIELDS.items():
            if not _agree(request.headers.get(header), body.get(field)):
                raise Forbidden(f"the header {header} and the field {field} of the body differ")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return read_each(lambda raw: read_message(raw, delivery.headers), [delivery.content])

    def authorize(self, now: datetime) -> Mapping[str, str]:
        key = key_of(self.config.secrets[0].get_secret_value())
        return {"authorization": f"Bearer {mint(key, self.config.msp_id, now)}"}

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        decrypt = cipher(ref.locator["key"])
        address = f"{self.config.api}/v1/preDownload"
        headers = object_headers(ref.locator, "mmcs-")
        reply = yield Call("GET", address, headers, expects=OTHER_NAMES_NEEDED)
        if reply.status in OTHER_NAMES_NEEDED:
            reply = yield Call("GET", address, object_headers(ref.locator, ""))
        match reply.content:
            case {"download-url": str(url)}:
                return Download(Call("GET", url, auth=False), decrypt=decrypt, size=ref.size)
        raise self.refusal(reply)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        id = _uuid(out.key)
        yield self._message(out.account, out.to, id, type="text", body=out.text)
        return Sent(id)

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        type = "typing_start" if out.on else "typing_end"
        yield self._message(out.account, out.to, _uuid(out.key), type=type)

    def check(self) -> str:
        """Return the provider id. Apple has no harmless call; the settings have already validated the secrets."""
        return self.config.msp_id

    def _message(self, account: str, to: str, id: str, **fields: str) -> Call:
        business = account or self.config.business_id
        message = {"v": 1, **fields, "id": id, "sourceId": business, "destinationId": to}
        headers = {"id": id, "source-id": business, "destination-id": to}
        return Call("POST", f"{self.config.api}/v1/message", headers, json=message)

    def refusal(self, reply: Reply) -> Rejected:
        return refusal_from(reply, REFUSALS.get((reply.purpose, reply.status)))


def _uuid(key: str) -> str:
    return str(uuid.uuid5(NAMESPACE, key))


def _json_fields(body: bytes, limit: int) -> Mapping[str, Any]:
    """The fields of a body; none if it cannot be read, which `parse` will report.

    Half a character in a consumer's text makes a body invalid only for strict parsers. The gateway reads such bodies,
    so their fields must be compared too.
    """
    try:
        plain = inflate(body, limit)
        try:
            content = orjson.loads(plain)
        except ValueError:
            content = json.loads(plain.decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _agree(header: str | None, field: Any) -> bool:
    if header is None or field is None:
        return True
    return isinstance(field, str) and header.lower() == field.lower()
