"""Emulated Vonage, over real HTTP on loopback, for `airlock demo` and tests.

It is written from https://developer.vonage.com/en/api/messages alone and shares no code with the connector. The API
and the files have the same origin here.
"""

import hashlib
import json
import time
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from simulator import Action, ConsumerMessage, Delivered, Platform, Sample, SentText

_KINDS = ("image", "video", "audio")
_ERRORS = "https://developer.vonage.com/api-errors"


class Vonage(Platform):
    """An application with one number for SMS and MMS, and one for WhatsApp."""

    name: ClassVar = "vonage"
    usual_receipts: ClassVar = ("submitted", "delivered", "read")
    secret = "emulated-vonage-signature-secret"
    application = "00000000-0000-4000-8000-00000000a991"
    numbers: ClassVar = {"whatsapp": "447700900000", "mms": "15550100000", "sms": "15550100000"}
    #: How consumers write: "whatsapp", "sms" or "mms".
    channel = "whatsapp"

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.private_key = pem.decode()

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "signature_secrets": [self.secret],
            "application_id": self.application,
            "private_key": self.private_key,
        }

    def adopt(self, config: Any) -> None:
        self.secret = config.signature_secrets[0].get_secret_value()
        self.application = config.application_id
        self.private_key = config.private_key.get_secret_value()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/messages", self._accept_text),
            web.patch("/v1/messages/{id}", self._mark_as_read),
            web.get("/v3/media/{id}", self._serve_bytes),
            web.get("/beta/chatapp-accounts/", self._list_accounts),
        ]

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Deliver a message. In WhatsApp, each file is a message; the text is the caption of the first if it can be."""
        contents = self._mms(message) if self.channel == "mms" else self._whatsapp(message)
        profile = {"profile": {"name": message.consumer.name}} if self.channel == "whatsapp" else {}
        sender = {"from": message.consumer.id, "to": self.numbers[self.channel], **profile}
        answers = []
        for content in contents:
            raw = {**self._common(self.channel), **sender, **content}
            answers += await self._deliver(raw, message.times, forged=message.forged)
        return answers

    def _common(self, channel: str) -> dict[str, Any]:
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"channel": channel, "message_uuid": str(uuid.uuid4()), "timestamp": moment}

    def _whatsapp(self, message: ConsumerMessage) -> list[dict[str, Any]]:
        contents, text = [], message.text
        for sample in message.files:
            file = self._file(sample)
            type = file.pop("type")
            if text and type != "audio":  # which has no caption in WhatsApp
                file["caption"], text = text, None
            contents.append({"message_type": type, type: file})
        return [*contents, {"message_type": "text", "text": text}] if text else contents

    def _mms(self, message: ConsumerMessage) -> list[dict[str, Any]]:
        files = [self._file(sample) for sample in message.files]
        text = {"text": message.text} if message.text else {}
        if not files:
            return [{"message_type": "text", **text}]
        several = {"content": files} if len(files) > 1 else {}
        type, main = files[0]["type"], {"url": files[0]["url"]}
        return [{"message_type": type, type: main, **several, **text}]

    def _file(self, sample: Sample) -> dict[str, Any]:
        id = str(uuid.uuid4())
        self.host(sample, id)
        kind, url = sample.media_type.partition("/")[0], f"{self.origin}/v3/media/{id}"
        if kind in _KINDS:
            return {"type": kind, "url": url}
        return {"type": "file", "url": url, "name": sample.name}

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        """Deliver a status; a number is the code of a rejection."""
        error = {"type": f"{_ERRORS}/messages#{receipt}", "title": receipt, "detail": "Rejected"}
        failed = {"status": "rejected", "error": error} if receipt.isdecimal() else {}
        sent = {"to": text.to, "from": text.raw["from"], "client_ref": text.raw["client_ref"]}
        common = {**self._common(text.raw["channel"]), "message_uuid": text.id}
        (delivered,) = await self._deliver({**common, **sent, "status": receipt, **failed})
        return delivered

    async def _deliver(
        self, raw: dict[str, Any], times: int = 1, *, forged: bool = False
    ) -> list[Delivered]:
        body = json.dumps(raw, separators=(",", ":")).encode()
        claims = {
            "iat": int(time.time()),
            "jti": str(uuid.uuid4()),
            "iss": "Vonage",
            "payload_hash": hashlib.sha256(body).hexdigest(),
            "application_id": self.application,
        }
        secret = "another-signature-secret-of-32-chars" if forged else self.secret
        token = jwt.encode(claims, secret, "HS256")
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        return await self.post(body, headers, [raw["message_uuid"]], times=times)

    async def _accept_text(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._check_token(request) or self.refuse()) is not None:
            return refusal
        call = await request.json()
        if call["from"] != self.numbers.get(call["channel"]):
            return _problem(422, "/messages#1120", "Invalid sender")
        if call["to"] in self.out_of_reach:
            return _problem(422, "/messages#1430", "Invalid recipient")
        text = SentText(str(uuid.uuid4()), call["to"], call["text"], call)
        answer = web.json_response({"message_uuid": text.id}, status=202)
        return await self.answer_text(request, text, answer)

    async def _mark_as_read(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._check_token(request)) is None:
            self.actions.append(Action("read", message_id=request.match_info["id"]))
        return refusal or web.json_response({})

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._check_token(request)) is not None:
            return refusal  # as with "enhanced inbound media security"
        hosted = self.hosted.get(request.match_info["id"])
        return await self.serve(request, hosted) if hosted else _problem(404, "", "Not Found")

    async def _list_accounts(self, request: web.Request) -> web.StreamResponse:
        account = {"name": "Example Parcels", "external_id": self.numbers["whatsapp"]}
        listed = [{"provider": "whatsapp", "applications": [self.application], **account}]
        return self._check_token(request) or web.json_response({"_embedded": listed})

    def _check_token(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        key: Any = load_pem_private_key(self.private_key.encode(), None)
        try:
            claims = jwt.decode(token, key.public_key(), ["RS256"], {"require": ["exp", "jti"]})
        except jwt.PyJWTError:
            claims = {}
        is_ours = claims.get("application_id") == self.application
        return None if is_ours else _problem(401, "#unauthorized", "Unauthorized")


def _problem(status: int, type: str, title: str) -> web.Response:
    problem = {"type": f"{_ERRORS}{type}", "title": title, "detail": "See the type."}
    return web.json_response(problem, status=status)
