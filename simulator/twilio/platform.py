"""Emulated Twilio SMS and MMS: signed forms, media behind Basic auth and a CDN that refuses it, texts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from aiohttp import web

from simulator.exchange import Consumer, ConsumerMessage, Delivered, SentText
from simulator.hosting import Fault, Hosted
from simulator.platform import Handler, Platform, fresh_id
from simulator.samples import Sample

from .accounts import Account
from .automatic import keyword, would_text_consumer
from .calls import FAILURES, Refused, count_segments, error, not_found, parse_text, refusal
from .examples import EXAMPLES
from .messages import SMIL, Form
from .resources import Resource, received_message, sent_message
from .signature import SIGNATURES, SignatureKind, sign_json

_ADDRESS_LIFETIME = 4 * 3600
_OPTED_OUT = 21610
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"


class Twilio(Platform):
    name: ClassVar = "twilio"
    usual_receipts: ClassVar = ("sent", "delivered")
    examples: ClassVar = EXAMPLES
    account = "AC" + "0123456789abcdef" * 2
    token = "emulated-twilio-auth-token"
    number = "+15550002222"
    service = "MG" + "fedcba9876543210" * 2
    #: True if deliveries carry the id of a Messaging Service, as they do for a number that belongs to one.
    through_service = False
    #: True if deliveries contain the meaning of a keyword, as with Advanced Opt-Out.
    tells_opt_outs = False  # allow-word

    #: True if opted-out consumers are accepted and reported by status callback, as Messaging Services do.
    reports_opt_outs_later = False
    #: True if status callbacks of failures contain the words as well as the code.
    explains_failures = True

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        #: Accounts below ours: our login opens them, but they have their own numbers, and their own token signs.
        self.subaccounts: dict[str, Account] = {}
        #: Consumers whom the carrier cannot reach, with the code of the failure (see `calls.FAILURES`).
        self.carrier_failures: dict[str, int] = {}
        #: The number of 404 answers before each file is available, as just after a webhook.
        self.early_404 = 0
        #: Texts that consumers received because of the answer to a delivery; there should be none.
        self.automatic_replies: list[bytes] = []
        #: Every message by account and id: an id of one account is unknown to another.
        self._messages: dict[tuple[str, str], Resource] = {}

    def settings(self) -> dict[str, Any]:
        subaccounts = list(self.subaccounts.values())
        more = {"account_sids": [sub.sid for sub in subaccounts]} if subaccounts else {}
        return {
            **super().settings(),
            "account_sid": self.account,
            "auth_tokens": [self.token, *(sub.token for sub in subaccounts)],
            "sender": self.number,
            **more,
        }

    def add_subaccount(self, number: str) -> Account:
        """Create a subaccount with a number and a token of its own."""
        account = Account(f"AC{fresh_id()}", f"emulated-twilio-token-of-{number}", number)
        self.subaccounts[account.sid] = account
        return account

    @property
    def parent(self) -> Account:
        """The account that the connector's settings name."""
        return Account(self.account, self.token, self.number, self.service)

    def _accounts(self) -> dict[str, Account]:
        return {self.account: self.parent, **self.subaccounts}

    def adopt(self, config: Any) -> None:
        self.account = config.account_sid
        self.token = config.auth_tokens[0].get_secret_value()
        self.number = config.sender or self.number
        # Their tokens are among auth_tokens, in an order that only the operator knows: ours signs for all.
        self.subaccounts = {
            sid: Account(sid, self.token, self.number) for sid in config.account_sids
        }

    def routes(self) -> list[web.RouteDef]:
        base = "/2010-04-01/Accounts/{account}"
        media = base + "/Messages/{message}/Media/{media}"
        return [
            web.get(media + ".json", self._authenticated(self._describe_media)),
            web.get(media, self._authenticated(self._redirect_to_media)),
            web.delete(media, self._authenticated(self._delete_media)),
            web.post(base + "/Messages.json", self._authenticated(self._accept_text)),
            web.get(base + "/Messages/{message}.json", self._authenticated(self._show_message)),
            web.get(base + ".json", self._authenticated(self._show_account)),
        ]

    def cdn_routes(self) -> list[web.RouteDef]:
        return [web.get("/{account}/{media}", self._serve_bytes)]

    # Messages from consumers.

    async def deliver_message(self, message: ConsumerMessage) -> list[Delivered]:
        fields = self.fields(message.consumer, message.text, message.files)
        if self.tells_opt_outs and (meaning := keyword(message.text or "")):  # allow-word
            fields["OptOutType"] = meaning
        self._note_opt_out(message.consumer, message.text or "")
        return await self.deliver(fields, times=message.times, forged=message.forged)

    async def say(
        self, consumer: Consumer, *forms: Form, files: Sequence[Sample] = ()
    ) -> Delivered:
        """Deliver one message with the parameters of `simulator.twilio.messages`, which replace the usual ones."""
        fields = self.fields(consumer, files=files)
        for form in forms:
            fields.update(form)
        self._note_opt_out(consumer, fields["Body"])
        (delivered,) = await self.deliver(fields)
        return delivered

    def fields(
        self,
        consumer: Consumer,
        text: str | None = None,
        files: Sequence[Sample] = (),
        *,
        account: Account | None = None,
    ) -> dict[str, str]:
        """Return the form of one message, to our account or to one of its subaccounts."""
        account = account or self.parent
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
            "To": account.number,
            "ToZip": "",
            "NumSegments": str(len(files) or count_segments(text or "")),
            "MessageSid": sid,
            "AccountSid": account.sid,
            "From": consumer.id,
            "ApiVersion": "2010-04-01",
        }
        if self.through_service:
            fields["MessagingServiceSid"] = self.service
        for number, sample in enumerate(files):
            fields[f"MediaContentType{number}"] = sample.media_type
            fields[f"MediaUrl{number}"] = self._address(sample, sid, account.sid)
        return fields

    def _address(self, sample: Sample, sid: str, account: str) -> str:
        media = "ME" + fresh_id()
        hosted = self.host(sample, media, message=sid, account=account)
        hosted.is_optional = sample.media_type == SMIL.media_type
        if self.early_404:
            hosted.extra["early"] = Fault(status=404, times=self.early_404)
        return f"{self.origin}/2010-04-01/Accounts/{account}/Messages/{sid}/Media/{media}"

    def _note_opt_out(self, consumer: Consumer, text: str) -> None:
        match keyword(text):
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
        resource = received_message(fields, self.now())
        self._messages[resource["account_sid"], resource["sid"]] = resource
        answers = await self._post_form(
            self.public_webhook + path,
            self.webhook + path,
            fields,
            times=times,
            signature="forged" if forged else signature,
        )
        self.automatic_replies += [answer.body for answer in answers if would_text_consumer(answer)]
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
        signer = self.subaccounts.get(fields["AccountSid"], self.parent)
        value = SIGNATURES[signature](signer.token, signed_url.partition("#")[0], fields)
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
        account = self._account_of(sent)
        resource = self._messages.get((account.sid, sent.id), {})
        code = int(more["ErrorCode"]) if "ErrorCode" in more else None
        resource |= {"status": status, "error_code": code}
        fields = {
            "ApiVersion": "2010-04-01",
            "AccountSid": account.sid,
            "From": sent.raw.get("From") or account.number,
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
        words = (
            {"ErrorMessage": FAILURES[code]} if self.explains_failures and code in FAILURES else {}
        )
        return await self.report(text, status, ErrorCode=str(code), **words)

    def fate(self, text: SentText) -> Sequence[str]:
        if "StatusCallback" not in text.raw:
            return ()
        if text.to in self.out_of_reach:
            return ("failed",)
        return ("sent", "undelivered") if text.to in self.carrier_failures else self.receipts

    async def tell(self, text: SentText, receipt: str) -> Delivered:
        if receipt == "failed" and text.to in self.out_of_reach:
            return await self.fail(text, _OPTED_OUT, receipt)
        if receipt == "undelivered" and text.to in self.carrier_failures:
            return await self.fail(text, self.carrier_failures[text.to], receipt)
        return await self.report(text, receipt)

    def _account_of(self, sent: SentText) -> Account:
        """Return the account that sent a text."""
        accounts = self._accounts()
        sender = [sid for sid, id in self._messages if id == sent.id]
        return accounts[sender[0]] if sender else self.parent

    def refuse_next(self, code: int, times: int = 1, *, words: str = "") -> None:
        """Refuse the next texts with one of the platform's error codes."""
        self.refusals += [refusal(code, words)] * times

    # Calls from the gateway.

    def _authenticated(self, handler: Handler) -> Handler:
        async def authenticated(request: web.Request) -> web.StreamResponse:
            asked = self._accounts().get(request.match_info["account"])
            logins = {account.authorization for account in (self.parent, asked) if account}
            if request.headers.get("authorization") not in logins:
                return error(20003)
            try:
                if asked is None:
                    raise not_found(request)
                return await handler(request)
            except Refused as refused:
                return error(refused.code, str(refused))

        return authenticated

    def _account(self, request: web.Request) -> Account:
        """Return the account that a call concerns; `_authenticated` has found that it exists."""
        return self._accounts()[request.match_info["account"]]

    async def _show_account(self, request: web.Request) -> web.StreamResponse:
        shown = {
            "sid": self._account(request).sid,
            "friendly_name": "Example Wheels",
            "status": "active",
        }
        return web.json_response({**shown, "type": "Full"})

    async def _show_message(self, request: web.Request) -> web.StreamResponse:
        found = request.match_info["account"], request.match_info["message"]
        if found not in self._messages:
            raise not_found(request)
        return web.json_response(self._messages[found])

    def _media(self, request: web.Request) -> Hosted:
        """Return the file of a message of an account; raises Refused if any of the three is another's."""
        hosted = self.hosted.get(request.match_info["media"])
        if hosted is None or any(
            hosted.extra[part] != request.match_info[part] for part in ("account", "message")
        ):
            raise not_found(request)
        return hosted

    async def _redirect_to_media(self, request: web.Request) -> web.StreamResponse:
        media, hosted = request.match_info["media"], self._media(request)
        if _is_too_early(hosted.extra.get("early")):
            raise not_found(request)
        if (fault := await self.stumble(request, hosted)) is not None:
            return fault
        signature = fresh_id()
        hosted.addresses[signature] = self.now() + _ADDRESS_LIFETIME
        expiry = int(hosted.addresses[signature])
        location = (
            f"{self.cdn}/{hosted.extra['account']}/{media}?Expires={expiry}&Signature={signature}"
        )
        return web.Response(status=307, headers={"location": location})

    async def _describe_media(self, request: web.Request) -> web.StreamResponse:
        media, hosted = request.match_info["media"], self._media(request)
        parents = {"account_sid": hosted.extra["account"], "parent_sid": hosted.extra["message"]}
        shown = {"sid": media, **parents}
        return web.json_response({**shown, "content_type": hosted.sample.media_type})

    async def _delete_media(self, request: web.Request) -> web.StreamResponse:
        self._media(request)
        del self.hosted[request.match_info["media"]]
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
        account = self._account(request)
        call = await parse_text(request, account)
        if (refused := self.refuse()) is not None:
            return refused
        if call.to in self.out_of_reach and not self.reports_opt_outs_later:
            raise Refused(_OPTED_OUT)
        text = SentText("SM" + fresh_id(), call.to, call.body, call.raw)
        resource = sent_message(text.id, account, call, self.now())
        self._messages[account.sid, text.id] = resource
        return await self.answer_text(request, text, web.json_response(resource, status=201))


def _is_too_early(early: Fault | None) -> bool:
    if early is None or early.times <= 0:
        return False
    early.times -= 1
    return True
