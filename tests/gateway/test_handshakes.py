"""Handshakes by POST: answered before proof if they carry our word, and not otherwise; deliveries stay deliveries."""

import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from aiohttp.test_utils import TestClient
from pydantic import HttpUrl

from connectors import (
    AnyEvent,
    Capabilities,
    Connector,
    ConnectorConfig,
    Delivery,
    Forbidden,
    Request,
    Response,
    Secret,
    matches_any,
)
from tests.connectors.accounts import request as request_of
from tests.connectors.accounts import signed_by_meta, whatsapp

from .webhook_routes import webhook_routes

WORD, KEY = "our-client-token", "our-signing-key"


class Settings(ConnectorConfig):
    api_url: HttpUrl = HttpUrl("https://api.post.example")
    client_token: Secret
    key: Secret


class Asking(Connector[Settings]):
    """A platform that sends `{clientToken, secret}` unsigned, and wants the secret back."""

    name, label, docs = "asking", "Asking", "https://post.example/docs"
    proof: ClassVar[Mapping[str, str]] = {"x-signature": "[0-9a-f]{64}"}
    max_body = 64 * 1024
    capabilities = Capabilities({"text": "yes"})
    Config = Settings

    def handshake(self, request: Request) -> Response | None:
        content = orjson.loads(request.body or b"{}")
        word = self.config.client_token.get_secret_value()
        if "secret" not in content or not matches_any([word], str(content.get("clientToken"))):
            return None
        return Response(body=orjson.dumps({"secret": content["secret"]}))

    def verify(self, request: Request) -> None:
        if not matches_any([signature(request.body)], request.headers.get("x-signature", "")):
            raise Forbidden("X-Signature does not match key")

    def parse(self, delivery: Delivery) -> list[AnyEvent]:
        raise NotImplementedError


class Careless(Asking):
    """A handshake that cannot read an empty body."""

    name = "careless"

    def handshake(self, request: Request) -> Response | None:
        return super().handshake(replace(request, body=orjson.dumps(orjson.loads(request.body))))


class AddressOnly(Asking):
    """An older plugin for GET, whose word stands in the webhook's address, also of deliveries."""

    name = "address"

    def handshake(self, request: Request) -> Response | None:
        word = self.config.client_token.get_secret_value()
        if not matches_any([word], request.query.get("word", "")):
            return Response(status=403)
        return Response(body=request.query.get("challenge", "").encode())


def signature(body: bytes) -> str:
    return hmac.new(KEY.encode(), body, "sha256").hexdigest()


def build(kind: type[Asking]) -> Asking:
    return kind(Settings.model_validate({"client_token": WORD, "key": KEY}))


class Gate:
    def __init__(self, client: TestClient[Any, Any], accepted: list[Any]) -> None:
        self.client, self.accepted = client, accepted

    async def post(self, path: str, content: Any, **headers: str) -> tuple[int, bytes]:
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(path, data=body, headers=named) as answer:
            return answer.status, await answer.read()


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    connectors: dict[str, Connector[Any]] = {
        "asking": build(Asking),
        "address": build(AddressOnly),
        "careless": build(Careless),
        "whatsapp": whatsapp(),
    }
    async with webhook_routes(tmp_path, connectors) as (client, accepted):
        yield Gate(client, accepted)


QUESTION = {"clientToken": WORD, "secret": "echo-me"}


async def test_an_unsigned_handshake_with_our_word_is_answered(gate: Gate) -> None:
    status, body = await gate.post("/webhooks/asking", QUESTION)
    assert (status, orjson.loads(body)) == (200, {"secret": "echo-me"})
    assert gate.accepted == []


async def test_a_handshake_that_needs_a_body_is_answered(gate: Gate) -> None:
    status, body = await gate.post("/webhooks/careless", QUESTION)
    assert (status, orjson.loads(body)) == (200, {"secret": "echo-me"})
    assert (await gate.post("/webhooks/careless", b""))[0] == 401


@pytest.mark.parametrize(
    "content",
    [
        {**QUESTION, "clientToken": "another"},
        {"secret": "echo-me"},
        b"not json",
        b"\xff\xfe",
        {**QUESTION, "filler": "x" * 20_000},
    ],
)
async def test_a_stranger_gets_no_answer_to_a_handshake(gate: Gate, content: Any) -> None:
    status, body = await gate.post("/webhooks/asking", content)
    assert status == 401
    assert b"echo-me" not in body
    assert gate.accepted == []


async def test_a_signed_delivery_is_stored_beside_handshakes(gate: Gate) -> None:
    body = orjson.dumps({"text": "hello"})
    status, _ = await gate.post("/webhooks/asking", body, x_signature=signature(body))
    assert status == 200
    assert len(gate.accepted) == 1


async def test_a_large_signed_delivery_is_stored(gate: Gate) -> None:
    body = orjson.dumps({**QUESTION, "filler": "x" * 20_000})
    status, _ = await gate.post("/webhooks/asking", body, x_signature=signature(body))
    assert status == 200
    assert len(gate.accepted) == 1


async def test_a_crashing_handshake_loses_no_delivery(gate: Gate) -> None:
    body = b"[1, 2"
    status, _ = await gate.post("/webhooks/asking", body, x_signature=signature(body))
    assert status == 200
    assert len(gate.accepted) == 1


async def test_a_word_in_the_address_swallows_no_delivery(gate: Gate) -> None:
    body = orjson.dumps({"text": "hello"})
    path = f"/webhooks/address?word={WORD}&challenge=42"
    status, _ = await gate.post(path, body, x_signature=signature(body))
    assert status == 200
    assert len(gate.accepted) == 1
    async with gate.client.get(path) as answer:
        assert (answer.status, await answer.text()) == (200, "42")


async def test_metas_deliveries_ignore_the_handshake(gate: Gate) -> None:
    query = "hub.mode=subscribe&hub.verify_token=a-verify-token&hub.challenge=42"
    signed = signed_by_meta(request_of(b"{}", {}))
    proof = signed.headers["x-hub-signature-256"]
    status, body = await gate.post(
        f"/webhooks/whatsapp?{query}", b"{}", **{"x-hub-signature-256": proof}
    )
    assert (status, body) == (200, b"")
    status, body = await gate.post(f"/webhooks/whatsapp?{query}", b"")
    assert status == 401
