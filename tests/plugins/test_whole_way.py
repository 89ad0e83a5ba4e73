"""The examples in a running gateway, over real HTTP: from a consumer's phone to the core, and back."""

import asyncio
import base64
import sys
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

SECRET = "whsec_" + base64.b64encode(b"a secret for tests of plugins").decode()
TOKEN = "a-token-for-tests-of-plugins"
ANN = Consumer("424242001", "Ann Berger")

each = pytest.mark.parametrize("name", ["line", "telegram"])


@dataclass
class House:
    platform: Any
    core: Core
    gateway: Gateway
    http: aiohttp.ClientSession

    async def attachments(self, count: int) -> list[dict[str, Any]]:
        """The last state of each attachment, once so many have ended."""
        found: dict[str, dict[str, Any]] = {}

        def enough(events: list[dict[str, Any]]) -> bool:
            for event in events:
                for one in event["data"].get("message", {}).get("attachments", []):
                    found[one["id"]] = one
            return [one["state"] != "pending" for one in found.values()].count(True) == count

        await self.core.until(enough, 60)
        return list(found.values())

    async def messages(self, count: int) -> list[dict[str, Any]]:
        def those(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [event["data"] for event in events if event["type"] == "message.received"]

        return those(await self.core.until(lambda events: len(those(events)) >= count, 60))


@asynccontextmanager
async def house(name: str, folder: Path) -> AsyncIterator[House]:
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
        yield House(platform, core, gateway, http)


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(site)
    for name in [name for name in sys.modules if name.startswith("airlock_")]:
        monkeypatch.delitem(sys.modules, name)


@each
@pytest.mark.usefixtures("installed")
async def test_photos_and_videos_arrive_ready_and_once(name: str, tmp_path: Path) -> None:
    files = await asyncio.to_thread(lambda: (photo("parcel"), video("washer", 1.0, 320, 240)))
    async with house(name, tmp_path) as home:
        for answer in await home.platform.send(ANN, "It came like this", files, times=2):
            assert answer.status == 200
        found = await home.attachments(2)
        assert {one["kind"]: one["state"] for one in found} == {"photo": "ready", "video": "ready"}
        # LINE has no captions.
        expected = {"line": 3, "telegram": 2}[name]
        messages = [data["message"] for data in await home.messages(expected)]
        assert "It came like this" in [message["text"] for message in messages]
        assert [message["sequence"] for message in messages] == list(range(1, expected + 1))
        assert len({message["platform_id"] for message in messages}) == expected


@each
@pytest.mark.usefixtures("installed")
async def test_a_forgery_is_refused(name: str, tmp_path: Path) -> None:
    async with house(name, tmp_path) as home:
        (answer,) = await home.platform.send(ANN, "Hello", forged=True)
        assert answer.status == 401


@each
@pytest.mark.usefixtures("installed")
async def test_an_agents_answer_arrives_once_though_its_answer_is_lost(
    name: str, tmp_path: Path
) -> None:
    async with house(name, tmp_path) as home:
        await home.platform.send(ANN, "Is it open today?")
        (data,) = await home.messages(1)
        home.platform.lost_answers = 1
        async with home.http.post(
            f"{home.gateway.url}/v1/conversations/{data['conversation']['id']}/messages",
            json={"text": "Until six 🙂", "agent": "anna"},
            headers={"authorization": f"Bearer {TOKEN}", "idempotency-key": "one"},
        ) as answer:
            assert answer.status == 202
        await home.platform.until_sent(1)
        if name == "line":  # it takes a key of ours, and tells what it took before

            def told(events: list[dict[str, Any]]) -> bool:
                return any(event["data"].get("status") == "sent" for event in events)

            await home.core.until(told, 30)
        assert [(text.to, text.text) for text in home.platform.sent] == [(ANN.id, "Until six 🙂")]


@pytest.mark.usefixtures("installed")
async def test_a_video_that_line_still_prepares_is_waited_for(tmp_path: Path) -> None:
    film = await asyncio.to_thread(video, "washer", 1.0, 320, 240)
    async with house("line", tmp_path) as home:
        home.platform.preparing = 1
        await home.platform.send(ANN, None, [film])
        (found,) = await home.attachments(1)
        assert found["state"] == "ready"
        (hosted,) = home.platform.hosted.values()
        assert hosted.looked_up == 2


@pytest.mark.usefixtures("installed")
async def test_an_address_of_telegrams_that_expired_is_asked_for_anew(tmp_path: Path) -> None:
    picture = await asyncio.to_thread(photo, "parcel")
    async with house("telegram", tmp_path) as home:
        home.platform.address_lives = -1.0
        await home.platform.send(ANN, None, [picture])
        async with asyncio.timeout(30):
            while not home.platform.hosted or _hosted(home).looked_up < 1:
                await asyncio.sleep(0.01)
        home.platform.address_lives = 3600.0
        (found,) = await home.attachments(1)
        assert found["state"] == "ready"
        assert _hosted(home).looked_up >= 2


def _hosted(home: House) -> Any:
    (hosted,) = home.platform.hosted.values()
    return hosted
