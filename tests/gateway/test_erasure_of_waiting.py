"""An erased person leaves nothing of what waits: in quarantine, for the core, for the platform, among the failures."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from gateway.media.storage.s3 import S3Bucket
from gateway.settings import MediaSettings
from tests.gateway.logged import logged
from tests.gateway.test_erasure_traces import ALIAS, ANN, CANARIES, content
from tests.gateway.test_gateway import House, house, photo
from tests.gateway.test_text_lines import Busy, desk

IN_FILE = b"canary in the original"


def refuse(_event: Any, _attempt: int) -> web.Response:
    return web.Response(status=500)


@pytest.mark.parametrize("place", ["file", "bucket"])
async def test_what_waits_of_an_erased_person_is_nowhere(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    stored, prefix = "file", ""
    bucket: S3Bucket | None = None
    if place == "bucket":
        stored = request.getfixturevalue("bucket_setting")
        prefix = request.getfixturevalue("bucket").prefix
        bucket = request.getfixturevalue("opened")
    data, away = tmp_path / "data", MediaSettings(scanner=f"unix:{tmp_path}/away")
    with logged(level="debug") as lines:
        async with house(
            data, refuse, 0.2, connector=desk(Busy), media=away, stored=stored
        ) as home:
            conversation = await _leave_what_waits(home, data)
            before = content(data)
            assert all(canary in before for canary in (*CANARIES, IN_FILE, b"canary answer"))
            while bucket is not None and not await bucket.list(prefix):
                await asyncio.sleep(0.02)
            _, started = await home.call("POST", "/v1/erasures", {"consumer": f"+{ANN}"})
            await _done(home, started["id"])
            now = content(data)
            objects: list[str] = await bucket.list(prefix) if bucket else []
            _, failures = await home.call("GET", "/v1/failures")
            status, _ = await home.call("GET", f"/v1/conversations/{conversation}")
    assert (failures["failures"], status, objects) == ([], 404, [])
    assert not list((data / "quarantine").iterdir())
    for canary in CANARIES:
        assert canary not in now
        assert canary not in content(data)
        assert canary not in orjson.dumps(lines())


async def _leave_what_waits(home: House, data: Path) -> str:
    """Leave an original in quarantine, events and a text that wait, and failures; return the conversation."""
    ann = {"from": ANN, "name": "Canary Name", "aliases": [ALIAS]}
    home.files["canary"] = photo() + IN_FILE
    media = [["photo", f"{home.media_url}/canary"]]
    await home.send({**ann, "id": "1", "text": "canary caption", "media": media})
    blocked = [["photo", "https://blocked.example.org/canary.jpg"]]
    await home.send({**ann, "id": "2", "text": "canary text", "media": blocked})
    await home.send({"no id": f"canary {ANN}"})
    async with asyncio.timeout(30):
        while not list((data / "quarantine").iterdir()) or not home.core.events:
            await asyncio.sleep(0.02)
        while not {"delivery", "attachment"} <= {one["kind"] for one in await _failures(home)}:
            await asyncio.sleep(0.02)
    _, found = await home.call("GET", f"/v1/conversations?consumer={ANN}")
    conversation = str(found["conversations"][0]["id"])
    url = f"{home.gateway.url}/v1/conversations/{conversation}/messages"
    headers = {"authorization": "Bearer a token of the core", "idempotency-key": "k"}
    answer = {"text": "canary answer", "agent": "eve"}
    async with home.http.post(url, json=answer, headers=headers) as response:
        assert response.status == 202
    return conversation


async def _failures(home: House) -> list[dict[str, Any]]:
    _, found = await home.call("GET", "/v1/failures")
    return list(found["failures"])


async def _done(home: House, erasure: str) -> None:
    async with asyncio.timeout(30):
        while (await home.call("GET", f"/v1/erasures/{erasure}"))[1]["state"] != "done":
            await asyncio.sleep(0.02)
