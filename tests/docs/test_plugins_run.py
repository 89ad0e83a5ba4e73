"""The connectors in README.md and in the guide to connectors work in a running gateway."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.cli.simulate_recording import simulate_recording
from gateway.service import Gateway
from gateway.settings import Settings, load
from simulator import Consumer, Core, photo

from .installed import Installed
from .pages import GUIDE, ROOT, files

CORE_SECRET = "whsec_" + "A" * 43 + "="


@asynccontextmanager
async def running(
    package: Installed, connector: dict[str, Any]
) -> AsyncIterator[tuple[Gateway, Core]]:
    core = Core(CORE_SECRET)
    async with AsyncExitStack() as stack:
        await core.start()
        stack.push_async_callback(core.close)
        yield await stack.enter_async_context(Gateway(_settings(package, core, connector))), core


def _settings(package: Installed, core: Core, connector: dict[str, Any]) -> Settings:
    file = package.folder / "connectors.yaml"
    sections = {
        "gateway": {"listen": "127.0.0.1:0"},
        "core": {"url": core.url, "secrets": [CORE_SECRET], "hold_seconds": 60},
        "fetch": {"allow_private_hosts": True},
        "connectors": {"shop-chat": {"type": "acme", **connector}},
    }
    file.write_text(json.dumps(sections))
    own = [entry for entry in package.entries() if entry.group == "airlock.connectors"]
    return load(file, {}, own)


async def _deliver(gateway: Gateway, secret: str, content: Any) -> int:
    body = json.dumps(content).encode()
    headers = {"x-acme-signature": hmac.new(secret.encode(), body, sha256).hexdigest()}
    url = f"{gateway.url}/webhooks/shop-chat"
    async with ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_the_connector_of_the_readme_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Installed(tmp_path, files(ROOT / "README.md"), monkeypatch)
    message = {"id": "m-1", "to": "shop-1", "from": "c-77", "text": "Is it open?"}
    async with running(package, {"secrets": ["hush-one", "hush-two"]}) as (gateway, core):
        assert await _deliver(gateway, "hush-two", message) == 200
        assert await _deliver(gateway, "hush-not", message) == 401
        assert await _deliver(gateway, "hush-one", {"id": "m-2"}) == 200
        received, unrecognised = await core.until(lambda events: len(events) == 2)
    assert received["data"]["message"]["text"] == "Is it open?"
    assert received["data"]["conversation"]["consumer"]["id"] == "c-77"
    assert unrecognised["type"] == "event.unrecognised"


async def test_the_connector_of_the_guide_receives_a_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Installed(tmp_path, files(*GUIDE), monkeypatch)
    recording = json.loads(files(*GUIDE)[_RECORDING])
    async with (
        acme() as api,
        running(
            package,
            {
                "api_url": api,
                "secrets": ["hush-one"],
                "access_token": "open-sesame",
                "shop": "shop-1",
            },
        ) as (gateway, core),
    ):
        assert await _deliver(gateway, "hush-one", recording["content"]) == 200
        events = await core.until(lambda found: len(found) == 2)
    received = next(event for event in events if event["type"] == "message.received")
    (attachment,) = received["data"]["message"]["attachments"]
    assert received["data"]["message"]["text"] == "it came like this"
    assert (attachment["state"], attachment["name"]) == ("ready", "IMG_0042.JPG")
    assert {event["type"] for event in events} == {"message.received", "message.status"}


async def test_the_emulator_of_the_guide_works_with_its_connector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Installed(tmp_path, files(*GUIDE), monkeypatch)
    (entry,) = (one for one in package.entries() if one.group == "airlock.emulators")
    platform = entry.load()()
    await platform.start()
    try:
        async with running(package, platform.settings()) as (gateway, core):
            platform.webhook = f"{gateway.url}/webhooks/shop-chat"
            (forged,) = await platform.send(Consumer("c-77", "Ann"), "Hello", forged=True)
            assert forged.status == 401
            answers = await platform.send(Consumer("c-77", "Ann"), "See", [photo()], times=2)
            assert [answer.status for answer in answers] == [200, 200]
            (event,) = await core.until(lambda events: len(events) == 1)
            await _call_api(platform)
    finally:
        await platform.close()
    (attachment,) = event["data"]["message"]["attachments"]
    assert (event["data"]["message"]["text"], attachment["state"]) == ("See", "ready")
    assert [(text.to, text.text) for text in platform.sent] == [("c-77", "Hello")]


TEXT = {
    "kind": "message",
    "id": "m-71",
    "from": {"id": "c-77"},
    "at": 1760000000,
    "text": "Hello from a file",
}


async def test_a_recording_is_posted_as_its_test_class_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = Installed(tmp_path, files(*GUIDE), monkeypatch)
    section = {
        "secrets": ["hush-older", "hush-newer"],
        "access_token": "open-sesame",
        "shop": "shop-1",
    }
    async with running(package, section) as (gateway, core):
        settings = _listening_at(package, gateway.url)
        post = partial(simulate_recording, settings, "acme")
        recording = package.folder / "tests/payloads/text.json"
        recording.write_text(json.dumps({"content": {"shop": "shop-1", "updates": [TEXT]}}))
        assert await asyncio.to_thread(post, recording) == 0
        (event, *_) = await core.until(lambda found: len(found) >= 1)
        assert await asyncio.to_thread(post, package.folder / "missing.json") == 2
        refusal = package.folder / "tests/payloads/refusals/window_closed.json"
        assert await asyncio.to_thread(post, refusal) == 2
    assert event["data"]["message"]["text"] == "Hello from a file"
    said = capsys.readouterr()
    assert "the gateway answered 200" in said.out
    assert "missing.json: No such file" in said.err
    assert "window_closed.json is not a recorded delivery" in said.err


async def test_a_recording_with_other_secrets_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = Installed(tmp_path, files(*GUIDE), monkeypatch)
    section = {"secrets": ["hush-other"], "access_token": "open-sesame", "shop": "shop-1"}
    async with running(package, section) as (gateway, _):
        settings = _listening_at(package, gateway.url)
        file = package.folder / _RECORDING
        assert await asyncio.to_thread(simulate_recording, settings, "shop-chat", file) == 1
    assert "give the section in connectors.yaml the same secrets" in capsys.readouterr().err


def _listening_at(package: Installed, url: str) -> Settings:
    """The settings of a gateway that listens at `url`."""
    file = package.folder / "connectors.yaml"
    sections = json.loads(file.read_text())
    sections["gateway"]["listen"] = url.removeprefix("http://")
    file.write_text(json.dumps(sections))
    own = [entry for entry in package.entries() if entry.group == "airlock.connectors"]
    return load(file, {}, own)


async def _call_api(platform: Any) -> None:
    """Make the connector's calls, with the token and without it."""
    api, known = f"{platform.api_url}/v1", {"authorization": f"Bearer {platform.token}"}
    async with ClientSession() as http:
        for headers, status in ((known, 200), ({}, 401)):
            async with http.get(f"{api}/shops/shop-1", headers=headers) as answer:
                assert answer.status == status
            message = {"to": "c-77", "text": "Hello", "key": "msg_1"}
            async with http.post(f"{api}/messages", json=message, headers=headers) as answer:
                assert answer.status == status


_RECORDING = "tests/payloads/photo_with_caption.json"


@asynccontextmanager
async def acme() -> AsyncIterator[str]:
    """Serve Acme's API as the guide describes it: files are looked up by id, and served without the token."""
    content = photo().content

    async def look_up(request: web.Request) -> web.Response:
        assert request.headers["authorization"] == "Bearer open-sesame"
        url = str(request.url.with_path(f"/cdn/{request.match_info['id']}"))
        return web.json_response({"url": url, "sha256": sha256(content).hexdigest()})

    async def serve(request: web.Request) -> web.Response:
        assert "authorization" not in request.headers
        return web.Response(body=content, content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/v1/files/{id}", look_up)
    app.router.add_get("/cdn/{id}", serve)
    async with TestServer(app) as server:
        yield str(server.make_url("/v1"))
