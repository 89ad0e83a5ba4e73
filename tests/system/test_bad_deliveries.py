"""Oversized, damaged, hostile and unknown deliveries get the contract's response and do not affect others."""

import base64
import gzip
import hashlib
import hmac
import io
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
import pytest_asyncio

from gateway.events.schemas import validate
from simulator import Apple, WhatsApp
from tests.system.running import CONSUMERS, Site, site

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with site(tmp_path_factory.mktemp("site")) as started:
        yield started


def signed(body: bytes) -> dict[str, str]:
    mac = hmac.new(WhatsApp.secret.encode(), body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "x-hub-signature-256": f"sha256={mac}"}


async def post(
    running: Site, name: str, body: bytes, headers: dict[str, str], tail: str = ""
) -> int:
    url = f"{running.url}/webhooks/{name}{tail}"
    async with running.http.post(url, data=io.BytesIO(body), headers=headers) as response:
        return response.status


async def marker(running: Site, text: str) -> list[dict[str, Any]]:
    """Send an ordinary message, and return every event up to it."""
    await running.platforms["whatsapp"].send(CONSUMERS["whatsapp"], text)
    return await running.until(
        lambda es: any(e["data"].get("message", {}).get("text") == text for e in es)
    )


async def reported(running: Site, before: int) -> list[dict[str, Any]]:
    """Wait until an event after the first `before` reports a delivery: it has a lane of its own, and may come later."""
    return await running.until(
        lambda es: any(event["type"] != "message.received" for event in es[before:])
    )


async def test_a_body_of_ten_megabytes_is_refused(running: Site) -> None:
    body = b'{"padding": "' + b"x" * 10_000_000 + b'"}'
    try:
        assert await post(running, "whatsapp", body, signed(body)) == 413
    except aiohttp.ClientConnectionError:
        pass  # the server may hang up while we still send
    await marker(running, "after ten megabytes")


def apple_headers(id: str) -> dict[str, str]:
    claims = {"aud": Apple.msp_id, "iat": int(time.time())}
    return {
        "authorization": f"Bearer {jwt.encode(claims, Apple.secret, algorithm='HS256')}",
        "content-type": "application/json",
        "id": id,
        "source-id": CONSUMERS["apple"].id,
        "destination-id": Apple.business,
    }


async def test_a_gzip_bomb_is_refused_quickly(running: Site) -> None:
    bomb = gzip.compress(b"0" * 200_000_000)
    assert len(bomb) < 1_000_000
    begin = time.monotonic()
    assert await post(running, "apple", bomb, apple_headers("bomb"), "/message") == 413
    assert time.monotonic() - begin < 5
    await marker(running, "after the bomb")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("broken", b'{"object": "whatsapp_business_account", "entry": ['),
        ("not utf-8", b'{"object": "\xff\xfe"}'),
        ("a list", b"[1, 2, 3]"),
        ("a number", b"7"),
        ("empty", b""),
        ("deep", b"[" * 100_000 + b"]" * 100_000),
        ("no entries", b'{"object": "whatsapp_business_account"}'),
        ("entries of another kind", b'{"object": "whatsapp_business_account", "entry": "none"}'),
        ("a stranger", b'{"object": "something_new", "entry": [{"id": "1"}]}'),
    ],
)
async def test_an_authentic_but_unreadable_delivery_is_accepted_and_reported(
    running: Site, name: str, body: bytes
) -> None:
    before = len(running.core.events)
    assert await post(running, "whatsapp", body, signed(body)) == 200
    await marker(running, f"after {name}")
    for event in (await reported(running, before))[before:]:
        validate(event)


async def test_an_unreadable_message_does_not_affect_its_neighbours(running: Site) -> None:
    platform = running.platforms["whatsapp"]
    assert isinstance(platform, WhatsApp)
    ann = CONSUMERS["whatsapp"]
    messages = [
        platform.message(ann, "text", {"body": "first of three"}),
        {**platform.message(ann, "text", {"body": "lost its id"}), "id": None},
        platform.message(ann, "hologram", {"depth": 3}),
        platform.message(ann, "text", {"body": "last of three"}),
    ]
    before = len(running.core.events)
    answers = await platform.deliver([platform.change(ann, messages)])
    assert [a.status for a in answers] == [200]
    await marker(running, "after the mixed batch")
    events = (await reported(running, before))[before:]
    texts = [e["data"]["message"]["text"] for e in events if e["type"] == "message.received"]
    assert texts == ["first of three", None, "last of three", "after the mixed batch"]
    assert len([e for e in events if e["type"] == "event.unrecognised"]) == 1
    _, listed = await running.call("GET", "/v1/failures")
    assert [f for f in listed["failures"] if f["kind"] == "delivery"]


@pytest.mark.parametrize("name", ["whatsapp", "messenger", "instagram", "twilio", "apple"])
async def test_a_delivery_with_a_missing_or_invalid_signature_is_refused(
    running: Site, name: str
) -> None:
    header = {"twilio": "x-twilio-signature", "apple": "authorization"}.get(
        name, "x-hub-signature-256"
    )
    body = json.dumps({"object": "page", "entry": []}).encode()
    nonsense = base64.b64encode(b"\x00" * 32).decode()
    for proof in (
        {},
        {header: ""},
        {header: nonsense},
        {header: f"sha256={'0' * 64}"},
        {header: "Bearer a.b.c"},
    ):
        assert await post(running, name, body, {"content-type": "application/json", **proof}) == 401


async def test_unknown_webhooks_and_wrong_handshakes_are_refused(
    running: Site,
) -> None:
    assert await post(running, "nobody", b"{}", {}) == 404
    query = "hub.mode=subscribe&hub.challenge=42&hub.verify_token="
    async with running.http.get(f"{running.url}/webhooks/whatsapp?{query}guess") as response:
        assert response.status == 403
    async with running.http.get(
        f"{running.url}/webhooks/whatsapp?{query}{WhatsApp.verify_token}"
    ) as response:
        assert (response.status, await response.text()) == (200, "42")
