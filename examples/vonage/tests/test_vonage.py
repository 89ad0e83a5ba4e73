"""The conformance kit, run on the Vonage connector."""

import hashlib
from collections.abc import Generator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import jwt
import pytest
from airlock_vonage import MAX_AGE, Vonage
from airlock_vonage.emulator import Vonage as VonageEmulator
from connectors import Reply, Request, Text, Token
from connectors.conformance import Conformance
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

SECRETS = ("an-older-signature-secret-of-an-account", "a-newer-signature-secret-of-an-account")
APPLICATION = "78d335fa-323d-0114-9c3d-d6f0d48968cf"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()
SETTINGS = {
    "signature_secrets": SECRETS,
    "application_id": APPLICATION,
    "private_key": PEM,
}
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def signed(request: Request, secret: str = SECRETS[-1], **changed: Any) -> Request:
    """Signed as Vonage does. A claim that is None is left out."""
    claims = {
        "iat": int(request.received_at.timestamp()),
        "jti": "b4a1c9de-7f7c-4a52-8a36-0a9d2a6a3f10",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(request.body).hexdigest(),
        "api_key": "a1b2c3d4",
        "application_id": APPLICATION,
        **changed,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    proof = f"Bearer {jwt.encode(kept, secret, algorithm='HS256')}"
    return replace(request, headers={**request.headers, "authorization": proof})


class TestVonage(Conformance):
    emulator = VonageEmulator
    connector = Vonage(Vonage.Config.model_validate(SETTINGS))
    payloads = Path(__file__).parent / "payloads"
    signature_header = "authorization"
    grade = "gold"
    unread: ClassVar = {
        "*/error/instance": "it is for Vonage's support",
        "*/error/type": "the code is in the title",
        "_self": "files have addresses of their own",
        "context_status": "a quoted message that is not available has no id",
        "destination": "agents do not need the carrier",
        "error/instance": "it is for Vonage's support",
        "error/type": "the code is in the title",
        "message_type": "files are read by the names of their fields, because the type may be new",
        "origin": "agents do not need the carrier",
        "poll": "Airlock shows no polls, and says so",
        "receipt:profile/username": "the name is shown",
        "sms": "agents do not need the number of parts, nor a keyword that is in the text",
        "usage": "agents do not need the price",
        "whatsapp/conversation": "agents do not need what the conversation costs",
        "whatsapp/recipient/parent_user_id": "the user's own ID is enough",
        "whatsapp/waba_id": "the number is the account",
        "workflow": "Airlock sends without workflows",
    }

    def sign(self, request: Request) -> Request:
        return signed(request)

    def forgeries(self, request: Request) -> Iterable[Request]:
        sent = int(request.received_at.timestamp())
        yield signed(request, iat=sent - int(MAX_AGE) - 1)
        yield signed(request, iat=None)
        yield signed(request, payload_hash=None)
        yield signed(request, payload_hash="0" * 64)
        yield signed(request, exp=sent - 1)
        yield signed(request, application_id=None)
        yield signed(request, application_id="11111111-2222-3333-4444-555555555555")
        basic = request.headers["authorization"].replace("Bearer", "Basic")
        yield replace(request, headers={"authorization": basic})
        unsigned = jwt.encode({"iat": sent}, "", algorithm="none")
        yield replace(request, headers={"authorization": f"Bearer {unsigned}"})

    def variants(self, request: Request) -> Iterable[Request]:
        yield signed(request, SECRETS[0])
        yield signed(request, iss=None, jti=None, api_key=None)
        yield signed(request, payload_hash=hashlib.sha256(request.body).hexdigest().upper())
        # A repeat of the day before that was not signed again.
        yield signed(request, iat=int(request.received_at.timestamp()) - int(MAX_AGE) + 60)
        lower = request.headers["authorization"].replace("Bearer", "bearer")
        yield replace(request, headers={"authorization": lower})


CONNECTOR = TestVonage.connector


def minted(now: datetime) -> Token:
    token = CONNECTOR.token(now)
    assert isinstance(token, Token)
    return token


def test_a_token_is_signed_for_the_application() -> None:
    token = minted(NOW)
    claims = jwt.decode(
        token.value,
        KEY.public_key(),
        algorithms=["RS256"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["application_id"] == APPLICATION
    assert (claims["iat"], claims["exp"]) == (
        int(NOW.timestamp()),
        int(NOW.timestamp()) + 900,
    )
    assert token.expires == NOW + timedelta(minutes=15)


def test_each_token_has_an_id_of_its_own() -> None:
    assert minted(NOW).value != minted(NOW + timedelta(microseconds=1)).value


def test_an_application_without_whatsapp_is_healthy() -> None:
    flow = CONNECTOR.check()
    assert isinstance(flow, Generator)
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(Reply(200, {}, {"page_size": 20, "_embedded": []}))
    assert end.value.value == "SMS only: no WhatsApp number"


@pytest.mark.parametrize(
    ("account", "longest", "window"),
    [("sms:447700900000", 1000, None), ("whatsapp:447700900000", 4096, 86_400)],
)
def test_limits_depend_on_the_channel(account: str, longest: int, window: float | None) -> None:
    found = CONNECTOR.limits(account)
    assert (found.max_text, found.reply_window) == (longest, window)


def test_a_quote_is_left_out_of_an_sms() -> None:
    out = Text("msg_1", "sms:447700900000", "447700900001", "Yes", "", reply_to="a-message")
    assert "context" not in next(CONNECTOR.send_text(out)).json


def test_an_sms_is_not_marked_as_read() -> None:
    with pytest.raises(StopIteration):
        next(CONNECTOR.mark_read("sms:447700900000", "447700900001", "a-message"))


@pytest.mark.parametrize(("header", "seconds"), [("17", 17), ("Sun, 22 Nov 2026 01:03:03 GMT", 60)])
def test_a_throttled_text_waits_as_long_as_vonage_says(header: str, seconds: float) -> None:
    error = {"type": "https://developer.vonage.com/api-errors#throttled", "title": "Rate Limit Hit"}
    reply = Reply(429, {"retry-after": header}, error, purpose="send", received_at=NOW)
    assert CONNECTOR.refusal(reply).after == seconds


@pytest.mark.parametrize(
    "settings",
    [
        {**SETTINGS, "private_key": "not a key"},
        {**SETTINGS, "signature_secrets": []},
        {**SETTINGS, "application_id": ""},
    ],
)
def test_incomplete_settings_are_rejected(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Vonage.Config.model_validate(settings)
