"""Emulated LINE, over real HTTP on loopback, for `airlock demo` and tests.

It is written from https://developers.line.biz/en/reference/messaging-api/ alone and shares no code with the
connector. The API and the files have the same origin here.
"""

import base64
import hashlib
import hmac
import itertools
import json
import time
import uuid
from typing import Any, ClassVar

from aiohttp import web
from simulator import Consumer, ConsumerMessage, Delivered, Hosted, Platform, Sample, SentText

_KINDS = {"image": "image", "video": "video", "audio": "audio"}
#: Kinds of files that LINE transcodes before they can be downloaded.
_TRANSCODED = frozenset({"video", "audio"})


class Line(Platform):
    """A channel to which consumers write in one-to-one chats."""

    name: ClassVar = "line"
    secret = "emulated-line-channel-secret"
    token = "emulated-line-channel-access-token"
    channel = "1234567890"
    bot = "U0000000000000000000000000000000b"
    #: How many times a video or audio file is reported as processing before it is ready.
    preparing = 0

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        self._numbers = itertools.count(500_000_000_000_000_000)
        #: The id of the message that was sent with each retry key.
        self._accepted: dict[str, str] = {}

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "channel_secrets": [self.secret],
            "channel_access_token": self.token,
            "data_url": self.api_url,
        }

    def adopt(self, config: Any) -> None:
        self.secret = config.channel_secrets[0].get_secret_value()
        if config.channel_access_token is not None:
            self.token = config.channel_access_token.get_secret_value()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/oauth2/v3/token", self._issue_token),
            web.get("/v2/bot/info", self._show_bot),
            web.get("/v2/bot/message/{id}/content", self._serve_bytes),
            web.get("/v2/bot/message/{id}/content/transcoding", self._show_transcoding),
            web.post("/v2/bot/message/push", self._push),
        ]

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Deliver each file, and the text, as a message of its own; all of them in one delivery."""
        contents = [self._file(sample) for sample in message.files]
        if message.text is not None:
            text = {"type": "text", "quoteToken": "q", "text": message.text}
            contents.append({"id": self._id(), **text})
        events = [self._event(message.consumer, content) for content in contents]
        return await self._deliver(events, message.times, forged=message.forged)

    async def unsend(self, consumer: Consumer, message_id: str) -> list[Delivered]:
        """Deliver that the consumer unsent a message, and delete its file."""
        self.hosted.pop(message_id, None)
        event = self._event(consumer, {})
        del event["message"], event["replyToken"]
        event |= {"type": "unsend", "unsend": {"messageId": message_id}}
        return await self._deliver([event])

    async def _deliver(
        self, events: list[dict[str, Any]], times: int = 1, *, forged: bool = False
    ) -> list[Delivered]:
        body = json.dumps({"destination": self.bot, "events": events}).encode()
        ids = [event["message"]["id"] for event in events if "message" in event]
        key = b"another-secret" if forged else self.secret.encode()
        signature = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        headers = {"content-type": "application/json", "x-line-signature": signature}
        return await self.post(body, headers, ids, times=times)

    def _event(self, consumer: Consumer, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "message",
            "message": message,
            "replyToken": uuid.uuid4().hex,
            "webhookEventId": uuid.uuid4().hex,
            "deliveryContext": {"isRedelivery": False},
            "timestamp": round(time.time() * 1000),
            "source": {"type": "user", "userId": consumer.id},
            "mode": "active",
        }

    def _file(self, sample: Sample) -> dict[str, Any]:
        id = self._id()
        hosted = self.host(sample, id)
        kind = _KINDS.get(sample.media_type.partition("/")[0], "file")
        hosted.extra["preparing"] = self.preparing if kind in _TRANSCODED else 0
        if kind == "file":
            size = len(sample.content)
            return {"id": id, "type": kind, "fileName": sample.name, "fileSize": size}
        return {"id": id, "type": kind, "quoteToken": "q", "contentProvider": {"type": "line"}}

    def _id(self) -> str:
        return str(next(self._numbers))

    async def _show_bot(self, request: web.Request) -> web.StreamResponse:
        info = {"userId": self.bot, "basicId": "@216example", "displayName": "Example Parcels"}
        return self._check_token(request) or web.json_response(info)

    async def _show_transcoding(self, request: web.Request) -> web.StreamResponse:
        hosted = self._find_file(request)
        if isinstance(hosted, web.Response):
            return hosted
        hosted.extra["preparing"] -= 1
        status = "processing" if hosted.extra["preparing"] >= 0 else "succeeded"
        return await self.stumble(request, hosted) or web.json_response({"status": status})

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        hosted = self._find_file(request)
        if isinstance(hosted, web.Response):
            return hosted
        if hosted.extra["preparing"] > 0:
            return web.Response(status=202)
        return await self.serve(request, hosted)

    def _find_file(self, request: web.Request) -> Hosted | web.Response:
        if (refusal := self._check_token(request)) is not None:
            return refusal
        return self.hosted.get(request.match_info["id"]) or _refusal(404, "Not found")

    async def _push(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._check_token(request) or self.refuse()) is not None:
            return refusal
        call, key = await request.json(), request.headers.get("x-line-retry-key", "")
        if key in self._accepted:
            sent_messages = [{"id": self._accepted[key]}]
            return _refusal(409, "The retry key is already accepted", sentMessages=sent_messages)
        if call["to"] in self.out_of_reach:
            return _refusal(400, "Failed to send messages")
        id = self._accepted[key] = self._id()
        text = SentText(id, call["to"], call["messages"][0]["text"], call)
        answer = web.json_response({"sentMessages": [{"id": id, "quoteToken": "q"}]})
        return await self.answer_text(request, text, answer)

    async def _issue_token(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if form.get("client_id") != self.channel or form.get("client_secret") != self.secret:
            error = {"error": "invalid_client", "error_description": "invalid client_secret"}
            return web.json_response(error, status=400)
        issued = {"token_type": "Bearer", "access_token": self.token, "expires_in": 900}
        return web.json_response(issued)

    def _check_token(self, request: web.Request) -> web.Response | None:
        if request.headers.get("authorization") == f"Bearer {self.token}":
            return None
        return _refusal(401, "Authentication failed.")


def _refusal(status: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"message": message, **more}, status=status)
