"""The receivers in README.md and docs/events.md accept what Airlock sends."""

import json
import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from gateway.delivery.core_client import CoreClient

from .pages import ROOT, files, listings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ANOTHER = "whsec_" + "B" * 43 + "="
EVENTS = ROOT / "docs" / "events.md"
EXAMPLES = [json.loads(one.code) for one in listings(EVENTS) if one.language == "json"]


def _load(page: Path, name: str) -> ModuleType:
    module = ModuleType(name.removesuffix(".py"))
    exec(compile(files(page)[name], name, "exec"), module.__dict__)
    return module


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CORE_SECRET", SECRET)
    monkeypatch.setenv("CORE_DATABASE", str(tmp_path / "core.db"))
    return tmp_path / "core.db"


async def _post_batch(app: web.Application, events: list[Any]) -> str:
    async with TestServer(app) as server:
        client = CoreClient(str(server.make_url("/airlock")), [SECRET], connections=1)
        try:
            rendered = [(event["id"], json.dumps(event).encode()) for event in events]
            return (await client.post_batch(rendered)).verdict
        finally:
            await client.close()


async def _post(app: web.Application, events: list[Any], secrets: list[str]) -> list[str]:
    """Post events to a receiver, and return its verdict on each."""
    async with TestServer(app) as server:
        client = CoreClient(str(server.make_url("/airlock")), secrets, connections=1)
        try:
            return [
                (await client.post(event["id"], json.dumps(event).encode())).verdict
                for event in events
            ]
        finally:
            await client.close()


async def test_the_receiver_of_the_readme_accepts_every_type_of_event(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = _load(ROOT / "README.md", "receiver.py").app
    verdicts = await _post(app, EXAMPLES, [ANOTHER, SECRET])
    assert verdicts == ["taken"] * len(EXAMPLES)
    assert "message.received [photo message]" in capsys.readouterr().out


async def test_the_receiver_of_the_readme_refuses_forged_requests(settings: Path) -> None:
    app = _load(ROOT / "README.md", "receiver.py").app
    assert await _post(app, EXAMPLES[:1], [ANOTHER]) == ["again"]
    async with TestServer(app) as server, ClientSession() as http:
        for headers in (
            {},
            {"webhook-id": "e", "webhook-signature": "v1", "webhook-timestamp": "x"},
        ):
            async with http.post(
                server.make_url("/airlock"), data=b"\xff", headers=headers
            ) as answer:
                assert answer.status == 401


async def test_the_core_of_the_guide_stores_each_event_once(settings: Path) -> None:
    core = _load(EVENTS, "core.py")
    assert await _post_batch(core.app, EXAMPLES[:5]) == "taken"
    core.database.close()
    core = _load(EVENTS, "core.py")
    verdicts = await _post(core.app, [*EXAMPLES, *EXAMPLES], [SECRET])
    assert set(verdicts) == {"taken"}
    core.database.close()
    with sqlite3.connect(settings) as database:
        (events,) = database.execute("SELECT count(*) FROM event").fetchone()
        states = set(database.execute("SELECT kind, state FROM attachment").fetchall())
        (messages,) = database.execute("SELECT count(*) FROM message").fetchone()
    database.close()
    assert events == len({event["id"] for event in EXAMPLES})
    assert messages == 5
    ready = {(kind, "ready") for kind in ("photo", "audio", "video", "document")}
    assert states == {*ready, ("document", "rejected")}


async def test_the_core_of_the_guide_refuses_forged_events(settings: Path) -> None:
    core = _load(EVENTS, "core.py")
    assert await _post(core.app, EXAMPLES[:1], [ANOTHER]) == ["again"]
    core.database.close()
