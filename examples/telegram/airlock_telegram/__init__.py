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

#: Codes are those of HTTP; only the description tells one refusal from another.
VERDICTS: Mapping[str, Verdict] = {
    "Bad Request: chat not found": UNDELIVERABLE,
    "Bad Request: file is too big": Verdict("too_large"),  # beyond 20 MB, see getFile
    "Bad Request: message is too long": INVALID,
    "Bad Request: wrong file_id or the file is temporarily unavailable": NOT_YET,
    "Forbidden: bot can't initiate conversation with a user": WINDOW_CLOSED,
    "Forbidden: bot was blocked by the user": BLOCKED,
    "Forbidden: user is deactivated": UNDELIVERABLE,
    "Not Found": UNAUTHORIZED,  # the answer to a token of no bot, as is 401
}


def _with_bot_id(token: SecretStr) -> SecretStr:
    bot, _, rest = token.get_secret_value().partition(":")
    if not (bot.isdecimal() and rest and rest.replace("-", "").replace("_", "").isalnum()):
        raise ValueError("is no bot token; BotFather gives it as 123456:ABC-DEF…")
    return token


class Settings(ConnectorConfig):
    api_url: HttpUrl = Field(
        default=HttpUrl("https://api.telegram.org"), description="The Bot API's server"
    )
    bot_token: Annotated[Secret, AfterValidator(_with_bot_id)] = Field(
        description="The bot's token, from BotFather"
    )
    secret_tokens: Secrets = Field(
        description="The secret_token given to setWebhook; two while one is replaced"
    )

    @property
    def bot(self) -> str:
        """The bot's own id, which is no secret."""
        return self.bot_token.get_secret_value().partition(":")[0]


class Telegram(Connector[Settings]):
    api = 1
    name = "telegram"
    label = "Telegram"
    docs = "https://core.telegram.org/bots/api"
    # The header repeats a word that was agreed on, and says nothing about the body.
    covers = frozenset({"caller"})
    # A file_id lasts; what was announced before it is everywhere is tried for a day.
    media_patience = 86_400.0
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
            "several_photos": "every photo of an album is a message of its own",
            "reaction": "if setWebhook asked for message_reaction, and where Telegram tells of it",
            "deletion": "Telegram tells bots of none",
            "delivered": "Telegram tells nothing after it has taken a text",
            "send_text": "until the consumer blocks the bot",
        },
    )

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not matches_any(revealed(self.config.secret_tokens), given):
            raise Forbidden("X-Telegram-Bot-Api-Secret-Token is none of secret_tokens")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        return read_each(lambda raw: read_update(raw, self.config.bot), [delivery.content])

    def media(self, ref: MediaRef) -> Generator[Call, Reply, Download]:
        query = urlencode({"file_id": ref.locator["id"]})
        reply = yield Call("GET", f"{self._bot()}/getFile?{query}", auth=False)
        match reply.content:
            # The address is good for an hour, and a new one is asked for at each attempt.
            case {"result": {"file_path": str(path)}}:
                address = f"{self._bot('file/')}/{quote(path)}"
                return Download(Call("GET", address, auth=False), size=ref.size)
        raise self.refusal(reply)

    def send_text(self, out: Text) -> Generator[Call, Reply, Sent]:
        message: dict[str, Any] = {"chat_id": out.to, "text": out.text}
        quoted = (out.reply_to or "").rpartition(":")[2]
        if quoted.isdecimal():
            # The text matters more than the quote, whose message may be gone.
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
        return refusal_from(reply, verdict, f"HTTP {reply.status}")

    def _bot(self, kind: str = "") -> str:
        """Where the API, or with `file/` its files, are. Telegram takes the token in the address alone."""
        return f"{self.config.api}/{kind}bot{self.config.bot_token.get_secret_value()}"
