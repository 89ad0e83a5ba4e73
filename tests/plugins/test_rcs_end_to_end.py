"""Google RCS for Business in a running gateway: handshake, tokens, receipts, and refusal of texts."""

import asyncio
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator import Action

from .test_end_to_end import ANN, TOKEN, Environment, environment

pytestmark = pytest.mark.usefixtures("installed")


async def write(
    env: Environment, data: dict[str, Any], text: str, key: str
) -> aiohttp.ClientResponse:
    """Send an agent's text to the consumer of a message."""
    url = f"{env.gateway.url}/v1/conversations/{data['conversation']['id']}/messages"
    headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": key}
    content = {"text": text, "agent": "anna"}
    async with env.http.post(url, json=content, headers=headers) as answer:
        await answer.read()
        return answer


async def statuses(env: Environment, *expected: str) -> None:
    """Wait until the core has received each of these statuses."""

    def received(events: list[dict[str, Any]]) -> bool:
        return {*expected} <= {event["data"].get("status") for event in events}

    await env.core.until(received, 60)


async def test_an_rcs_webhook_returns_the_secret_to_google_only(tmp_path: Path) -> None:
    async with environment("rcs", tmp_path) as env:
        known = await env.platform.ask_for_secret("a-secret-of-google")
        stranger = await env.platform.ask_for_secret("a-secret", client_token="a-guess")
        assert (known.status, known.body) == (200, b"a-secret-of-google")
        assert (stranger.status, b"a-secret" in stranger.body) == (401, False)
        await env.platform.send(ANN, "Hello")
        (data,) = await env.messages(1)  # and no event came of the handshakes
        assert (data["message"]["sequence"], data["message"]["text"]) == (1, "Hello")


async def test_an_rcs_text_gets_a_new_token_and_receipts(tmp_path: Path) -> None:
    async with environment("rcs", tmp_path) as env:
        env.platform.receipts = env.platform.usual_receipts
        await env.platform.send(ANN, "Is it open today?")
        (data,) = await env.messages(1)
        assert (await write(env, data, "Until six", "one")).status == 202
        await statuses(env, "sent", "delivered", "read")
        env.platform.tokens.valid.clear()  # as if they had been revoked
        issued = env.platform.tokens.issued
        assert (await write(env, data, "Until seven", "two")).status == 202
        sent = await env.platform.until_sent(2)
        assert [text.text for text in sent] == ["Until six", "Until seven"]
        assert env.platform.tokens.issued == issued + 1
        assert env.platform.leaks == []


async def test_an_rcs_consumer_who_unsubscribed_gets_no_text(tmp_path: Path) -> None:
    async with environment("rcs", tmp_path) as env:
        await env.platform.send(ANN, "Hello")
        (data,) = await env.messages(1)
        await env.platform.unsubscribe(ANN)
        await env.platform.send(ANN, "STOP")  # Google sends the word, too
        await env.messages(2)
        answer = await write(env, data, "Until six", "one")
        assert (answer.status, (await answer.json())["reason"]) == (409, "opted_out")
        await env.platform.send(ANN, "Where is my parcel?")
        await env.messages(3)
        assert (await write(env, data, "On its way", "two")).status == 202


async def test_an_rcs_message_is_marked_as_read(tmp_path: Path) -> None:
    async with environment("rcs", tmp_path) as env:
        await env.platform.send(ANN, "Hello")
        (data,) = await env.messages(1)
        url = f"{env.gateway.url}/v1/messages/{data['message']['id']}/read"
        async with env.http.post(url, headers={"authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status < 300
        async with asyncio.timeout(30):
            while not env.platform.actions:
                await asyncio.sleep(0.01)
        assert env.platform.actions == [Action("READ", ANN.id, data["message"]["platform_id"])]


def test_the_emulator_adopts_the_settings_of_a_connector() -> None:
    (emulator,) = entry_points(group="airlock.emulators", name="rcs")
    (connector,) = entry_points(group="airlock.connectors", name="rcs")
    first, second = emulator.load()(), emulator.load()()
    first.origin = second.origin = "http://127.0.0.1:1"
    first.client_token, first.agent = "another-client-token", "another_agent"
    second.adopt(connector.load().Config.model_validate(first.settings()))
    assert second.settings() == first.settings()
