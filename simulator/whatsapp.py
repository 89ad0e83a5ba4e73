"""WhatsApp Cloud API, emulated: signed batches, media by id and short-lived address, texts and statuses."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from aiohttp import web

from .platform import Consumer, Delivered, Platform, SentText, fresh_id
from .samples import Sample

_ADDRESS_LIVES = 300.0


def signature(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class WhatsApp(Platform):
    name: ClassVar = "whatsapp"
    secret = "emulated-whatsapp-app-secret"
    token = "emulated-whatsapp-access-token"
    verify_token = "emulated-whatsapp-verify-token"
    number_id = "106540352242922"

    @property
    def api_url(self) -> str:
        return f"{self.origin}/v25.0"

    def settings(self) -> dict[str, Any]:
        return {
            "type": self.name,
            "app_secrets": [self.secret],
            "verify_token": self.verify_token,
            "access_token": self.token,
            "phone_number_id": self.number_id,
            "api_url": self.api_url,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v25.0/{id}", self._look_up),
            web.get("/whatsapp_business/attachments/", self._bytes),
            web.post("/v25.0/{number}/messages", self._take),
        ]

    async def send(
        self,
        consumer: Consumer,
        text: str | None = None,
        files: Sequence[Sample] = (),
        *,
        times: int = 1,
        forged: bool = False,
    ) -> list[Delivered]:
        """Each file is a message of its own; the text is the caption of the first."""
        if not files:
            messages = [self.message(consumer, "text", {"body": text or ""})]
        else:
            messages = [
                self.media_message(consumer, sample, text if number == 0 else None)
                for number, sample in enumerate(files)
            ]
        return await self.deliver(
            [self.change(consumer, [message]) for message in messages], times, forged=forged
        )

    async def deliver(
        self, changes: Sequence[dict[str, Any]], times: int = 1, *, forged: bool = False
    ) -> list[Delivered]:
        """All changes in one POST, each in an entry of its own."""
        entries = [{"id": "102290129340398", "changes": [change]} for change in changes]
        body = json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()
        proof = signature("somebody else's" if forged else self.secret, body)
        headers = {"content-type": "application/json", "x-hub-signature-256": proof}
        values = [change["value"] for change in changes]
        ids = [message["id"] for value in values for message in value.get("messages", [])]
        return await self.post(body, headers, ids, times=times)

    def change(
        self, consumer: Consumer, messages: Sequence[dict[str, Any]], **more: Any
    ) -> dict[str, Any]:
        value: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": "15550002222",
                "phone_number_id": self.number_id,
            },
            "contacts": [{"profile": {"name": consumer.name}, "wa_id": consumer.id}],
            "messages": list(messages),
            **more,
        }
        return {"field": "messages", "value": value}

    def message(self, consumer: Consumer, kind: str, content: Any, **more: Any) -> dict[str, Any]:
        return {
            "from": consumer.id,
            "id": f"wamid.{base64.b64encode(fresh_id().encode()).decode()}",
            "timestamp": str(int(time.time())),
            "type": kind,
            kind: content,
            **more,
        }

    def media_message(
        self, consumer: Consumer, sample: Sample, caption: str | None = None
    ) -> dict[str, Any]:
        media_id = str(int(fresh_id()[:12], 16))
        self.host(sample, media_id)
        digest = hashlib.sha256(sample.content).digest()
        media: dict[str, Any] = {
            "id": media_id,
            "mime_type": sample.media_type,
            "sha256": base64.b64encode(digest).decode(),
        }
        if caption is not None:
            media["caption"] = caption
        return self.message(consumer, sample.media_type.partition("/")[0], media)

    async def report(self, message_id: str, status: str, to: str, **more: Any) -> list[Delivered]:
        """What became of a text: sent, delivered, read or failed."""
        fact = {
            "id": message_id,
            "status": status,
            "timestamp": str(int(time.time())),
            "recipient_id": to,
            **more,
        }
        change = self.change(Consumer(to, ""), [], statuses=[fact])
        del change["value"]["contacts"], change["value"]["messages"]
        return await self.deliver([change])

    def _known(self, request: web.Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.token}"

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        id = request.match_info["id"]
        if not self._known(request):
            return _error(401, 190, "Invalid OAuth access token")
        if id == self.number_id:
            shown = {"verified_name": "Example Parcels", "display_phone_number": "+1 555-000-2222"}
            return web.json_response({**shown, "id": id})
        hosted = self.hosted.get(id)
        if hosted is None:
            return _error(400, 100, "Unsupported get request: no such id")
        proof = fresh_id()
        hosted.extra[proof] = time.monotonic() + _ADDRESS_LIVES
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "url": f"{self.origin}/whatsapp_business/attachments/?mid={id}&hash={proof}",
                "mime_type": hosted.sample.media_type,
                "sha256": hashlib.sha256(hosted.content).hexdigest(),
                "file_size": len(hosted.content),
                "id": id,
            }
        )

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            page = "<html><body>Sorry, this content is not available</body></html>"
            return web.Response(status=401, text=page, content_type="text/html")
        hosted = self.hosted.get(request.query.get("mid", ""))
        lives = hosted.extra.get(request.query.get("hash", ""), 0.0) if hosted else 0.0
        if hosted is None or time.monotonic() > lives:
            return web.Response(status=404)
        return await self.serve(request, hosted)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return _error(401, 190, "Invalid OAuth access token")
        raw = await request.json()
        if raw.get("messaging_product") != "whatsapp":
            return _error(400, 100, "The parameter messaging_product is required")
        if raw.get("status") == "read":
            return web.json_response({"success": True})
        refusal = self.refuse()
        if refusal is not None:
            return refusal
        to = raw.get("recipient") or raw.get("to")
        text = raw.get("text", {}).get("body")
        if not to or raw.get("type") != "text" or not text or len(text) > 4096:
            return _error(400, 131009, "Parameter value is not valid")
        id = f"wamid.{base64.b64encode(fresh_id().encode()).decode()}"
        self.sent.append(SentText(id, to, text, raw))
        contact = {"input": to, "wa_id": to}
        message = {"id": id, "message_status": "accepted"}
        return web.json_response(
            {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
        )


def _error(status: int, code: int, message: str) -> web.Response:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": fresh_id()}
    return web.json_response({"error": error}, status=status)
