"""The web channel: deliveries of Airlock's own chat server, and the calls that it takes."""

from collections.abc import Generator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urljoin

from pydantic import AfterValidator, Field, SecretStr

from connectors.capabilities import Capabilities, Limit, offers
from connectors.contract import (
    Call,
    Connector,
    ConnectorConfig,
    Delivery,
    Download,
    Outcome,
    Reply,
    Request,
    Sent,
    Text,
    Typing,
)
from connectors.errors import Rejected
from connectors.tools.entries import entries, open_each, read_each
from connectors.tools.refusals import (
    GONE,
    INVALID,
    RATE_LIMITED,
    TEMPORARY,
    UNAUTHORIZED,
    UNDELIVERABLE,
    Verdict,
    refusal_from,
)
from connectors.tools.setting_types import Origin, Secret, Secrets, revealed
from normalizer.events import AnyEvent, MediaRef

from .events import client_id, read_event
from .signature import FORM, check_secret, key_of, require_signature

#: Reports about a consumer or file that is gone, and a wish to forget them, are settled.
_GONE = frozenset({404, 410})
#: The meaning of the server's codes; a file that is not found is gone.
_CODES: Mapping[str, Verdict] = {
    "bad_request": INVALID,
    "busy": TEMPORARY,
    "expired": Verdict("expired", retry=True, after=1),
    "not_found": UNDELIVERABLE,
    "server_error": TEMPORARY,
    "session_required": UNAUTHORIZED,
    "too_large": Verdict("too_large"),
    "too_many": RATE_LIMITED,
}


def _check_secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        check_secret(secret.get_secret_value())
    return secrets


class Settings(ConnectorConfig):
    api_url: Origin = Field(description="webchat.public_url, or its address on this machine")
    secrets: Annotated[Secrets, AfterValidator(_check_secrets)] = Field(
        description="webchat.secrets (whsec_…): verify deliveries; list two while you replace one"
    )
    access_token: Secret = Field(description="One of webchat.access_tokens")


class Web(Connector[Settings]):
    name = "web"
    label = "Web chat"
    docs = (
        "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"
    )
    covers = frozenset({"body", "part"})
    covered = frozenset({"header:webhook-id", "header:webhook-timestamp"})
    proof: ClassVar = {"webhook-signature": FORM}
    media_patience = 86_400.0
    resend_is_safe = True
    Config = Settings
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "photo_caption", "several_photos", "video", "video_caption"),
                *("reply_context", "typing", "delivered", "read"),
                *("send_text", "send_quote", "send_typing", "mark_read"),
                *("send_close", "outcome", "forget"),
            ),
            limited=("audio", "document"),
        ),
        limits=dict.fromkeys(
            ("photo", "video", "audio", "document"), Limit(max_bytes=25_000_000, max_count=10)
        ),
        max_text=10_000,
        notes={
            "audio": "where the site accepts it",
            "document": "where the site accepts it",
        },
    )

    def verify(self, request: Request) -> None:
        keys = [key_of(secret) for secret in revealed(self.config.secrets)]
        require_signature(request.headers, request.body, keys, request.received_at)

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return open_each(_events, [delivery.content])

    def authorize(self, now: datetime) -> Mapping[str, str]:
        del now
        return {"authorization": f"Bearer {self.config.access_token.get_secret_value()}"}

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        reply = yield Call("GET", self._url("uploads", ref.locator["upload"]))
        match reply.content:
            case {"url": str(url)}:
                found = reply.content
                return Download(
                    # Signed, so that our token does not go to wherever the server keeps files.
                    Call("GET", urljoin(f"{self.config.api}/", url), auth=False),
                    size=_number(found.get("bytes")) or ref.size,
                    sha256=_text(found.get("sha256")) or ref.sha256,
                    media_type=_text(found.get("media_type")) or ref.media_type,
                )
        raise self.refusal(reply)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        message: dict[str, Any] = {
            "site": out.account,
            "to": out.to,
            "key": out.key,
            "text": out.text,
        }
        if out.reply_to is not None:
            message["reply_to"] = client_id(out.reply_to)
        reply = yield Call("POST", self._url("messages"), json=message)
        match reply.content:
            case {"id": str(id)} if id:
                return Sent(id)
        raise self.refusal(reply)

    def mark_read(self, account: str, to: str, message_id: str) -> Generator[Call, Reply, None]:
        del account
        yield self._report("read", to=to, message_id=client_id(message_id))

    def send_typing(self, out: Typing) -> Generator[Call, Reply, None]:
        yield self._report("typing", to=out.to, on=out.on)

    def tell_outcome(self, out: Outcome) -> Generator[Call, Reply, None]:
        outcome = {**asdict(out), "message_id": client_id(out.message_id)}
        yield self._report("outcomes", **{n: v for n, v in outcome.items() if n != "account"})

    def forget(self, account: str, to: str) -> Generator[Call, Reply, None]:
        del account
        yield Call("DELETE", self._url("consumers", to), expects=_GONE)

    def tell_closed(self, account: str, to: str) -> Generator[Call, Reply, None]:
        del account
        yield self._report("closed", to=to)

    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", self._url("account"))
        match reply.content:
            case {"name": str(name)} if name:
                return name
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> Rejected:
        content = reply.content if isinstance(reply.content, dict) else {}
        code = _text(content.get("code"))
        known = _CODES.get(code or "")
        if known is UNDELIVERABLE and reply.purpose in {"lookup", "download"}:
            known = GONE
        return refusal_from(reply, known, _text(content.get("detail")) or "", code=code)

    def _report(self, path: str, **content: Any) -> Call:
        return Call("POST", self._url(path), json=content, expects=_GONE)

    def _url(self, *path: str) -> str:
        parts = "/".join(quote(part, safe="") for part in path)
        return f"{self.config.api}/platform/v1/{parts}"


def _events(content: Any) -> list[AnyEvent]:
    site = content["site"]
    if not isinstance(site, str) or not site:
        raise ValueError("site is empty")
    return read_each(lambda raw: read_event(raw, site), entries(content, "events"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
