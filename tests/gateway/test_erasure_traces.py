"""An erased person is nowhere on the disk: no file, no free page, no write-ahead log, no copy that is restored."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors import Capabilities, Flow, Sent, Text
from gateway.journal import Accepted, Batch, ErasureRequest, Unreadable
from gateway.journal.sqlite.journal import SqliteJournal
from gateway.service import Gateway
from gateway.settings import FetchSettings, GatewaySettings, LogSettings, Settings
from tests.gateway.logged import logged
from tests.gateway.notes import Notes, NotesConfig
from tests.gateway.test_gateway import TOKEN, photo
from tests.journal_rows import ON_POSTGRESQL, everything

#: Whatever names the person or is theirs. `kept` is another person's.
ANN, ALIAS = "4915112345678", "canary-user-id"
CANARIES = (ANN.encode(), b"canary")


class Desk(Notes):
    """Notes that can be answered."""

    capabilities = Capabilities({"text": "yes", "photo": "yes", "send_text": "yes"}, max_text=1000)

    def send_text(self, text: Text) -> Flow[Sent]:
        del text
        return Sent("sent-1")
        yield  # a flow without calls


@dataclass
class Site:
    """A gateway with the built-in workspace."""

    url: str
    http: aiohttp.ClientSession
    media: str

    async def send(self, *entries: dict[str, Any]) -> None:
        body, headers = orjson.dumps({"notes": entries}), {"x-password": "open sesame"}
        url = f"{self.url}/webhooks/desk"
        async with self.http.post(url, data=body, headers=headers) as response:
            assert response.status == 200

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"authorization": f"Bearer {TOKEN}", **headers}
        async with self.http.request(method, self.url + path, json=body, headers=given) as response:
            return await response.json(content_type=None) if response.status < 300 else None

    async def until(self, path: str, key: str, value: str) -> Any:
        """Return the answer to a GET once one of its keys has a value."""
        async with asyncio.timeout(30):
            while (found := await self.call("GET", path) or {}).get(key) != value:
                await asyncio.sleep(0.02)
            return found


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[Site]:
    async def file(_request: web.Request) -> web.Response:
        return web.Response(body=photo())

    app = web.Application()
    app.router.add_get("/canary.jpg", file)
    settings = Settings(
        gateway=GatewaySettings(listen="127.0.0.1:0", data=data, api_tokens=(TOKEN,)),
        fetch=FetchSettings(allow_private_hosts=True),
        log=LogSettings(access=True),
        connectors={"desk": Desk(NotesConfig(type="notes", api_url="http://127.0.0.1:9"))},
    )
    async with (
        TestServer(app) as server,
        Gateway(settings) as gateway,
        aiohttp.ClientSession() as http,
    ):
        yield Site(gateway.url, http, str(server.make_url("/canary.jpg")))


async def leave_traces(site: Site) -> str:
    """Leave everything of a person that can be left; return their conversation."""
    ann = {"from": ANN, "name": "Canary Name", "aliases": [ALIAS]}
    await site.send({**ann, "id": "1", "text": "canary text", "media": [["photo", site.media]]})
    await site.send({**ann, "id": "2", "text": "canary taken back"})
    await site.send({**ann, "id": "3", "takes_back": "2"}, {"no id": f"canary {ANN}"})
    await site.send({"id": "4", "from": "bob", "text": "kept of bob"})
    found = await site.until("/v1/messages?platform_id=1", "state", "taken")
    conversation = str(found["message"]["conversation"]["id"])
    answer = {"text": "canary answer", "agent": "eve"}
    path = f"/v1/conversations/{conversation}/messages"
    await site.call("POST", path, answer, **{"Idempotency-Key": "k"})
    await site.until("/v1/messages?platform_id=sent-1", "state", "sent")
    await site.call("PUT", f"/v1/conversations/{conversation}/agents", {"agents": ["eve"]})
    attachment = found["attachments"][0]["id"]
    links = await site.call("POST", f"/v1/attachments/{attachment}/links", {"agent": "eve"})
    await site.http.get(links["links"]["preview"])
    await site.until("/v1/messages?platform_id=4", "state", "taken")
    return conversation


def content(*folders: Path) -> bytes:
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    tables = [table for folder in folders for table in everything(folder).values()]
    return b"\n".join([*(file.read_bytes() for file in files), *tables]).lower()


def restored(data: Path, into: Path) -> Path:
    """Copy the databases in the folder as back-ups do."""
    into.mkdir()
    for name in ("workspace.db",) if ON_POSTGRESQL else ("journal.db", "workspace.db"):
        with sqlite3.connect(data / name) as source, sqlite3.connect(into / name) as target:
            source.backup(target)
        source.close()
        target.close()
        vacuumed = sqlite3.connect(data / name)
        vacuumed.execute("VACUUM INTO ?", (str(into / f"vacuumed-{name}"),))
        vacuumed.close()
    return into


async def test_an_erased_person_is_nowhere_on_the_disk(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with logged(level="debug") as lines:
        async with running(data) as site:
            await leave_traces(site)
            before = content(data)
            assert all(canary in before for canary in CANARIES)
            assert [file for file in (data / "media").rglob("*") if file.is_file()]
            # People write numbers as they like.
            started = await site.call("POST", "/v1/erasures", {"consumer": "+49 151 12345678"})
            receipt = await site.until(f"/v1/erasures/{started['id']}", "state", "done")
            now = content(data)
            copy = content(restored(data, tmp_path / "copy"))
            assert not [file for file in (data / "media").rglob("*") if file.is_file()]
            export = await _lines(site, ANN)
    for canary in CANARIES:
        for place in (now, content(data), copy, orjson.dumps(receipt), orjson.dumps(lines())):
            assert canary not in place
    assert b"kept of bob" in now
    assert (receipt["conversations"], receipt["messages"], receipt["files"]) == (1, 3, 1)
    assert len(export) == 1


async def test_a_conversation_erased_at_the_gateway_leaves_the_workspace(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        conversation = await leave_traces(site)
        assert b"canary text" in content(tmp_path)
        await site.call("DELETE", f"/v1/conversations/{conversation}")
        left = content(tmp_path)
        workspace = sqlite3.connect(tmp_path / "workspace.db")
        names = workspace.execute("SELECT consumer_id FROM conversations").fetchall()
        workspace.close()
    assert b"canary" not in left
    assert names == [("bob",)]


async def test_an_erasure_that_was_interrupted_is_finished_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        await leave_traces(site)
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    await journal.request_erasure(ErasureRequest("era_0", ALIAS, "desk"))
    await journal.request_erasure(ErasureRequest("era_1", ANN, "another"))
    await journal.close()
    async with running(tmp_path) as site:
        assert (await site.until("/v1/erasures/era_0", "state", "done"))["conversations"] == 1
        assert (await site.until("/v1/erasures/era_1", "state", "done"))["conversations"] == 0
    assert b"canary" not in content(tmp_path)


@pytest.mark.parametrize(
    "body", [b"From=%2B4915112345678&x=1", b'{"from": "+4915112345678"}', b"id=4915112345678"]
)
async def test_unreadable_deliveries_of_a_person_are_erased_in_every_form(
    tmp_path: Path, body: bytes
) -> None:
    journal = await SqliteJournal.open(tmp_path, hold_seconds=2)
    delivery = Accepted("desk", 1, {}, {}, body)
    other = Accepted("desk", 1, {}, {}, b"of somebody else")
    unreadable = tuple(Unreadable(one, "x") for one in (delivery, other))
    await journal.record(Batch((), (), unreadable))
    assert b"+4915112345678" in await journal.forget_traces("+49 151 12345678")
    assert [one["id"] for one in await journal.failures(10)] == ["delivery_2"]
    await journal.close()


async def _lines(site: Site, consumer: str) -> list[bytes]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    query = {"consumer": consumer}
    async with site.http.get(f"{site.url}/v1/exports", params=query, headers=headers) as response:
        return (await response.read()).splitlines()
