"""Emulated web channel: signed deliveries, originals by short-lived addresses, texts, and what became of files."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web

from simulator.exchange import Action, Consumer, ConsumerMessage, Delivered, SentText
from simulator.platform import Handler, Platform, fresh_id
from simulator.samples import Sample

from .examples import EXAMPLES

_ADDRESS_LIFETIME = 300
_KINDS = {"image": "photo", "video": "video", "audio": "audio"}


class Web(Platform):
    name: ClassVar = "web"
    examples: ClassVar = EXAMPLES
    usual_receipts: ClassVar = ("delivered", "read")
    site = "shop"
    secrets: Sequence[str] = ("whsec_" + base64.b64encode(b"emulated web channel secret").decode(),)
    access_token = "emulated-web-token"

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: Keys of texts that the gateway sent more than once.
        self.repeated_ids: list[str] = []
        #: What the gateway reported of files: the bodies of its calls, in order.
        self.outcomes: list[dict[str, Any]] = []
        #: Consumers that the gateway asked to forget.
        self.forgotten: list[str] = []

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "secrets": list(self.secrets),
            "access_token": self.access_token,
        }

    def adopt(self, config: Any) -> None:
        self.secrets = tuple(secret.get_secret_value() for secret in config.secrets)
        self.access_token = config.access_token.get_secret_value()

    def routes(self) -> list[web.RouteDef]:
        api = "/platform/v1"
        return [
            web.get(f"{api}/uploads/{{key}}", self._authenticated(self._look_up)),
            web.get(f"{api}/files/{{key}}", self._serve_bytes),
            web.post(f"{api}/messages", self._authenticated(self._accept_text)),
            web.post(f"{api}/read", self._authenticated(self._read)),
            web.post(f"{api}/typing", self._authenticated(self._typing)),
            web.post(f"{api}/outcomes", self._authenticated(self._outcome)),
            web.post(f"{api}/closed", self._authenticated(self._closed)),
            web.delete(f"{api}/consumers/{{id}}", self._authenticated(self._forget)),
            web.get(f"{api}/account", self._authenticated(self._account)),
        ]

    # Deliveries.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        content: dict[str, Any] = {
            "text": message.text,
            "reply_to": None,
            "attachments": [self.attachment(sample) for sample in message.files],
        }
        event = self.event("message", message.consumer, **content)
        return await self.deliver([event], times=message.times, forged=message.forged)

    def attachment(self, sample: Sample) -> dict[str, Any]:
        """Keep a file, and return how a message names it."""
        hosted = self.host(sample, f"upl_{fresh_id()}")
        return {
            "upload": next(key for key, known in self.hosted.items() if known is hosted),
            "kind": _KINDS.get(sample.media_type.partition("/")[0], "document"),
            "media_type": sample.media_type,
            "name": sample.name,
            "bytes": len(sample.content),
            "sha256": hashlib.sha256(sample.content).hexdigest(),
        }

    def event(
        self, type: str, consumer: Consumer, *, verified: bool = False, **content: Any
    ) -> dict[str, Any]:
        """Return an event of a consumer with an id of its own."""
        at = datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds")
        who = {"id": consumer.id, "name": consumer.name, "verified": verified}
        return {
            "id": fresh_id(),
            "type": type,
            "at": at.replace("+00:00", "Z"),
            "consumer": who,
            **content,
        }

    async def deliver(
        self, events: Sequence[Mapping[str, Any]], *, times: int = 1, forged: bool = False
    ) -> list[Delivered]:
        """Deliver events of one consumer, signed."""
        ids = [f"{self.site}:{event['consumer']['id']}:{event['id']}" for event in events]
        body = json.dumps({"site": self.site, "events": list(events)}).encode()
        return await self.post(body, self._signed(ids[0], body, forged=forged), ids, times=times)

    def _signed(self, id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        stamp = str(int(time.time()))
        message = f"{id}.{stamp}.".encode() + body
        keys = [b"forged"] if forged else [_key(secret) for secret in self.secrets]
        proofs = [base64.b64encode(hmac.digest(key, message, "sha256")).decode() for key in keys]
        return {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(f"v1,{proof}" for proof in proofs),
        }

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        consumer = Consumer(text.to, "")
        event = self.event("receipt", consumer, status=receipt, message_ids=[text.id])
        (delivered,) = await self.deliver([event])
        return delivered

    # Calls from the gateway.

    def _authenticated(self, handler: Handler) -> Handler:
        async def authenticated(request: web.Request) -> web.StreamResponse:
            if request.headers.get("authorization") != f"Bearer {self.access_token}":
                return _problem(401, "session_required")
            return await handler(request)

        return authenticated

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        hosted = self.hosted.get(key)
        if hosted is None:
            return _problem(404, "not_found")
        if (fault := await self.stumble(request, hosted)) is not None:
            return fault
        address = fresh_id()
        hosted.addresses[address] = self.now() + _ADDRESS_LIFETIME
        return web.json_response(
            {
                "url": f"{self.origin}/platform/v1/files/{key}?signature={address}",
                "bytes": len(hosted.sample.content),
                "sha256": hashlib.sha256(hosted.sample.content).hexdigest(),
                "media_type": hosted.sample.media_type,
            }
        )

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        if self.leaked(request, "authorization"):
            return _problem(400, "bad_request")
        hosted = self.hosted.get(request.match_info["key"])
        if hosted is None:
            return _problem(404, "not_found")
        if self.now() > hosted.addresses.get(request.query.get("signature", ""), 0.0):
            return _problem(403, "expired")
        return await self.serve(request, hosted)

    async def _accept_text(self, request: web.Request) -> web.StreamResponse:
        raw = await _read_json(request)
        if not all(
            isinstance(raw.get(name), str) and raw[name] for name in ("site", "to", "key", "text")
        ):
            return _problem(400, "bad_request")
        if (refused := self.refuse()) is not None:
            return refused
        if raw["site"] != self.site or raw["to"] in self.out_of_reach:
            return _problem(404, "not_found")
        answer = web.json_response({"id": raw["key"]})
        if any(sent.id == raw["key"] for sent in self.sent):
            self.repeated_ids.append(raw["key"])
            return answer
        return await self.answer_text(
            request, SentText(raw["key"], raw["to"], raw["text"], raw), answer
        )

    async def _read(self, request: web.Request) -> web.StreamResponse:
        raw = await _read_json(request)
        self.actions.append(Action("read", str(raw.get("to")), str(raw.get("message_id"))))
        return web.Response(status=204)

    async def _typing(self, request: web.Request) -> web.StreamResponse:
        raw = await _read_json(request)
        kind = "typing_on" if raw.get("on") else "typing_off"
        self.actions.append(Action(kind, str(raw.get("to"))))
        return web.Response(status=204)

    async def _outcome(self, request: web.Request) -> web.StreamResponse:
        self.outcomes.append(await _read_json(request))
        return web.Response(status=204)

    async def _closed(self, request: web.Request) -> web.StreamResponse:
        raw = await _read_json(request)
        self.actions.append(Action("closed", str(raw.get("to"))))
        return web.Response(status=204)

    async def _forget(self, request: web.Request) -> web.StreamResponse:
        self.forgotten.append(request.match_info["id"])
        return web.Response(status=204)

    async def _account(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.json_response({"name": f"web chat of {self.site}", "sites": [self.site]})


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def _problem(status: int, code: str) -> web.Response:
    content = {"type": "about:blank", "status": status, "code": code, "detail": code}
    return web.json_response(content, status=status, content_type="application/problem+json")


async def _read_json(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a call, or an empty one if the body is anything else."""
    try:
        raw = json.loads(await request.read())
    except ValueError:
        return {}
    return raw if isinstance(raw, dict) else {}
