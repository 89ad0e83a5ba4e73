"""SMS, MMS and WhatsApp, through the Vonage Messages API v1.

https://developer.vonage.com/en/api/messages
"""

import hashlib
import uuid
from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from connectors import (
    GONE,
    AnyEvent,
    Call,
    Connector,
    ConnectorConfig,
    Delivery,
    Download,
    Flow,
    Forbidden,
    Identifier,
    MediaRef,
    Pem,
    Rejected,
    Reply,
    Request,
    Secrets,
    Sent,
    Text,
    TextLimits,
    Token,
    constant_time_equal,
    jwt,
    open_each,
    refusal_from,
)
from pydantic import Field, HttpUrl

from .chart import CAPABILITIES, SMS
from .errors import VERDICTS, code_of, words_of
from .events import read_webhook

#: Each token has an ID of its own (`jti`). We derive it from the time, because connectors have no randomness.
NAMESPACE = uuid.UUID("0b4f6c1e-9a52-4a0b-8d1c-5e9d7f3a2c61")
#: Seconds for which our tokens are valid. Vonage's libraries choose the same; the maximum is a day.
LIFETIME = 900
#: Seconds after which a signed delivery is refused. Vonage repeats deliveries for a day, and whether it signs them
#: again is not documented. Earlier replays are harmless: Airlock detects duplicates.
MAX_AGE = 86_400.0


class Settings(ConnectorConfig):
    api_url: HttpUrl = Field(
        default=HttpUrl("https://api.nexmo.com"), description="Vonage's API, of a region if needed"
    )
    signature_secrets: Secrets = Field(
        description="The account's signature secret, which signs deliveries; two during a rotation"
    )
    application_id: Identifier = Field(description="The application's ID")
    private_key: Pem = Field(description="The application's private key, which signs our tokens")


class Vonage(Connector[Settings]):
    api = 1
    name = "vonage"
    label = "Vonage Messages"
    docs = "https://developer.vonage.com/en/messages/concepts/signed-webhooks"
    # A JWT in three parts. The scheme is case-insensitive: https://www.rfc-editor.org/rfc/rfc9110#section-11.1
    proof: ClassVar[Mapping[str, str]] = {
        "authorization": r"(?i:bearer) [\w-]+\.[\w-]+\.[\w-]+",
    }
    # Files, and messages to be marked as read, are in the account's region:
    # https://developer.vonage.com/en/messages/concepts/secure-inbound-media
    hosts = frozenset({"api.nexmo.com", "api-us.nexmo.com", "api-eu.nexmo.com", "api-ap.nexmo.com"})
    # Undocumented hosts of Vonage are tolerated, without our token.
    media_hosts = frozenset({".nexmo.com", ".vonage.com"})
    # Files are kept for 48 hours.
    media_patience = 172_800.0
    Config = Settings
    capabilities = CAPABILITIES

    def verify(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Forbidden("the delivery is not signed: no bearer token in Authorization")
        # The issuer is "Vonage" in examples, but not documented.
        claims = jwt.check(
            token,
            self.config.signature_secrets,
            algorithm="HS256",
            audience=None,
            issuer=None,
            now=request.received_at,
            require=("iat", "payload_hash", "application_id"),
            max_age=MAX_AGE,
        )
        digest = hashlib.sha256(request.body).hexdigest()
        if not constant_time_equal(digest, str(claims["payload_hash"]).lower()):
            raise Forbidden("payload_hash is not the SHA-256 of the body")
        # Applications of one account have the same signature secret. All published examples name the application.
        if claims["application_id"] != self.config.application_id:
            raise Forbidden("the delivery is for another application")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(read_webhook, [delivery.content])

    def limits(self, account: str) -> TextLimits:
        return SMS if _is_sms(account) else super().limits(account)

    def token(self, now: datetime) -> Flow[Token | None]:
        # https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens
        application = self.config.application_id
        id = uuid.uuid5(NAMESPACE, f"{application} {now.isoformat()}")
        claims = {"application_id": application, "jti": str(id)}
        key = self.config.private_key
        value = jwt.mint(key, claims, algorithm="RS256", now=now, seconds=LIFETIME)
        return Token(value, now + timedelta(seconds=LIFETIME))

    def authorize(self, now: datetime, token: Token, call: Call) -> Mapping[str, str]:
        del now, call
        return {"authorization": f"Bearer {token.value}"}

    def media(self, ref: MediaRef) -> Flow[Download]:
        # Needs our token if the application has enhanced inbound media security; otherwise it does no harm.
        url = ref.locator["url"]
        return Download(Call("GET", url, auth=self.trusts(url)))

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        channel, _, number = out.account.partition(":")
        message: dict[str, Any] = {
            "message_type": "text",
            "channel": channel,
            "from": number,
            "to": out.to,
            "text": out.text,
            "client_ref": out.key,
        }
        if out.reply_to is not None and not _is_sms(out.account):
            message["context"] = {"message_uuid": out.reply_to}
        reply = yield Call("POST", f"{self.config.api}/v1/messages", json=message)
        match reply.content:
            case {"message_uuid": str(id)} if id:
                return Sent(id)
        raise self.refusal(reply)

    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        del to
        if not _is_sms(account):
            url = f"{self.config.api}/v1/messages/{quote(message_id, safe='')}"
            yield Call("PATCH", url, json={"status": "read"})

    def check(self) -> Generator[Call, Reply, str]:
        # The only call that reads something and accepts the application's token. The path is that of version 0.1.3:
        # https://developer.vonage.com/en/messages/external-accounts/overview
        reply = yield Call("GET", f"{self.config.api}/beta/chatapp-accounts/?provider=whatsapp")
        match reply.content:
            case {"_embedded": list(accounts)}:
                return ", ".join(map(_account, accounts)) or "SMS only: no WhatsApp number"
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> Rejected:
        code = code_of(reply.content)
        is_file = reply.purpose in {"lookup", "download"}
        # Files that are no longer kept: https://api.support.vonage.com/hc/en-us/articles/4408701311380
        known = GONE if is_file and reply.status == 404 else VERDICTS.get(code or "")
        return refusal_from(reply, known, words_of(reply.content), code=code)


def _is_sms(account: str) -> bool:
    return account.startswith("sms:")


def _account(raw: Any) -> str:
    match raw:
        case {"name": str(name), "external_id": str() | int() as id} if name:
            return f"{name} ({id})"
        case {"external_id": str() | int() as id}:
            return str(id)
    return "an account without a number"
