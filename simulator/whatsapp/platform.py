"""Emulated WhatsApp Cloud API: signed batches, media by id and short-lived URL, texts and statuses."""

import base64
import hashlib
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from aiohttp import web

from simulator.exchange import Consumer, ConsumerMessage, Delivered, SentText
from simulator.graph import Graph, SignatureKind, error, fresh_id
from simulator.hosting import Hosted
from simulator.samples import Sample

from .calls import Mark, Text, parse_call
from .changes import Change, contact, message_id
from .errors import ERRORS, failure, refusal
from .examples import EXAMPLES
from .messages import UNSUPPORTED_ERRORS, Content

_ADDRESS_LIFETIME = 5 * 60
_ID_LIFETIME = 7 * 24 * 3600
_WINDOW_CLOSED = 131047
_NOT_ALLOWED = 131030
#: The parameter names the number that uploaded the file. A consumer's file was uploaded by none of the business's
#: numbers, so Graph refuses it whatever its value: https://github.com/chatwoot/chatwoot/pull/13319.
_NOT_THE_UPLOADER = "Param phone_number_id is not a valid whatsapp business phone number id ID"


class WhatsApp(Graph):
    name: ClassVar = "whatsapp"
    object: ClassVar = "whatsapp_business_account"
    bad_token_status: ClassVar = 401
    usual_receipts: ClassVar = ("sent", "delivered", "read")
    examples: ClassVar = EXAMPLES
    secret = "emulated-whatsapp-app-secret"
    token = "emulated-whatsapp-access-token"
    verify_token = "emulated-whatsapp-verify-token"
    number_id = "106540352242922"
    number = "15550002222"
    business_account = "102290129340398"
    #: True if webhooks carry the media URL as well, as since v24. It needs the token and expires like the other.
    addresses_in_webhooks = False
    #: True if the media URL redirects to the content network, which serves the bytes.
    redirects_to_cdn = False

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: The numbers to which one of Meta's test numbers may send; None for any other number, which may send to all.
        #: The list holds phone numbers, so a text to a user id is refused as well.
        self.allowed_recipients: set[str] | None = None

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "phone_number_id": self.number_id}

    def adopt(self, config: Any) -> None:
        super().adopt(config)
        self.number_id = config.phone_number_id

    def more_routes(self) -> list[web.RouteDef]:
        return [web.get("/whatsapp_business/attachments/", self._serve_bytes)]

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/{id}", self._serve_bytes_at_cdn)]

    # Messages from consumers.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        """Deliver each file as a message of its own; the text is the caption of the first."""
        consumer, text = message.consumer, message.text
        if message.files:
            messages = [
                self.media_message(consumer, sample, text if number == 0 else None)
                for number, sample in enumerate(message.files)
            ]
        else:
            messages = [self.message(consumer, "text", {"body": text or ""})]
        changes = [self.change(consumer, [one]) for one in messages]
        return await self.deliver(changes, message.times, forged=message.forged)

    async def say(self, consumer: Consumer, content: Content, **more: Any) -> Delivered:
        """Deliver one message of any kind (see `simulator.whatsapp.messages`), in a POST of its own."""
        message = self.message(consumer, *content, **more)
        if content[0] == "unsupported":
            message.setdefault("errors", UNSUPPORTED_ERRORS)
        change = self.change(consumer, [message])
        if content[0] == "system":
            del change["value"]["contacts"]  # the platform's own words, not the consumer's
        (delivered,) = await self.deliver([change])
        return delivered

    async def announce(self, change: Change) -> Delivered:
        """Deliver a change of another field (see `simulator.whatsapp.changes`), in a POST of its own."""
        field, more = change
        value = {**self._value(), **more}
        (delivered,) = await self.deliver([{"field": field, "value": value}])
        return delivered

    async def deliver(
        self,
        changes: Sequence[dict[str, Any]],
        times: int = 1,
        *,
        forged: bool = False,
        signature: SignatureKind = "valid",
        business_account: str | None = None,
    ) -> list[Delivered]:
        """Post all changes in one delivery, each in its own entry."""
        account = business_account or self.business_account
        entries = [{"id": account, "changes": [change]} for change in changes]
        values = [change["value"] for change in changes]
        ids = [item["id"] for value in values for name in _NAMED for item in value.get(name, [])]
        return await self.post_batch(
            entries, ids, times=times, signature="forged" if forged else signature
        )

    def change(
        self,
        consumer: Consumer,
        messages: Sequence[dict[str, Any]],
        *,
        number_id: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        value: dict[str, Any] = {
            **self._value(number_id),
            "contacts": [contact(consumer)],
            "messages": list(messages),
            **more,
        }
        return {"field": "messages", "value": value}

    def _value(self, number_id: str | None = None) -> dict[str, Any]:
        """Return the members that the values of all fields have."""
        metadata = {
            "display_phone_number": self.number,
            "phone_number_id": number_id or self.number_id,
        }
        return {"messaging_product": "whatsapp", "metadata": metadata}

    def message(
        self,
        consumer: Consumer,
        kind: str,
        content: Any,
        *,
        reply_to: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        sender = {"from": consumer.id} if consumer.id else {}
        if consumer.user_id:
            sender["from_user_id"] = consumer.user_id
        if reply_to is not None:
            more = {"context": {"from": self.number, "id": reply_to}, **more}
        return {
            **sender,
            "id": message_id(),
            "timestamp": str(int(time.time())),
            "type": kind,
            kind: content,
            **more,
        }

    def media_message(
        self,
        consumer: Consumer,
        sample: Sample,
        caption: str | None = None,
        *,
        kind: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Return the message of a file."""
        return self.message(consumer, *self.media(sample, caption, kind=kind), **more)

    def media(
        self, sample: Sample, caption: str | None = None, *, kind: str | None = None
    ) -> Content:
        """Return the content of a photo, video, sticker or recording; any other file is sent as a document."""
        kind = kind or _kind_of(sample.media_type)
        media_id = str(int(fresh_id()[:12], 16))
        hosted = self.host(sample, media_id)
        media: dict[str, Any] = {
            "id": media_id,
            "mime_type": sample.media_type,
            "sha256": base64.b64encode(hashlib.sha256(sample.content).digest()).decode(),
            **_extra_fields(kind, sample.media_type),
        }
        if kind == "document":
            media["filename"] = sample.name
        if caption is not None:
            media["caption"] = caption
        if self.addresses_in_webhooks:
            media["url"] = self._address(media_id, hosted)
        return kind, media

    # Receipts for the gateway's texts.

    async def report(self, message_id: str, status: str, to: str, **more: Any) -> list[Delivered]:
        """Report the status of a text: sent, delivered, read or failed."""
        status_object = {
            "id": message_id,
            "status": status,
            "timestamp": str(int(time.time())),
            "recipient_id": to,
            **more,
        }
        change = self.change(Consumer(to, ""), [], statuses=[status_object])
        del change["value"]["contacts"], change["value"]["messages"]
        return await self.deliver([change])

    async def fail(self, text: SentText, code: int, **words: str) -> Delivered:
        """Report that a text has failed after it was accepted; `words` are its `title` and its `details`."""
        errors = [failure(code, **words)]
        (delivered,) = await self.report(text.id, "failed", text.to, errors=errors)
        return delivered

    def fate(self, text: SentText) -> Sequence[str]:
        return ("failed",) if text.to in self.out_of_reach else self.receipts

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        if receipt == "failed":
            return await self.fail(text, _WINDOW_CLOSED)
        note = text.raw.get("biz_opaque_callback_data")
        more = {"biz_opaque_callback_data": note} if note else {}
        (delivered,) = await self.report(text.id, receipt, text.to, **more)
        return delivered

    def refuse_next(
        self, code: int, times: int = 1, *, subcode: int | None = None, details: str = ""
    ) -> None:
        """Refuse the next texts with one of the platform's error codes."""
        assert code in ERRORS, f"WhatsApp does not refuse texts with error {code}"
        self.refusals += [refusal(code, subcode, details=details)] * times

    def _is_allowed(self, to: str) -> bool:
        return self.allowed_recipients is None or to.removeprefix("+") in self.allowed_recipients

    # Calls from the gateway.

    async def get_node(self, request: web.Request) -> web.StreamResponse:
        id = request.match_info["id"]
        if id == self.number_id:
            answer = {"verified_name": "Example Parcels", "display_phone_number": "+1 555-000-2222"}
            return web.json_response({**answer, "quality_rating": "GREEN", "id": id})
        hosted = self.hosted.get(id)
        if hosted is not None and "phone_number_id" in request.query:
            return error(400, 100, _NOT_THE_UPLOADER)
        if hosted is None or self.now() > hosted.extra["since"] + _ID_LIFETIME:
            message = f"Unsupported get request. Object with ID '{id}' does not exist"
            return error(400, 100, message, error_subcode=33)
        return await self.stumble(request, hosted) or web.json_response(
            {
                "messaging_product": "whatsapp",
                "url": self._address(id, hosted),
                "mime_type": hosted.sample.media_type,
                "sha256": hashlib.sha256(hosted.content).hexdigest(),
                "file_size": len(hosted.content),
                "id": id,
            }
        )

    def _address(self, id: str, hosted: Hosted) -> str:
        token = fresh_id()
        hosted.addresses[token] = self.now() + _ADDRESS_LIFETIME
        query = f"mid={id}&ext={int(hosted.addresses[token])}&hash={token}"
        return f"{self.origin}/whatsapp_business/attachments/?{query}"

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        if not self.authorized(request):
            page = "<html><body>Sorry, this content is not available</body></html>"
            return web.Response(status=401, text=page, content_type="text/html")
        id = request.query.get("mid", "")
        hosted = self.hosted.get(id)
        expires = hosted.addresses.get(request.query.get("hash", ""), 0.0) if hosted else 0.0
        if hosted is None or self.now() > expires:
            return web.Response(status=404)
        if self.redirects_to_cdn:
            return web.Response(status=302, headers={"location": f"{self.cdn}/{id}?oh={expires}"})
        return await self.serve(request, hosted)

    async def _serve_bytes_at_cdn(self, request: web.Request) -> web.StreamResponse:
        self.leaked(request, "authorization")
        hosted = self.hosted.get(request.match_info["id"])
        if hosted is None or self.now() > float(request.query.get("oh", "0")):
            return web.Response(status=403, text="URL signature expired")
        return await self.serve(request, hosted)

    async def post_messages(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["id"] != self.number_id:
            message = f"Unsupported post request. Object with ID '{request.match_info['id']}'"
            return error(400, 100, message, error_subcode=33)
        match await parse_call(request):
            case Mark(actions):
                self.actions += actions
                return web.json_response({"success": True})
            case Text(to) if not self._is_allowed(to):
                status, body = refusal(_NOT_ALLOWED)
                return web.json_response(body, status=status)
            case Text(to, text, raw):
                return self.refuse() or await self._accept_text(
                    request, SentText(message_id(), to, text, raw)
                )

    async def _accept_text(self, request: web.Request, text: SentText) -> web.StreamResponse:
        answer = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": text.to, "wa_id": text.to}],
            "messages": [{"id": text.id, "message_status": "accepted"}],
        }
        return await self.answer_text(request, text, web.json_response(answer))


#: The members of a change whose items have an id of their own.
_NAMED = ("messages", "message_echoes", "calls")


def _extra_fields(kind: str, media_type: str) -> dict[str, bool]:
    """Return the fields that a kind of file has of its own. What WhatsApp records itself is Opus in Ogg."""
    if kind == "sticker":
        return {"animated": False}
    return {"voice": media_type.startswith("audio/ogg")} if kind == "audio" else {}


def _kind_of(media_type: str) -> str:
    family = media_type.partition("/")[0]
    if media_type == "image/webp":
        return "sticker"
    return family if family in {"image", "video", "audio"} else "document"
