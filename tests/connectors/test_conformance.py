"""The conformance kit, run on the four connectors that come with the gateway."""

from pathlib import Path

from connectors import Request
from connectors.conformance import Conformance

from . import accounts

PAYLOADS = Path(__file__).parent / "payloads"
PAGES = Path(__file__).parents[2] / "docs" / "platforms"


class TestApple(Conformance):
    connector = accounts.apple()
    payloads = PAYLOADS / "apple"
    readme = PAGES / "apple.md"
    grade = "gold"
    signature_header = "authorization"

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_apple(request)


class TestMessenger(Conformance):
    connector = accounts.messenger()
    payloads = PAYLOADS / "messenger"
    readme = PAGES / "messenger.md"
    grade = "gold"
    signature_header = "x-hub-signature-256"

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_meta(request)


class TestTwilio(Conformance):
    connector = accounts.twilio()
    payloads = PAYLOADS / "twilio"
    readme = PAGES / "twilio.md"
    grade = "gold"
    signature_header = "x-twilio-signature"

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_twilio(request)


class TestWhatsApp(Conformance):
    connector = accounts.whatsapp()
    payloads = PAYLOADS / "whatsapp"
    readme = PAGES / "whatsapp.md"
    grade = "gold"
    signature_header = "x-hub-signature-256"

    def sign(self, request: Request) -> Request:
        return accounts.signed_by_meta(request)
