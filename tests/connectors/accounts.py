"""An invented account on each platform, and each platform's signature."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from connectors import Delivery, Request
from connectors.apple import Apple
from connectors.instagram import Instagram
from connectors.messenger import Messenger
from connectors.twilio import Twilio
from connectors.web import Web
from connectors.whatsapp import WhatsApp

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)

APP_SECRET = "app-secret-0"
OLDER_APP_SECRET = "an-older-secret"
VERIFY_TOKEN = "a-verify-token"
ACCESS_TOKEN = "an-access-token"
PHONE_NUMBER_ID = "106540352242922"
PAGE_ID = "1234567890"
INSTAGRAM_ID = "17841400000000001"
ACCOUNT_SID = "AC00000000000000000000000000000000"
SUBACCOUNT_SID = "AC00000000000000000000000000000001"
AUTH_TOKEN = "tw-token-0"
OLDER_AUTH_TOKEN = "tw-token-older"
MSP_ID = "csp-0001"
MSP_SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OLDER_MSP_SECRET = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="
BUSINESS_ID = "0a1b2c3d-0000-4000-8000-000000000001"
WEB_SECRET = "whsec_c2VjcmV0LW9mLXRoZS13ZWItY2hhbm5lbA=="
OLDER_WEB_SECRET = "whsec_YW4tb2xkZXItc2VjcmV0LW9mLXRoZS13ZWI="
WEB_TOKEN = "a-token-of-the-gateway"
FURTHER_BUSINESS_ID = "1B2C3D4E-0000-4000-8000-000000000002"


def whatsapp(**settings: Any) -> WhatsApp:
    return WhatsApp(
        WhatsApp.Config.model_validate({**_meta(), "phone_number_id": PHONE_NUMBER_ID, **settings})
    )


def instagram(**settings: Any) -> Instagram:
    return Instagram(
        Instagram.Config.model_validate({**_meta(), "account_id": INSTAGRAM_ID, **settings})
    )


def messenger(**settings: Any) -> Messenger:
    return Messenger(Messenger.Config.model_validate({**_meta(), "page_id": PAGE_ID, **settings}))


def twilio(**settings: Any) -> Twilio:
    return Twilio(
        Twilio.Config.model_validate(
            {
                "account_sid": ACCOUNT_SID,
                "auth_tokens": [AUTH_TOKEN, OLDER_AUTH_TOKEN],
                "sender": "+15550002222",
                **settings,
            }
        )
    )


def apple(**settings: Any) -> Apple:
    return Apple(
        Apple.Config.model_validate(
            {
                "msp_id": MSP_ID,
                "secrets": [MSP_SECRET, OLDER_MSP_SECRET],
                "business_id": BUSINESS_ID,
                **settings,
            }
        )
    )


def web(**settings: Any) -> Web:
    return Web(
        Web.Config.model_validate(
            {
                "api_url": "https://chat.example.com",
                "secrets": [WEB_SECRET, OLDER_WEB_SECRET],
                "access_token": WEB_TOKEN,
                **settings,
            }
        )
    )


def _meta() -> dict[str, Any]:
    return {
        "app_secrets": [APP_SECRET, OLDER_APP_SECRET],
        "verify_token": VERIFY_TOKEN,
        "access_token": ACCESS_TOKEN,
    }


def request(
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    url: str = "https://chat.example.com/webhooks/x",
    query: Mapping[str, str] | None = None,
    method: str = "POST",
    received_at: datetime = NOW,
) -> Request:
    return Request(method, url, headers or {}, body, received_at, query or {})


def delivery(content: Any, query: Mapping[str, str] | None = None) -> Delivery:
    return Delivery(content, {}, query or {}, NOW)


# The signatures are written from the platforms' documentation and share no code with the connectors.


def with_header(request: Request, name: str, value: str) -> Request:
    return replace(request, headers={**request.headers, name: value})


def signed_by_meta(request: Request, secret: str = OLDER_APP_SECRET) -> Request:
    digest = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    return with_header(request, "x-hub-signature-256", f"sha256={digest}")


def signed_by_twilio(request: Request, token: str = OLDER_AUTH_TOKEN) -> Request:
    fields = sorted(set(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)))
    text = request.url + "".join(name + value for name, value in fields)
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return with_header(request, "x-twilio-signature", base64.b64encode(digest).decode())


def signed_by_web(request: Request, secret: str = OLDER_WEB_SECRET) -> Request:
    stamp = str(int(request.received_at.timestamp()))
    id = request.headers.get("webhook-id", "shop:con_1:message")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{stamp}.".encode() + request.body
    proof = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    named = {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": f"v1,{proof}"}
    return replace(request, headers={**request.headers, **named})


def token(
    claims: Any, secret: str = OLDER_MSP_SECRET, header: Any = None, key: bytes | None = None
) -> str:
    signed = f"{_part(header or {'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    key = base64.b64decode(secret) if key is None else key
    return f"{signed}.{_url64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def signed_by_apple(request: Request, **more: Any) -> Request:
    issued = int(request.received_at.timestamp())
    return borne(request, token({"aud": MSP_ID, "iat": issued, **more}))


def borne(request: Request, bearer: str) -> Request:
    return with_header(request, "authorization", f"Bearer {bearer}")


def _part(value: Any) -> str:
    return _url64(json.dumps(value, separators=(",", ":")).encode())


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
