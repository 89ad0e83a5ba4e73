"""Facebook Messenger, emulated: signed batches, signed addresses on a CDN, texts, watermarks and echoes."""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from aiohttp import web

from .platform import Consumer, Delivered, Platform, SentText, fresh_id
from .samples import Sample

_ADDRESS_LIVES = 36 * 3600


class Messenger(Platform):
    name: ClassVar = "messenger"
    secret = "emulated-messenger-app-secret"
    token = "emulated-page-access-token"
    verify_token = "emulated-messenger-verify-token"
    page_id = "1234567890"

    @property
    def api_url(self) -> str:
        return f"{self.origin}/v25.0"

    def settings(self) -> dict[str, Any]:
        return {
            "type": self.name,
            "app_secrets": [self.secret],
            "verify_token": self.verify_token,
            "access_token": self.token,
            "page_id": self.page_id,
            "api_url": self.api_url,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v25.0/{page}", self._page),
            web.post("/v25.0/{page}/messages", self._take),
            web.get("/cdn/{key}/{name}", self._bytes),
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
        """Apps send the text as a message of its own; here both come in one, as shares and some clients do."""
        message: dict[str, Any] = {}
        if text is not None:
            message["text"] = text
        if files:
            message["attachments"] = [self.attachment(sample) for sample in files]
        return await self.deliver([self.said(consumer, message)], times, forged=forged)

    def attachment(self, sample: Sample) -> dict[str, Any]:
        key = fresh_id()
        self.host(sample, key)
        expiry = f"{int(time.time()) + _ADDRESS_LIVES:X}"
        url = f"{self.origin}/cdn/{key}/{sample.name}?oh={fresh_id()}&oe={expiry}"
        return {"type": sample.media_type.partition("/")[0], "payload": {"url": url}}

    def said(self, consumer: Consumer, message: dict[str, Any]) -> dict[str, Any]:
        """One element of `messaging`: the consumer wrote."""
        return self.happened(consumer, message={"mid": f"m_{fresh_id()}", **message})

    def happened(self, consumer: Consumer, **what: Any) -> dict[str, Any]:
        return {
            "sender": {"id": consumer.id},
            "recipient": {"id": self.page_id},
            "timestamp": time.time_ns() // 1_000_000,
            **what,
        }

    async def deliver(
        self,
        events: Sequence[dict[str, Any]],
        times: int = 1,
        *,
        forged: bool = False,
        key: str = "messaging",
    ) -> list[Delivered]:
        """All events in one POST, each in an entry of its own."""
        now = time.time_ns() // 1_000_000
        entries = [{"id": self.page_id, "time": now, key: [event]} for event in events]
        body = json.dumps({"object": "page", "entry": entries}).encode()
        secret = "somebody else's" if forged else self.secret
        proof = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/json",
            "x-hub-signature-256": f"sha256={proof}",
            "x-hub-signature": "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        }
        ids = [event["message"]["mid"] for event in events if "message" in event]
        return await self.post(body, headers, ids, times=times)

    async def report(self, status: str, to: str) -> list[Delivered]:
        """Everything sent until now was delivered, or read."""
        fact: dict[str, Any] = {"watermark": time.time_ns() // 1_000_000}
        if status == "delivered":
            fact["mids"] = [sent.id for sent in self.sent if sent.to == to]
        kind = {"delivered": "delivery", "read": "read"}[status]
        return await self.deliver([self.happened(Consumer(to, ""), **{kind: fact})])

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        if "authorization" in request.headers:
            self.leaks.append((request.path, "authorization"))
        hosted = self.hosted.get(request.match_info["key"])
        if hosted is None:
            return web.Response(status=404)
        if int(request.query.get("oe", "0"), 16) < time.time():
            return web.Response(status=403, text="URL signature expired")
        return await self.serve(request, hosted)

    def _known(self, request: web.Request) -> bool:
        bearer = request.headers.get("authorization") == f"Bearer {self.token}"
        return bearer or request.query.get("access_token") == self.token

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return _error(401, 190, "Invalid OAuth access token")
        return web.json_response({"name": "Example Appliances", "id": self.page_id})

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return _error(401, 190, "Invalid OAuth access token")
        if request.match_info["page"] not in {self.page_id, "me"}:
            return _error(400, 100, "Object with this id does not exist")
        raw = await request.json()
        to = raw.get("recipient", {}).get("id")
        if "sender_action" in raw:
            return web.json_response({"recipient_id": to})
        refusal = self.refuse()
        if refusal is not None:
            return refusal
        text = raw.get("message", {}).get("text")
        if not to or not text or len(text) > 2000 or "messaging_type" not in raw:
            return _error(400, 100, "Invalid parameter")
        id = f"m_{fresh_id()}"
        self.sent.append(SentText(id, to, text, raw))
        return web.json_response({"recipient_id": to, "message_id": id})


def _error(status: int, code: int, message: str) -> web.Response:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": fresh_id()}
    return web.json_response({"error": error}, status=status)
