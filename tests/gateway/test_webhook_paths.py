"""Doubled slashes, and one at the end, change nothing about a webhook's path."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from connectors import Connector
from tests.connectors.accounts import (
    ACCOUNT_SID,
    BUSINESS_ID,
    VERIFY_TOKEN,
    apple,
    request,
    signed_by_apple,
    signed_by_meta,
    signed_by_twilio,
    twilio,
    whatsapp,
)

from .webhook_routes import PUBLIC, webhook_routes

FORM = {"AccountSid": ACCOUNT_SID, "MessageSid": "SM1", "From": "+1", "To": "+2", "Body": "hi"}
FORM_TYPE = {"content-type": "application/x-www-form-urlencoded"}


class Gate:
    """The gateway's HTTP routes, with a journal that only counts."""

    def __init__(self, client: TestClient[Any, Any], accepted: list[Any]) -> None:
        self.client, self.accepted = client, accepted

    async def post(self, signed: Any) -> int:
        target = signed.url.removeprefix(PUBLIC)
        url = URL(str(self.client.make_url("/")).rstrip("/") + target, encoded=True)
        async with self.client.session.post(url, data=signed.body, headers=signed.headers) as got:
            return got.status


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    connectors: dict[str, Connector[Any]] = {
        "sms": twilio(),
        "apple": apple(),
        "support-whatsapp": whatsapp(),
    }
    async with webhook_routes(tmp_path, connectors) as (client, accepted):
        yield Gate(client, accepted)


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/sms",
        "/webhooks/sms/",
        "/webhooks/sms//",
        "/webhooks//sms",
        "//webhooks/sms",
        "/webhooks/sms//status/?m=msg_1",
        "/webhooks/sms/?x=a//b/",
        "/webhooks/sms/message/",
    ],
)
async def test_a_signed_form_is_taken_at_every_spelling(gate: Gate, path: str) -> None:
    signed = signed_by_twilio(request(urlencode(FORM).encode(), FORM_TYPE, PUBLIC + path))
    assert await gate.post(signed) == 200
    assert len(gate.accepted) == 1


async def test_a_signature_for_another_spelling_is_refused(gate: Gate) -> None:
    body = urlencode(FORM).encode()
    signed = signed_by_twilio(request(body, FORM_TYPE, PUBLIC + "/webhooks/sms"))
    called = request(body, dict(signed.headers), PUBLIC + "/webhooks/sms/")
    assert await gate.post(called) == 401
    assert gate.accepted == []


@pytest.mark.parametrize("path", ["/webhooks/apple//message", "/webhooks/apple/message/"])
async def test_apples_doubled_slash_is_taken(gate: Gate, path: str) -> None:
    body = orjson.dumps({"id": "1", "type": "text", "body": "hi"})
    signed = signed_by_apple(request(body, {"destination-id": BUSINESS_ID}, PUBLIC + path))
    assert await gate.post(signed) == 200
    assert len(gate.accepted) == 1


async def test_a_handshake_with_a_slash_is_answered(gate: Gate) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "42"}
    url = "/webhooks/support-whatsapp/?" + urlencode(query)
    async with gate.client.get(url) as answer:
        assert (answer.status, await answer.text()) == (200, "42")


async def test_an_unsigned_delivery_is_refused_at_every_spelling(gate: Gate) -> None:
    wrong = signed_by_meta(request(b"{}", url=PUBLIC + "/webhooks/support-whatsapp/"), "other")
    assert await gate.post(wrong) == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/webhooks/unknown/", 404),
        ("POST", "/webhooks/sms/other", 404),
        ("POST", "/webhooks/", 404),
        ("PUT", "/webhooks/sms", 405),
        ("PUT", "/webhooks/sms/", 405),
    ],
)
async def test_other_paths_and_methods_stay_refused(
    gate: Gate, method: str, path: str, status: int
) -> None:
    async with gate.client.request(method, path) as answer:
        assert answer.status == status
        assert answer.content_type == "application/problem+json"
