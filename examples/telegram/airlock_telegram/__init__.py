"""Telegram, through the Bot API.

https://core.telegram.org/bots/api, version 10.1 of June 2026.
"""

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from connectors import (
    BLOCKED,
    EXPIRED,
    INVALID,
    NOT_YET,
    RATE_LIMITED,
    UNAUTHORIZED,
    UNDELIVERABLE,
    WINDOW_CLOSED,
    AnyEvent,
    Call,
    Capabilities,
    Connector,
    ConnectorConfig,
    Delivery,
    Download,
    Forbidden,
    MediaRef,
    Rejected,
    Reply,
    Request,
    Secret,
    Secrets,
    Sent,
    Text,
    Verdict,
    matches_any,
    offers,
    read_each,
    refusal_from,
    revealed,
)
from pydantic import AfterValidator, Field, HttpUrl, SecretStr

from .updates import name_of, read_update

#: Telegram's error codes are HTTP statuses. Only the description distinguishes refusals.
VERDICTS: Mapping[str, Verdict] = {
    "Bad Request: chat not found": UNDELIVERABLE,
    "Bad Request: file is too big": Verdict("too_large"),  # beyond 20 MB, see getFile
    "Bad Request: message is too long": INVALID,
    "Bad Request: wrong file_id or the file is temporarily unavailable": NOT_YET,
    "Forbidden: bot can't initiate conversation with a user": WINDOW_CLOSED,
    "Forbidden: bot was blocked by the user": BLOCKED,
    "Forbidden: user is deactivated": UNDELIVERABLE,
    "Not Found": UNAUTHORIZED,  # the reply to an unknown token, as is 401
}


def _with_bot_id(token: SecretStr) -> SecretStr:
    bot, _, rest = token.get_secret_value().partition(":")
    if not (bot.isdecimal() and rest and rest.replace("-", "").replace("_", "").isalnum()):
        raise ValueError("is not a bot token; copy it from BotFather, in the form 123456:ABC-DEF…")
    return token


class Settings(ConnectorConfig):
    api_url: HttpUrl = Field(
        default=HttpUrl("https://api.telegram.org"), description="Address of the Bot API server"
    )
    bot_token: Annotated[Secret, AfterValidator(_with_bot_id)] = Field(
        description="The bot's token, from BotFather"
    )
    secret_tokens: Secrets = Field(
        description="The secret_token passed to setWebhook; two during a rotation"
    )

    @property
    def bot(self) -> str:
        """The bot's id, which is not secret."""
        return self.bot_token.get_secret_value().partition(":")[0]


class Telegram(Connector[Settings]):
    api = 1
    name = "telegram"
    label = "Telegram"
    docs = "https://core.telegram.org/bots/api"
    # The header repeats the secret token, and does not cover the body.
    covers = frozenset({"caller"})
    # A file_id does not expire. A file may not be available at first, so it is retried for a day.
    media_patience = 86_400.0
    # https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    texts_per_second = 30.0
    Config = Settings
    capabilities = Capabilities(
        features=offers(
            yes=(
                *("text", "photo", "photo_caption", "video", "video_caption", "audio", "document"),
                *("sticker", "location", "contact", "reply_context", "edit", "button", "send_text"),
            ),
            limited=("reaction",),
        ),
        max_text=4096,
        notes={
            "several_photos": "each photo of an album is a separate message",
            "reaction": "if setWebhook requested message_reaction, and if Telegram reports it",
            "deletion": "Telegram does not report deletions to bots",
            "delivered": "Telegram sends no receipts",
            "send_text": "until the consumer blocks the bot",
        },
    )

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not matches_any(revealed(self.config.secret_tokens), given):
            raise Forbidden("X-Telegram-Bot-Api-Secret-Token is not one of secret_tokens")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return read_each(lambda raw: read_update(raw, self.config.bot), [delivery.content])

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        query = urlencode({"file_id": ref.locator["id"]})
        reply = yield Call("GET", f"{self._bot()}/getFile?{query}", auth=False)
        match reply.content:
            # The address is valid for an hour, so each attempt requests a new one.
            case {"result": {"file_path": str(path)}}:
                address = f"{self._bot('file/')}/{quote(path)}"
                return Download(Call("GET", address, auth=False), size=ref.size)
        raise self.refusal(reply)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        message: dict[str, Any] = {"chat_id": out.to, "text": out.text}
        quoted = (out.reply_to or "").rpartition(":")[2]
        if quoted.isdecimal():
            # The quoted message may have been deleted; send the text anyway.
            message["reply_parameters"] = {
                "message_id": int(quoted),
                "allow_sending_without_reply": True,
            }
        reply = yield Call("POST", f"{self._bot()}/sendMessage", json=message, auth=False)
        match reply.content:
            case {"result": {"message_id": int(id)}}:
                return Sent(f"{out.to}:{id}")
        raise self.refusal(reply)

    def check(self) -> Generator[Call, Reply, str]:
        reply = yield Call("GET", f"{self._bot()}/getMe", auth=False)
        match reply.content:
            case {"result": {"first_name": str(), "username": str(name)} as bot}:
                return f"{name_of(bot)} (@{name})"
        raise self.refusal(reply)

    def refusal(self, reply: Reply) -> Rejected:
        content = reply.content if isinstance(reply.content, dict) else {}
        verdict = VERDICTS.get(str(content.get("description")))
        if reply.purpose == "download" and reply.status == 404:
            verdict = EXPIRED
        match content:
            case {"parameters": {"retry_after": int(seconds)}} if seconds > 0:
                verdict = replace(RATE_LIMITED, after=float(seconds))
        code = content.get("error_code")
        return refusal_from(reply, verdict, code=str(code) if isinstance(code, int) else None)

    def _bot(self, kind: str = "") -> str:
        """The base URL of the API, or with `file/` of its files. Telegram accepts the token only in the URL."""
        return f"{self.config.api}/{kind}bot{self.config.bot_token.get_secret_value()}"
