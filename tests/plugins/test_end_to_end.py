"""The examples in a running gateway, over real HTTP: from the emulated platform to the core, and back."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from gateway.service import Gateway
from gateway.settings import load
from simulator import Consumer, Core, Platform, photo, video
from simulator.samples import document, voice

SECRET = "whsec_" + base64.b64encode(b"a secret for tests of plugins").decode()
TOKEN = "a-token-for-tests-of-plugins"
ANN = Consumer("424242001", "Ann Berger")

each = pytest.mark.parametrize("name", ["line", "rcs", "telegram", "vonage"])


@dataclass
class Environment:
    platform: Any
    core: Core
    gateway: Gateway
    http: aiohttp.ClientSession

    async def attachments(self, count: int) -> list[dict[str, Any]]:
        """The last state of each attachment, once `count` attachments have reached a final state."""
        found: dict[str, dict[str, Any]] = {}

        def enough(events: list[dict[str, Any]]) -> bool:
            for event in events:
                for one in event["data"].get("message", {}).get("attachments", []):
                    found[one["id"]] = one
            return [one["state"] != "pending" for one in found.values()].count(True) == count

        await self.core.until(enough, 60)
        return list(found.values())

    async def messages(self, count: int) -> list[dict[str, Any]]:
        def received(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [event["data"] for event in events if event["type"] == "message.received"]

        return received(await self.core.until(lambda events: len(received(events)) >= count, 60))


@asynccontextmanager
async def environment(name: str, folder: Path) -> AsyncIterator[Environment]:
    async with AsyncExitStack() as stack:
        (emulator,) = entry_points(group="airlock.emulators", name=name)
        platform: Platform = emulator.load()()
        await platform.start()
        stack.push_async_callback(platform.close)
        core = Core(SECRET)
        await core.start()
        stack.push_async_callback(core.close)
        (folder / "connectors.yaml").write_bytes(
            orjson.dumps(
                {
                    "gateway": {
                        "listen": "127.0.0.1:0",
                        "data": str(folder / "data"),
                        "api_tokens": [TOKEN],
                    },
                    "core": {"url": core.url, "secrets": [SECRET]},
                    "fetch": {"allow_private_hosts": True},
                    "connectors": {"desk": platform.settings()},
                }
            )
        )
        gateway = await stack.enter_async_context(Gateway(load(folder / "connectors.yaml", {})))
        platform.webhook = platform.public_webhook = f"{gateway.url}/webhooks/desk"
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Environment(platform, core, gateway, http)


@each
@pytest.mark.usefixtures("installed")
async def test_photos_and_videos_arrive_ready_and_once(name: str, tmp_path: Path) -> None:
    files = await asyncio.to_thread(lambda: (photo("parcel"), video("washer", 1.0, 320, 240)))
    async with environment(name, tmp_path) as env:
        for answer in await env.platform.send(ANN, "It came like this", files, times=2):
            assert answer.status == 200
        found = await env.attachments(2)
        assert {one["kind"]: one["state"] for one in found} == {"photo": "ready", "video": "ready"}
        # LINE and RCS have no captions, so the text is a separate message.
        expected = {"line": 3, "rcs": 3, "telegram": 2, "vonage": 2}[name]
        messages = [data["message"] for data in await env.messages(expected)]
        assert "It came like this" in [message["text"] for message in messages]
        assert [message["sequence"] for message in messages] == list(range(1, expected + 1))
        assert len({message["platform_id"] for message in messages}) == expected


@each
@pytest.mark.usefixtures("installed")
async def test_voice_messages_and_documents_arrive_ready(name: str, tmp_path: Path) -> None:
    async with environment(name, tmp_path) as env:
        await env.platform.send(ANN, None, [voice(0.5)])
        await env.platform.send(ANN, None, [document()])
        found = {one["kind"]: one for one in await env.attachments(2)}
        assert {one["state"] for one in found.values()} == {"ready"}
        assert set(found["audio"]["renditions"]) == {"audio"}
        # Telegram says that a sound was recorded in the messenger, LINE does not.
        assert found["audio"]["voice"] is (name == "telegram")
        assert found["document"]["pages"] >= 1


@each
@pytest.mark.usefixtures("installed")
async def test_a_forged_delivery_is_answered_401(name: str, tmp_path: Path) -> None:
    async with environment(name, tmp_path) as env:
        (answer,) = await env.platform.send(ANN, "Hello", forged=True)
        assert answer.status == 401


@each
@pytest.mark.usefixtures("installed")
async def test_a_text_arrives_once_although_the_reply_was_lost(name: str, tmp_path: Path) -> None:
    async with environment(name, tmp_path) as env:
        await env.platform.send(ANN, "Is it open today?")
        (data,) = await env.messages(1)
        env.platform.lost_answers = 1
        await answer(env, data["conversation"]["id"], "Until six 🙂", "one")
        await env.platform.until_sent(1)
        if name in {"line", "rcs"}:  # LINE and RCS accept our key, and repeat their earlier reply

            def is_sent(events: list[dict[str, Any]]) -> bool:
                return any(event["data"].get("status") == "sent" for event in events)

            await env.core.until(is_sent, 30)
        assert [(text.to, text.text) for text in env.platform.sent] == [(ANN.id, "Until six 🙂")]


@pytest.mark.usefixtures("installed")
async def test_a_video_that_line_is_still_preparing_is_retried(tmp_path: Path) -> None:
    sample = await asyncio.to_thread(video, "washer", 1.0, 320, 240)
    async with environment("line", tmp_path) as env:
        env.platform.preparing = 1
        await env.platform.send(ANN, None, [sample])
        (found,) = await env.attachments(1)
        assert found["state"] == "ready"
        (hosted,) = env.platform.hosted.values()
        assert hosted.looked_up == 2


@pytest.mark.usefixtures("installed")
async def test_an_expired_telegram_address_is_looked_up_again(tmp_path: Path) -> None:
    sample = await asyncio.to_thread(photo, "parcel")
    async with environment("telegram", tmp_path) as env:
        env.platform.address_lives = -1.0
        await env.platform.send(ANN, None, [sample])
        async with asyncio.timeout(30):
            while not env.platform.hosted or _hosted(env).looked_up < 1:
                await asyncio.sleep(0.01)
        env.platform.address_lives = 3600.0
        (found,) = await env.attachments(1)
        assert found["state"] == "ready"
        assert _hosted(env).looked_up >= 2


def _hosted(env: Environment) -> Any:
    (hosted,) = env.platform.hosted.values()
    return hosted


async def answer(env: Environment, conversation: str, text: str, key: str) -> None:
    async with env.http.post(
        f"{env.gateway.url}/v1/conversations/{conversation}/messages",
        json={"text": text, "agent": "anna"},
        headers={"authorization": f"Bearer {TOKEN}", "idempotency-key": key},
    ) as reply:
        assert reply.status == 202


@pytest.mark.usefixtures("installed")
async def test_vonage_limits_texts_by_channel(tmp_path: Path) -> None:
    async with environment("vonage", tmp_path) as env:
        await env.platform.send(ANN, "By WhatsApp")
        env.platform.channel = "sms"
        await env.platform.send(ANN, "By SMS")
        by_whatsapp, by_sms = [data["conversation"] for data in await env.messages(2)]
        assert (by_whatsapp["account"], by_sms["account"]) == (
            f"whatsapp:{env.platform.numbers['whatsapp']}",
            f"sms:{env.platform.numbers['sms']}",
        )
        assert by_whatsapp["reply_until"] is not None
        assert by_sms["reply_until"] is None
        for at, conversation in enumerate((by_whatsapp, by_sms)):
            await answer(env, conversation["id"], "word " * 300, f"key-{at}")
        texts = await env.platform.until_sent(3)
        sent = sorted((text.raw["channel"], len(text.text)) for text in texts)
        assert [channel for channel, _ in sent] == ["sms", "sms", "whatsapp"]
        assert all(length <= 1000 for channel, length in sent if channel == "sms")


@pytest.mark.usefixtures("installed")
async def test_a_late_rejection_by_vonage_says_why(tmp_path: Path) -> None:
    async with environment("vonage", tmp_path) as env:
        env.platform.receipts = ("submitted", "1340")
        await env.platform.send(ANN, "Hello")
        (data,) = await env.messages(1)
        await answer(env, data["conversation"]["id"], "Good morning", "one")

        def failures(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [one["data"] for one in events if one["data"].get("status") == "failed"]

        (failed,) = failures(await env.core.until(lambda events: bool(failures(events)), 30))
        assert (failed["reason"], failed["code"]) == ("window_closed", "1340")


@pytest.mark.usefixtures("installed")
async def test_vonage_shows_what_the_agent_has_read(tmp_path: Path) -> None:
    async with environment("vonage", tmp_path) as env:
        await env.platform.send(ANN, "Hello")
        (data,) = await env.messages(1)
        message = data["message"]
        async with env.http.post(
            f"{env.gateway.url}/v1/messages/{message['id']}/read",
            headers={"authorization": f"Bearer {TOKEN}"},
        ) as reply:
            assert reply.status < 300
        async with asyncio.timeout(30):
            while not env.platform.actions:
                await asyncio.sleep(0.01)
        (action,) = env.platform.actions
        assert (action.kind, action.message_id) == ("read", message["platform_id"])


@pytest.mark.usefixtures("installed")
async def test_several_files_of_an_mms_arrive_in_one_message(tmp_path: Path) -> None:
    files = await asyncio.to_thread(lambda: (photo("parcel"), photo("washer")))
    async with environment("vonage", tmp_path) as env:
        env.platform.channel = "mms"
        await env.platform.send(ANN, "both sides", files)
        found = await env.attachments(2)
        assert [one["state"] for one in found] == ["ready", "ready"]
        (data,) = await env.messages(1)
        assert data["message"]["text"] == "both sides"
        assert data["conversation"]["account"].startswith("sms:")
