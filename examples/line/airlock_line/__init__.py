"""LINE, through the Messaging API.

https://developers.line.biz/en/reference/messaging-api/
"""

import base64
import hmac
import uuid
from collections.abc import Generator, Mapping
from datetime import datetime
from typing import ClassVar, Self
from urllib.parse import quote

from connectors import (
    AnyEvent,
    Call,
    Capabilities,
    Connector,
    ConnectorConfig,
    Delivery,
    Download,
    Flow,
    Forbidden,
    Identifier,
    MediaRef,
    Rejected,
    Reply,
    Request,
    Secret,
    Secrets,
    Sent,
    Text,
    Token,
    matches_any,
    oauth_token,
    offers,
    open_each,
    refusal_from,
    revealed,
    words_in,
)
from pydantic import Field, HttpUrl, model_validator

from .errors import VERDICTS
from .events import read_events

#: LINE's retry keys must be UUIDs. We derive them from `Text.key`, so every attempt has the same one.
NAMESPACE = uuid.UUID("3d0f7c52-6a1e-4b7e-9a58-2f6b1f0c9e41")
#: LINE has accepted the retry key before: a success, which the reply repeats.
ALREADY_ACCEPTED = frozenset({409})
#: Seconds between requests whether a video is ready.
PREPARATION_INTERVAL = 3.0


class Settings(ConnectorConfig):
    api_url: HttpUrl = Field(default=HttpUrl("https://api.line.me"), description="LINE's API")
    data_url: HttpUrl = Field(
        default=HttpUrl("https://api-data.line.me"), description="Address of LINE's file server"
    )
    channel_secrets: Secrets = Field(
        description="The channel secret, which signs deliveries; two during a rotation"
    )
    channel_access_token: Secret | None = Field(
        default=None, description="A long-lived channel access token for the API"
    )
    channel_id: Identifier | None = Field(
        default=None, description="The channel's id, to obtain tokens with the first channel secret"
    )

    @model_validator(mode="after")
    def _check_token(self) -> Self:
        if (self.channel_access_token is None) == (self.channel_id is None):
            raise ValueError("set either channel_id or channel_access_token, but not both")
        return self


class Line(Connector[Settings]):
    api = 1
    name = "line"
    label = "LINE"
    docs = "https://developers.line.biz/en/docs/messaging-api/receiving-messages/"
    # HMAC-SHA256 in Base64.
    proof: ClassVar[Mapping[str, str]] = {"x-line-signature": "[A-Za-z0-9+/]{43}="}
    # Files are on a separate host: https://developers.line.biz/en/reference/messaging-api/#domain-name
    hosts = frozenset({"api-data.line.me"})
    # LINE deletes files "after a certain period", which it does not specify.
    media_patience = 86_400.0
    # LINE accepts an X-Line-Retry-Key only once within 24 hours.
    resend_is_safe = True
    Config = Settings
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "video", "audio", "document", "location"),
                *("reply_context", "deletion", "button", "send_text"),
            ),
            limited=("sticker",),
        ),
        # LINE accepts 5000 UTF-16 code units, and a character has at most two:
        # https://developers.line.biz/en/docs/messaging-api/text-character-count/
        max_text=2500,
        notes={
            "photo_caption": "photo and text arrive as two messages",
            "several_photos": "each photo is a separate message",
            "video_caption": "video and text arrive as two messages",
            "sticker": "only its keywords and text, not the picture",
            "contact": "LINE does not deliver contacts",
            "delivered": "LINE sends no receipts",
            "mark_read": "needs a token from each message, which Airlock does not store",
            "send_text": "until the consumer blocks the account, within its plan's monthly limit",
        },
    )

    def verify(self, request: Request) -> None:
        expected = [
            base64.b64encode(hmac.digest(secret.encode(), request.body, "sha256"))
            for secret in revealed(self.config.channel_secrets)
        ]
        if not matches_any(expected, request.headers.get("x-line-signature", "")):
            raise Forbidden("X-Line-Signature matches none of channel_secrets")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(read_events, [delivery.content])

    def token(self, now: datetime) -> Flow[Token | None]:
        return None if self.config.channel_id is None else self._stateless_token(now)

    def _stateless_token(self, now: datetime) -> Generator[Call, Reply, Token]:
        # Valid for 15 minutes:
        # https://developers.line.biz/en/reference/messaging-api/#issue-stateless-channel-access-token
        form = {
            "grant_type": "client_credentials",
            "client_id": self.config.channel_id or "",
            "client_secret": self.config.channel_secrets[0].get_secret_value(),
        }
        reply = yield Call("POST", f"{self.config.api}/oauth2/v3/token", form=form)
        token = oauth_token(reply, now)
        if token is None:
            raise self.refusal(reply)
        return token

    def authorize(self, now: datetime, token: Token | None, call: Call) -> Mapping[str, str]:
        del now, call
        static = self.config.channel_access_token
        value = token.value if token else static.get_secret_value() if static else ""
        return {"authorization": f"Bearer {value}"}

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        if "url" in ref.locator:
            # An app of the business sent this message and hosts the file itself.
            return Download(Call("GET", ref.locator["url"], auth=False))
        content = (
            f"{str(self.config.data_url).rstrip('/')}/v2/bot/message"
            f"/{quote(ref.locator['id'], safe='')}/content"
        )
        if ref.locator["prepared"]:
            # https://developers.line.biz/en/reference/messaging-api/#verify-video-or-audio-preparation-status
            reply = yield Call("GET", f"{content}/transcoding")
            match reply.content:
                case {"status": "succeeded"}:
                    pass
                case {"status": "processing"}:
                    raise Rejected(
                        "unreachable", retry=True, after=PREPARATION_INTERVAL, detail="not ready"
                    )
                case {"status": "failed"}:
                    raise Rejected("gone", detail="LINE could not prepare it")
                case _:
                    raise self.refusal(reply)
        return Download(Call("GET", content), size=ref.size)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        key = str(uuid.uuid5(NAMESPACE, out.key))
        reply = yield Call(
            "POST",
            f"{self.config.api}/v2/bot/message/push",
            {"x-line-retry-key": key},
            json={"to": out.to, "messages": [{"type": "text", "text": out.text}]},
            expects=ALREADY_ACCEPTED,
        )
        match reply.content:
            case {"sentMessages": [{"id": str(id)}, *_]} if id:
                return Sent(id)
        raise self.refusal(reply)

    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self.config.api}/v2/bot/info")
        match reply.content:
            case {"displayName": str(name), "basicId": str(id)}:
                return f"{name} ({id})"
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> Rejected:
        content = reply.content if isinstance(reply.content, dict) else {}
        verdict = VERDICTS.get((reply.status, str(content.get("message"))))
        said, trace = words_in(reply.content), reply.headers.get("x-line-request-id")
        return refusal_from(reply, verdict, f"{said} (request {trace})" if said and trace else said)
