"""The receiver in docs/receiver-javascript.md stores the events that Airlock sends: once, in order, on disk."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.delivery.core_client import CoreClient

from .pages import ROOT, files
from .test_receivers import ANOTHER, EXAMPLES, SECRET

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[str]:
    """Run the receiver in its own process and yield its URL; kill it at the end, as a power cut would."""
    (folder / "core.mjs").write_text(files(ROOT / "docs" / "receiver-javascript.md")["core.mjs"])
    environment = {"CORE_SECRET": SECRET, "CORE_FILE": str(folder / "events.jsonl"), "PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        NODE or "node",
        "core.mjs",
        cwd=folder,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield f"http://127.0.0.1:{int(line.split()[-1])}/airlock"
    finally:
        process.kill()
        await process.wait()
        process._transport.close()  # type: ignore[attr-defined]  # or a ResourceWarning reports it


async def post(url: str, events: list[Any], secrets: list[str]) -> set[str]:
    client = CoreClient(url, secrets, connections=1)
    try:
        return {
            (await client.post(event["id"], json.dumps(event).encode())).verdict for event in events
        }
    finally:
        await client.close()


async def post_batch(url: str, events: list[Any]) -> str:
    client = CoreClient(url, [SECRET], connections=1)
    try:
        rendered = [(event["id"], json.dumps(event).encode()) for event in events]
        return (await client.post_batch(rendered)).verdict
    finally:
        await client.close()


async def shown(url: str) -> Any:
    async with ClientSession() as http, http.get(url) as answer:
        return json.loads(await answer.text())


async def test_each_event_is_stored_once_and_shown_in_order(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as url:
        assert await post_batch(url, EXAMPLES[:5]) == "taken"
        assert await post(url, [*EXAMPLES, *EXAMPLES], [ANOTHER, SECRET]) == {"taken"}
        before = await shown(url)
    kept = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in kept] == [event["id"] for event in EXAMPLES]
    messages = [message for lines in before.values() for message in lines]
    states = [["ready"], ["ready"], ["ready"], ["rejected"], ["ready"]]
    assert [message["states"] for message in messages] == states
    for lines in before.values():
        assert [message["sequence"] for message in lines] == list(range(1, len(lines) + 1))


async def test_stored_events_survive_a_power_cut(tmp_path: Path) -> None:
    async with running(tmp_path) as url:
        await post(url, EXAMPLES[:3], [SECRET])
        before = await shown(url)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"id": "evt_cut in the mid')
    async with running(tmp_path) as url:
        assert await shown(url) == before
        assert await post(url, EXAMPLES, [SECRET]) == {"taken"}
    kept = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in kept}) == len(kept) == len(EXAMPLES)


async def test_unsigned_and_forged_requests_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as url:
        assert await post(url, EXAMPLES[:1], [ANOTHER]) == {"again"}
        old = {"webhook-id": "e", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        odd = {"webhook-id": "e", "webhook-timestamp": "x", "webhook-signature": "v1"}
        async with ClientSession() as http:
            for headers in ({}, old, odd):
                async with http.post(url, data=b"\xff", headers=headers) as answer:
                    assert answer.status == 401
        assert await shown(url) == {}
