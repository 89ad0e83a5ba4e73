"""Emulated Twilio SMS and MMS: signed forms, media behind Basic auth and a CDN that refuses it, texts."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Any, ClassVar
from urllib.parse import urlencode

from aiohttp import web

from simulator.exchange import Consumer, ConsumerMessage, Delivered, SentText
from simulator.hosting import Fault
from simulator.platform import Handler, Platform, fresh_id
from simulator.samples import Sample

from .calls import Refused, Text, count_segments, error, parse_text, refusal
from .signature import SIGNATURES, SignatureKind, sign_json

_ADDRESS_LIFETIME = 4 * 3600
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
_START = frozenset({"START", "YES", "UNSTOP"})
_MESSAGE_IN_TWIML = re.compile(rb"<(?:Message|Sms)\b", re.IGNORECASE)


class Twilio(Platform):
    name: ClassVar = "twilio"
    usual_receipts: ClassVar = ("sent", "delivered")
    account = "AC" + "0123456789abcdef" * 2
    token = "emulated-twilio-auth-token"
    number = "+15550002222"
    service = "MG" + "fedcba9876543210" * 2
    #: True if deliveries carry the id of a Messaging Service, as they do for a number that belongs to one.
    through_service = False
    #: True if deliveries contain the meaning of a keyword, as with Advanced Opt-Out.
    tells_opt_outs = False  # allow-word

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: The number of 404 answers before each file is available, as just after a webhook.
        self.early_404 = 0
        #: Texts that consumers received because of the answer to a delivery; there should be none.
        self.automatic_replies: list[bytes] = []

    def settings(self) -> dict[str, Any]:
        return {
            **super().settings(),
            "account_sid": self.account,
            "auth_tokens": [self.token],
            "sender": self.number,
        }

    def adopt(self, config: Any) -> None:
        self.account = config.account_sid
        self.token = config.auth_tokens[0].get_secret_value()
        self.number = config.sender or self.number

    def routes(self) -> list[web.RouteDef]:
        base = "/2010-04-01/Accounts/{account}"
        media = base + "/Messages/{message}/Media/{media}"
        return [
            web.get(media + ".json", self._authenticated(self._describe_media)),
            web.get(media, self._authenticated(self._redirect_to_media)),
            web.delete(media, self._authenticated(self._delete_media)),
            web.post(base + "/Messages.json", self._authenticated(self._accept_text)),
            web.get(base + ".json", self._authenticated(self._show_account)),
        ]

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/{account}/{media}", self._serve_bytes)]

    # Messages from consumers.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        fields = self.fields(message.consumer, message.text, message.files)
        if self.tells_opt_outs and (keyword := _keyword(message.text or "")):  # allow-word
            fields["OptOutType"] = keyword
        self._note_opt_out(message.consumer, message.text or "")
        return await self.deliver(fields, times=message.times, forged=message.forged)

    def fields(
        self, consumer: Consumer, text: str | None = None, files: Sequence[Sample] = ()
    ) -> dict[str, str]:
        """Return the form of one message."""
        sid = ("MM" if files else "SM") + fresh_id()
        fields = {
            "ToCountry": "US",
            "ToState": "",
            "SmsMessageSid": sid,
            "NumMedia": str(len(files)),
            "ToCity": "",
            "FromZip": "",
            "SmsSid": sid,
            "FromState": "CA",
            "SmsStatus": "received",
            "FromCity": "EXAMPLE SPRINGS",
            "Body": text or "",
            "FromCountry": "US",
            "To": self.number,
            "ToZip": "",
            "NumSegments": str(len(files) or count_segments(text or "")),
            "MessageSid": sid,
            "AccountSid": self.account,
            "From": consumer.id,
            "ApiVersion": "2010-04-01",
        }
        if self.through_service:
            fields["MessagingServiceSid"] = self.service
        for number, sample in enumerate(files):
            fields[f"MediaContentType{number}"] = sample.media_type
            fields[f"MediaUrl{number}"] = self._address(sample, sid)
        return fields

    def _address(self, sample: Sample, sid: str) -> str:
        media = "ME" + fresh_id()
        hosted = self.host(sample, media, message=sid)
        if self.early_404:
            hosted.extra["early"] = Fault(status=404, times=self.early_404)
        return f"{self.origin}/2010-04-01/Accounts/{self.account}/Messages/{sid}/Media/{media}"

    def _note_opt_out(self, consumer: Consumer, text: str) -> None:
        match _keyword(text):
            case "STOP":
                self.out_of_reach.add(consumer.id)
            case "START":
                self.out_of_reach.discard(consumer.id)

    async def deliver(
        self,
        fields: Mapping[str, str],
        *,
        path: str = "",
        times: int = 1,
        forged: bool = False,
        signature: SignatureKind = "valid",
    ) -> list[Delivered]:
        """Post a form, signed for the URL that was registered with the platform."""
        answers = await self._post_form(
            self.public_webhook + path,
            self.webhook + path,
            fields,
            times=times,
            signature="forged" if forged else signature,
        )
        self.automatic_replies += [
            answer.body for answer in answers if _would_text_consumer(answer)
        ]
        return answers

    async def _post_form(
        self,
        signed_url: str,
        url: str,
        fields: Mapping[str, str],
        *,
        times: int = 1,
        signature: SignatureKind = "valid",
    ) -> list[Delivered]:
        headers = {
            "content-type": _FORM,
            "i-twilio-idempotency-token": fresh_id(),
            "user-agent": "TwilioProxy/1.1",
        }
        value = SIGNATURES[signature](self.token, signed_url.partition("#")[0], fields)
        if value is not None:
            headers["x-twilio-signature"] = value
        body = urlencode(fields).encode()
        return await self.post(
            body, headers, [fields["MessageSid"]], url=url.partition("#")[0], times=times
        )

    async def deliver_json(self, content: Any, *, hashed: bytes | None = None) -> Delivered:
        """Post a JSON webhook: the signed URL contains the SHA-256 of the body, or of `hashed` in its place."""
        body = json.dumps(content).encode()
        digest = hashlib.sha256(body if hashed is None else hashed).hexdigest()
        query = ("&" if "?" in self.public_webhook else "?") + f"bodySHA256={digest}"
        headers = {
            "content-type": "application/json",
            "x-twilio-signature": sign_json(self.token, self.public_webhook + query),
        }
        (delivered,) = await self.post(body, headers, [], url=self.webhook + query)
        return delivered

    # Receipts for the gateway's texts.

    async def report(self, sent: SentText, status: str, **more: str) -> Delivered:
        """Post a status callback to the URL that was given when the text was sent."""
        url = str(sent.raw["StatusCallback"])
        fields = {
            "ApiVersion": "2010-04-01",
            "AccountSid": self.account,
            "From": self.number,
            "To": sent.to,
            "MessageSid": sent.id,
            "MessageStatus": status,
            "SmsSid": sent.id,
            "SmsStatus": status,
            **more,
        }
        actual = url.replace(self.public_webhook, self.webhook, 1)
        (delivered,) = await self._post_form(url, actual, fields)
        return delivered

    async def fail(self, text: SentText, code: int, status: str = "undelivered") -> Delivered:
        """Report that a text has failed after it was accepted."""
        return await self.report(text, status, ErrorCode=str(code))

    def fate(self, text: SentText) -> Sequence[str]:
        return self.receipts if "StatusCallback" in text.raw else ()

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        return await self.report(text, receipt)

    def refuse_next(self, code: int, times: int = 1) -> None:
        """Refuse the next texts with one of the platform's error codes."""
        self.refusals += [refusal(code)] * times

    # Calls from the gateway.

    def _authenticated(self, handler: Handler) -> Handler:
        async def authenticated(request: web.Request) -> web.StreamResponse:
            login = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
            if request.headers.get("authorization") != f"Basic {login}":
                return error(20003)
            if request.match_info["account"] != self.account:
                return error(20404)
            try:
                return await handler(request)
            except Refused as refused:
                return error(refused.code)

        return authenticated

    async def _show_account(self, request: web.Request) -> web.StreamResponse:
        del request
        shown = {"sid": self.account, "friendly_name": "Example Wheels", "status": "active"}
        return web.json_response({**shown, "type": "Full"})

    async def _redirect_to_media(self, request: web.Request) -> web.StreamResponse:
        media = request.match_info["media"]
        hosted = self.hosted.get(media)
        known = hosted is not None and hosted.extra["message"] == request.match_info["message"]
        if hosted is None or not known or _is_too_early(hosted.extra.get("early")):
            return error(20404)
        if (fault := await self.stumble(request, hosted)) is not None:
            return fault
        signature = fresh_id()
        hosted.addresses[signature] = self.now() + _ADDRESS_LIFETIME
        expiry = int(hosted.addresses[signature])
        location = f"{self.cdn}/{self.account}/{media}?Expires={expiry}&Signature={signature}"
        return web.Response(status=307, headers={"location": location})

    async def _describe_media(self, request: web.Request) -> web.StreamResponse:
        media = request.match_info["media"]
        hosted = self.hosted.get(media)
        if hosted is None:
            return error(20404)
        shown = {"sid": media, "account_sid": self.account, "parent_sid": hosted.extra["message"]}
        return web.json_response({**shown, "content_type": hosted.sample.media_type})

    async def _delete_media(self, request: web.Request) -> web.StreamResponse:
        if self.hosted.pop(request.match_info["media"], None) is None:
            return error(20404)
        return web.Response(status=204)

    async def _serve_bytes(self, request: web.Request) -> web.StreamResponse:
        if self.leaked(request, "authorization"):
            message = "Only one auth mechanism allowed"
            return web.Response(
                status=400,
                text=f"<Error><Code>InvalidArgument</Code><Message>{message}</Message></Error>",
                content_type="application/xml",
            )
        hosted = self.hosted.get(request.match_info["media"])
        expires = hosted.addresses.get(request.query.get("Signature", ""), 0.0) if hosted else 0.0
        if hosted is None or self.now() > expires:
            return web.Response(status=403)
        return await self.serve(request, hosted)

    async def _accept_text(self, request: web.Request) -> web.StreamResponse:
        call = await parse_text(request, self.number, self.service)
        if (refused := self.refuse()) is not None:
            return refused
        if call.to in self.out_of_reach:
            return error(21610)
        text = SentText("SM" + fresh_id(), call.to, call.body, call.raw)
        return await self.answer_text(request, text, self._created_response(text, call))

    def _created_response(self, text: SentText, call: Text) -> web.Response:
        service = call.raw.get("MessagingServiceSid")
        shown = {
            "sid": text.id,
            "account_sid": self.account,
            "messaging_service_sid": service,
            "from": call.raw.get("From"),
            "to": text.to,
            "body": text.text,
            "status": "accepted" if service else "queued",
            "direction": "outbound-api",
            "num_segments": "0" if service else str(count_segments(text.text)),
            "num_media": "0",
            "date_created": formatdate(self.now()),
            "date_sent": None,
            "error_code": None,
            "error_message": None,
            "uri": f"/2010-04-01/Accounts/{self.account}/Messages/{text.id}.json",
        }
        return web.json_response(shown, status=201)


def _keyword(text: str) -> str | None:
    """Return the keyword that a text means, or None."""
    word = text.strip().upper()
    return "STOP" if word in _STOP else "START" if word in _START else None


def _would_text_consumer(answer: Delivered) -> bool:
    """Return whether Twilio would send the consumer a text because of this answer."""
    type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.accepted or not answer.body.strip():
        return False
    return type == "text/plain" or bool(_MESSAGE_IN_TWIML.search(answer.body))


def _is_too_early(early: Fault | None) -> bool:
    if early is None or early.times <= 0:
        return False
    early.times -= 1
    return True
