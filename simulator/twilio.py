"""Twilio SMS and MMS, emulated: signed forms, media behind Basic auth and a CDN that wants none, texts."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from aiohttp import web

from .platform import Consumer, Delivered, Fault, Hosted, Platform, SentText, fresh_id
from .samples import Sample


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """The value of X-Twilio-Signature for a form: the URL, then each name and value in the names' order."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(
        hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    ).decode()


class Twilio(Platform):
    name: ClassVar = "twilio"
    account = "AC" + "0123456789abcdef" * 2
    token = "emulated-twilio-auth-token"
    number = "+15550002222"

    def __init__(self, webhook: str = "", public_webhook: str | None = None) -> None:
        super().__init__(webhook, public_webhook)
        self._cdn = _Cdn(self)
        #: How often each file answers 404 before it is there, as just after a webhook.
        self.early_404 = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        await super().start(host, port)
        await self._cdn.start(host)

    async def close(self) -> None:
        await self._cdn.close()
        await super().close()

    def settings(self) -> dict[str, Any]:
        return {
            "type": self.name,
            "account_sid": self.account,
            "auth_tokens": [self.token],
            "sender": self.number,
            "api_url": self.api_url,
        }

    def routes(self) -> list[web.RouteDef]:
        base = "/2010-04-01/Accounts/{account}"
        return [
            web.get(base + "/Messages/{message}/Media/{media}", self._media),
            web.post(base + "/Messages.json", self._take),
            web.get(base + ".json", self._account),
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
        sid = ("MM" if files else "SM") + fresh_id()
        fields = {
            "ToCountry": "US",
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "MessageSid": sid,
            "AccountSid": self.account,
            "From": consumer.id,
            "To": self.number,
            "Body": text or "",
            "NumMedia": str(len(files)),
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }
        for number, sample in enumerate(files):
            fields[f"MediaUrl{number}"] = self._address(sample, sid)
            fields[f"MediaContentType{number}"] = sample.media_type
        return await self.deliver(fields, times=times, forged=forged)

    def _address(self, sample: Sample, sid: str) -> str:
        media = "ME" + fresh_id()
        hosted = self.host(sample, media)
        if self.early_404:
            hosted.extra["early"] = Fault(status=404, times=self.early_404)
        return f"{self.origin}/2010-04-01/Accounts/{self.account}/Messages/{sid}/Media/{media}"

    async def deliver(
        self,
        fields: Mapping[str, str],
        *,
        path: str = "",
        times: int = 1,
        forged: bool = False,
    ) -> list[Delivered]:
        """A form, signed for the address that the platform was given."""
        token = "somebody else's" if forged else self.token
        headers = {
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "x-twilio-signature": signature(token, self.public_webhook + path, fields),
            "i-twilio-idempotency-token": fresh_id(),
        }
        body = urlencode(fields).encode()
        sid = fields["MessageSid"]
        return await self.post(body, headers, [sid], url=self.webhook + path, times=times)

    async def report(self, sent: SentText, status: str, **more: str) -> Delivered:
        """A status callback, to the address that was asked for when the text was sent."""
        url = str(sent.raw["StatusCallback"])
        fields = {
            "MessageSid": sent.id,
            "SmsSid": sent.id,
            "MessageStatus": status,
            "SmsStatus": status,
            "AccountSid": self.account,
            "From": self.number,
            "To": sent.to,
            "ApiVersion": "2010-04-01",
            **more,
        }
        headers = {
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "x-twilio-signature": signature(self.token, url, fields),
        }
        actual = url.replace(self.public_webhook, self.webhook, 1)
        (delivered,) = await self.post(urlencode(fields).encode(), headers, [sent.id], url=actual)
        return delivered

    def _known(self, request: web.Request) -> bool:
        login = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        right_login = request.headers.get("authorization") == f"Basic {login}"
        return right_login and request.match_info["account"] == self.account

    async def _account(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return _error(401, 20003, "Authenticate")
        return web.json_response({"sid": self.account, "friendly_name": "Example Wheels"})

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return _error(401, 20003, "Authenticate")
        hosted = self.hosted.get(request.match_info["media"])
        if hosted is None or _too_early(hosted):
            return _error(404, 20404, "The requested resource was not found")
        proof = fresh_id()
        hosted.extra[proof] = time.monotonic() + 300
        return web.Response(
            status=307, headers={"location": self._cdn.address(request.match_info["media"], proof)}
        )

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if not self._known(request):
            return _error(401, 20003, "Authenticate")
        refusal = self.refuse()
        if refusal is not None:
            return refusal
        raw = {name: str(value) for name, value in (await request.post()).items()}
        if not (raw.get("From") or raw.get("MessagingServiceSid")):
            return _error(400, 21603, "A 'From' phone number is required")
        if not raw.get("To", "").startswith("+"):
            return _error(400, 21211, "Invalid 'To' phone number")
        if not 0 < len(raw.get("Body", "")) <= 1600:
            return _error(400, 21617, "The concatenated message body exceeds the 1600 limit")
        sid = "SM" + fresh_id()
        self.sent.append(SentText(sid, raw["To"], raw["Body"], raw))
        shown = {"sid": sid, "status": "queued", "num_segments": "1", "error_code": None}
        return web.json_response(shown, status=201)


def _too_early(hosted: Hosted) -> bool:
    early: Fault | None = hosted.extra.get("early")
    if early is None or early.times <= 0:
        return False
    early.times -= 1
    return True


class _Cdn:
    """Where the media really are: another origin, which refuses requests with two kinds of proof."""

    def __init__(self, platform: Twilio) -> None:
        self._platform = platform
        self._runner: web.AppRunner | None = None
        self._origin = ""

    async def start(self, host: str) -> None:
        app = web.Application()
        app.router.add_get("/{media}", self._bytes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, 0).start()
        self._origin = f"http://{host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def address(self, media: str, proof: str) -> str:
        return f"{self._origin}/{media}?Signature={proof}"

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        if "authorization" in request.headers:
            self._platform.leaks.append((request.path, "authorization"))
            return web.Response(status=400, text="Only one auth mechanism allowed")
        hosted = self._platform.hosted.get(request.match_info["media"])
        lives = hosted.extra.get(request.query.get("Signature", ""), 0.0) if hosted else 0.0
        if hosted is None or time.monotonic() > lives:
            return web.Response(status=403)
        return await self._platform.serve(request, hosted)


def _error(status: int, code: int, message: str) -> web.Response:
    body = {"code": code, "message": message, "status": status}
    return web.json_response(body, status=status)
