"""The conformance kit, run on the LINE connector."""

import base64
import hmac
from dataclasses import replace
from pathlib import Path

from airlock_line import Line
from connectors import Request
from connectors.conformance import Conformance

SECRETS = ("an-older-channel-secret", "a-newer-channel-secret")


class TestLine(Conformance):
    connector = Line(
        Line.Config.model_validate(
            {"channel_secrets": SECRETS, "channel_access_token": "an-access-token"}
        )
    )
    payloads = Path(__file__).parent / "payloads"
    signature_header = "x-line-signature"
    grade = "gold"

    def sign(self, request: Request) -> Request:
        digest = hmac.digest(SECRETS[-1].encode(), request.body, "sha256")
        proof = base64.b64encode(digest).decode()
        return replace(request, headers={**request.headers, "x-line-signature": proof})
