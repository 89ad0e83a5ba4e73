"""Emulated Telegram, over real HTTP on loopback, for `airlock demo` and tests.

It is written from https://core.telegram.org/bots/api alone and shares no code with the connector.
"""

import itertools
import json
import time
from typing import Any, ClassVar

from aiohttp import web
from simulator import ConsumerMessage, Delivered, Platform, Sample, SentText

#: The kind in which a phone sends a type of file; any other type is sent as a document.
_KINDS = {"image": "photo", "video": "video", "audio": "audio"}
#: Voice messages are Opus in Ogg: https://core.telegram.org/bots/api#voice
_VOICE = "audio/ogg"


class Telegram(Platform):
    """A bot to which consumers write in private chats."""

    name: ClassVar = "telegram"
    token = "123456:emulated-telegram-bot-token"
    secret_token = "emulated-telegram-secret-token"
    #: Seconds for which the URL of a file is valid.
    address_lives = 3600.0

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        self._numbers = itertools.count(1)
        self._addresses: dict[str, tuple[str, float]] = {}

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "bot_token": self.token,
            "secret_tokens": [self.secret_token],
        }

    def adopt(self, config: Any) -> None:
        self.token = config.bot_token.get_secret_value()
        self.secret_token = config.secret_tokens[0].get_secret_value()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/bot{token}/{method}", self._call),
            web.get("/file/bot{token}/{path:.+}", self._serve_bytes),
        ]

    # Messages from consumers.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Deliver each file as a message of its own, several as an album; the text is the caption of the first."""
        text, files = message.text or "", message.files
        contents = [self._file(sample) for sample in files] or [{"text": text}]
        if files and text:
            contents[0]["caption"] = text
        if len(files) > 1:
            album = str(next(self._numbers))
            contents = [{**content, "media_group_id": album} for content in contents]
        answers = []
        for content in contents:
            answers += await self._update(message, content)
        return answers

    async def _update(self, sent: ConsumerMessage, content: dict[str, Any]) -> list[Delivered]:
        consumer, number = sent.consumer, next(self._numbers)
        first, _, last = consumer.name.partition(" ")
        user = {"id": int(consumer.id), "first_name": first, "last_name": last}
        message = {
            "message_id": number,
            "from": {**user, "is_bot": False},
            "chat": {**user, "type": "private"},
            "date": int(time.time()),
            **content,
        }
        headers = {
            "content-type": "application/json",
            "x-telegram-bot-api-secret-token": "wrong-token" if sent.forged else self.secret_token,
        }
        body = json.dumps({"update_id": 700_000 + number, "message": message}).encode()
        return await self.post(body, headers, [f"{consumer.id}:{number}"], times=sent.times)

    def _file(self, sample: Sample) -> dict[str, Any]:
        id = f"file-{next(self._numbers)}"
        self.host(sample, id)
        kind = _KINDS.get(sample.media_type.partition("/")[0], "document")
        if sample.media_type.startswith(_VOICE):
            kind = "voice"
        file: dict[str, Any] = {"file_id": id, "file_unique_id": f"u-{id}", "width": 1, "height": 1}
        if kind == "photo":
            return {"photo": [{**file, "file_size": len(sample.content)}]}
        more = {"mime_type": sample.media_type, "file_name": sample.name}
        return {kind: {**file, **more, "file_size": len(sample.content)}}

    # Calls from the gateway.

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return _refusal(401, "Unauthorized")
        match request.match_info["method"]:
            case "getMe":
                return _result({"id": 123456, "is_bot": True, **_BOT})
            case "getFile":
                return await self._look_up(request)
            case "sendMessage":
                return self.refuse() or await self._accept_text(request)
            case _:
                return _refusal(404, "Not Found")

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        id = request.query.get("file_id", "")
        hosted = self.hosted.get(id)
        if hosted is None:
            return _refusal(400, "Bad Request: invalid file_id")
        path = f"files/file_{next(self._numbers)}"
        self._addresses[path] = (id, self.now() + self.address_lives)
        file = {"file_id": id, "file_unique_id": f"u-{id}", "file_path": path}
        return await self.stumble(request, hosted) or _result(
            {**file, "file_size": len(hosted.content)}
        )

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        id, expires = self._addresses.get(request.match_info["path"], ("", 0.0))
        if request.match_info["token"] != self.token or self.now() > expires:
            return _refusal(404, "Not Found")
        return await self.serve(request, self.hosted[id])

    async def _accept_text(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        to = str(call["chat_id"])
        if to in self.out_of_reach:
            return _refusal(403, "Forbidden: bot was blocked by the user")
        number = next(self._numbers)
        chat = {"id": int(to), "type": "private"}
        sent = {"message_id": number, "date": int(time.time()), "chat": chat, "text": call["text"]}
        text = SentText(f"{to}:{number}", to, call["text"], call)
        return await self.answer_text(request, text, _result(sent))


_BOT = {"first_name": "Example Parcels", "username": "example_parcels_bot"}


def _result(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _refusal(code: int, description: str) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description}
    return web.json_response(body, status=code)
